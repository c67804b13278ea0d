/** Runs an `up` during which something happens to one of its machines, under traffic, and records the result. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type ClusterPlan, nodesOf } from "../../../lib/plan/plan.ts";
import { expectWell, lostWith } from "../inject-fault.ts";
import type { Outcome } from "../stack.ts";
import type { Audit, Stretch } from "../traffic.ts";
import { describeCase, type FaultCase } from "./fault-cases.ts";
import type { MachinesStage } from "./stage.ts";

/** Milliseconds that a stream with its majority may be without an acknowledgement: an election, and what leads to it. */
const LONGEST_GAP = 15_000;
/** Milliseconds in which a preview says that an engine doesn't answer. */
const PREVIEW = 30_000;
/** Milliseconds until all is well after a fault. */
const RECOVERY = 180_000;
const UP = ["up", "--yes", "--skip-preview"];
/** Of a script that let an error go by. */
const STACK_TRACE = /^\s+at .+:\d+:\d+\)?$/m;
const REPLICATED = ["EVENTS", "ORDERS"];

/** The plans of the stack's settings before the `up` and with it. */
export interface Plans {
  readonly before: ClusterPlan;
  readonly after: ClusterPlan;
}

/**
 * Ends when the fault has ended, all is well, and the first `up` after it has nothing left to do. No acknowledged message
 * may be lost, and no stream that kept its majority may be away for longer than an election takes.
 */
export async function runFaultCase(
  stage: MachinesStage,
  given: FaultCase,
  plans: Plans,
): Promise<void> {
  const { stack, traffic } = stage;
  const { caCertificate: ca } = await stack.outputs();
  const run = new FaultRun(stage, given);
  const stretches = await traffic
    .during(async () => {
      await run.change();
      await run.note("well", () =>
        expectWell({ plan: plans.after, ...(ca === undefined ? {} : { ca }) }, RECOVERY),
      );
      await run.converge();
    })
    .catch((error: unknown) => {
      console.info([describeCase(given), ...run.story].join(" | "));
      throw error;
    });
  const audits: Record<string, Audit> = {};
  for (const stream of Object.keys(stretches)) audits[stream] = await traffic.audit(stream);
  console.info(row(given, stretches, audits, run.story));
  for (const [stream, audit] of Object.entries(audits)) {
    const { missing, givenTwice, storedTwice, versions } = audit;
    const found = { missing, givenTwice, storedTwice, versions };
    expect(found, stream).toEqual({ missing: [], givenTwice: [], storedTwice: 0, versions: 1 });
  }
  for (const stream of writable(given, plans)) {
    expect(stretches[stream]?.longestGap, `gap of ${stream}`).toBeLessThan(LONGEST_GAP);
  }
}

interface Timed extends Outcome {
  /** Milliseconds. */
  readonly took: number;
}

class FaultRun {
  /** What happened, with times. */
  readonly story: string[] = [];
  readonly #stage: MachinesStage;
  readonly #case: FaultCase;

  constructor(stage: MachinesStage, given: FaultCase) {
    this.#stage = stage;
    this.#case = given;
  }

  /** The `up` and the fault. Ends when both have. */
  async change(): Promise<void> {
    const { stack, machines } = this.#stage;
    const { fault, victim: name, after, lasts } = this.#case;
    const victim = machines.machine(name);
    const began = performance.now();
    if (fault.killsOperator) {
      const isKilled = await stack.killAfter(after ?? 0, ...UP);
      this.story.push(isKilled ? "killed" : "too late, it had ended");
      return;
    }
    const updating = after === undefined ? undefined : this.#timed(() => stack.pulumi(...UP));
    await sleep(after ?? 0);
    const faulty = performance.now();
    await fault.inject(machines, victim);
    try {
      if (after === undefined) {
        if (fault.takesEngine && fault.lasts === undefined) await this.#expectForecast();
        this.#tell("up", await this.#timed(() => stack.pulumi(...UP)));
      }
      await sleep(Math.max(0, lasts - (performance.now() - faulty)));
    } finally {
      await fault.heal(machines, victim);
      const [from, to] = [faulty - began, performance.now() - began].map(seconds);
      this.story.push(`fault from ${from} to ${to}`);
    }
    if (updating) this.#tell("up", await updating);
  }

  /** The first `up` after the fault, and what is left then. */
  async converge(): Promise<void> {
    const { stack } = this.#stage;
    const next = await this.#timed(() => stack.pulumi(...UP));
    this.#tell("next up", next);
    const { exitCode, text } = next;
    if (exitCode !== 0) throw new Error(`the next up failed:\n${text.slice(-6_000)}`);
    await stack.expectPulumi("preview", "--expect-no-changes");
  }

  /** Notes how long something takes. */
  async note(what: string, work: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await work();
    this.story.push(`${what} after ${seconds(performance.now() - began)}`);
  }

  async #timed(command: () => Promise<Outcome>): Promise<Timed> {
    const began = performance.now();
    return { ...(await command()), took: performance.now() - began };
  }

  #tell(what: string, { exitCode, text, took }: Timed): void {
    this.story.push(`${what} ${seconds(took)}, ended with ${exitCode}: ${wordsOf(text)}`);
    if (exitCode !== 0) {
      console.info(`${describeCase(this.#case)}, ${what}:\n${diagnosticsOf(text)}`);
    }
    expect(text).not.toMatch(STACK_TRACE);
  }

  async #expectForecast(): Promise<void> {
    const preview = await this.#timed(() => this.#stage.stack.pulumi("preview"));
    this.#tell("preview", preview);
    expect(preview.text).toContain("its engine doesn't answer");
    expect(preview.took).toBeLessThan(PREVIEW);
  }
}

/** The streams that keep their majority, before the `up` and after it. */
function writable({ fault, victim }: FaultCase, { before, after }: Plans): string[] {
  const region = victim.replace("m", "rg");
  const lost = [before, after].flatMap((plan) => {
    const nodes = nodesOf(plan).filter((node) => fault.takesNodes && node.region === region);
    const names = nodes.map(({ name }) => name);
    return lostWith(plan, names);
  });
  return REPLICATED.filter((stream) => !lost.includes(stream));
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** From where Pulumi tells what went wrong, and what waited. */
function diagnosticsOf(text: string): string {
  return text
    .slice(Math.max(0, text.indexOf("Diagnostics:")))
    .replace(/^(Outputs|Resources):.*/ms, "")
    .trim();
}

/** The gist of it in one line. */
function wordsOf(text: string): string {
  const lines = diagnosticsOf(text)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /error|warning|wait|going on|stay|answer/i.test(line));
  return [...new Set(lines)].join(" ¶ ").slice(0, 1_500) || "no words";
}

/** A row of a table. Of three numbers, each is for one stream. */
function row(
  given: FaultCase,
  stretches: Readonly<Record<string, Stretch>>,
  audits: Readonly<Record<string, Audit>>,
  story: readonly string[],
): string {
  const each = <Of>(all: Readonly<Record<string, Of>>, pick: (of: Of) => number) =>
    Object.values(all).map(pick).join(" / ");
  return [
    `| ${describeCase(given)}`,
    `acknowledged ${each(audits, ({ acknowledged }) => acknowledged)}`,
    `stored ${each(audits, ({ stored }) => stored)}`,
    `lost ${each(audits, ({ missing }) => missing.length)}`,
    `sent again ${each(stretches, ({ errors }) => errors)}`,
    `longest gap ${each(stretches, ({ longestGap }) => longestGap)} ms`,
    `${story.join(" | ")} |`,
  ].join(" | ");
}
