import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { at, starts } from "../support/change.ts";
import { weaknesses } from "../support/hardening.ts";
import { expectWell, planOfStack } from "../support/inject-fault.ts";
import { OwnEngine, type Signal, whyNoOwnEngine } from "../support/own-engine.ts";
import { SEED_SETTINGS, TestStack } from "../support/stack.ts";
import { type Audit, type Stretch, Traffic } from "../support/traffic.ts";

/** By `npm run chaos`. */
const RESTARTS = Number(process.env.ENGINE_RESTARTS ?? 0);
/** Milliseconds that the engine is away. */
const AWAY = 3_000;
/** Milliseconds that the interrupted `up` and the next one may take, with what is looked at then. */
const LIMIT = 480_000;

const { EVENTS, ORDERS } = SEED_SETTINGS.streams;
const STREAMS = ["EVENTS", "ORDERS"];
/** Of a user that nobody is. */
const NKEY = "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF";

/** What an `up` changes, and the line of its output at which the engine goes. */
interface Moment {
  readonly when: string;
  readonly sign: RegExp;
  readonly changes: "memory" | "placement";
}

const MOMENTS: readonly Moment[] = [
  { when: "containers are made", sign: /-container creating replacement/, changes: "memory" },
  { when: "a stream moves", sign: /:Stream ORDERS updating/, changes: "placement" },
  { when: "a gate waits", sign: /-wave-2 updating/, changes: "memory" },
  { when: "a node is configured", sign: /-configured updating/, changes: "memory" },
];

const SIGNALS: readonly Signal[] = ["SIGTERM", "SIGKILL"];
const ALL = MOMENTS.flatMap((moment) => SIGNALS.map((signal) => ({ ...moment, signal })));
const ROUNDS = Array.from({ length: Math.ceil(RESTARTS / ALL.length) }, () => ALL);

const UP = ["up", "--yes", "--skip-preview"];
/** Of a script that let an error go by. */
const STACK_TRACE = /^\s+at .+:\d+:\d+\)?$/m;

const reason = await whyNoOwnEngine();

describe.skipIf(reason || RESTARTS === 0)(
  `an up during which the engine restarts${reason === undefined ? "" : ` (${reason})`}`,
  () => {
    let engine: OwnEngine;
    let stack: TestStack;
    let traffic: Traffic;
    let memory = "512MiB";
    let region = "rg:2";

    let accounts = {};

    const settings = () => ({
      memory,
      accounts,
      streams: { EVENTS, ORDERS: at(ORDERS, region) },
    });

    beforeAll(async () => {
      engine = await OwnEngine.start("nats:2.15.2");
      vi.stubEnv("DOCKER_HOST", engine.host);
      stack = await TestStack.create(settings());
      await stack.expectPulumi("up", "--yes", "--skip-preview");
      traffic = await Traffic.start(await stack.outputs(), STREAMS, "ORDERS");
    });

    afterAll(async () => {
      try {
        await traffic?.[Symbol.asyncDispose]();
        await stack?.remove();
      } finally {
        vi.unstubAllEnvs();
        await engine?.[Symbol.asyncDispose]();
      }
    });

    /** Runs the `up` that is interrupted, and what it takes then. @returns seconds of both. */
    async function updateTwice(when: string, sign: RegExp, signal: Signal): Promise<number[]> {
      const times = [performance.now()];
      const restart = () => engine.restart(signal, AWAY);
      const { exitCode, text } = await stack.meanwhile(sign, restart, ...UP);
      times.push(performance.now());
      console.info(`${when}, ${signal}: ended with ${exitCode}\n${diagnosticsOf(text)}`);
      expect(text).not.toMatch(STACK_TRACE);
      // Nodes that nobody starts again aren't waited for.
      expect(text).not.toContain("isn't ready");

      const next = await stack.pulumi(...UP);
      if (next.exitCode !== 0) {
        console.info(`the next: ended with ${next.exitCode}\n${diagnosticsOf(next.text)}`);
        expect(next.text).toContain("`npx pulumi up --refresh` brings them back");
        await stack.expectPulumi(...UP, "--refresh");
      }
      times.push(performance.now());
      return times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1_000);
    }

    /** Says what became of the messages since the first test, and sees that they are all there. */
    async function expectNothingLost(
      what: string,
      stretches: Readonly<Record<string, Stretch>>,
      seconds: readonly number[],
    ): Promise<void> {
      for (const stream of STREAMS) {
        const audit = await traffic.audit(stream);
        console.info(row(what, stream, audit, stretches[stream], seconds));
        expect(audit).toMatchObject({ missing: [], givenTwice: [], storedTwice: 0, versions: 1 });
      }
      expect(await traffic.unconsumed("ORDERS")).toEqual([]);
    }

    test("brings back nodes that were reloaded, without an up", async () => {
      accounts = { OTHER: { users: { other: { nkey: NKEY } } } };
      stack.configure(settings());
      const before = await starts(stack);
      const stretches = await traffic.during(async () => {
        await stack.expectPulumi(...UP);
        expect(await starts(stack)).toEqual(before);
        await engine.restart("SIGTERM", AWAY);
        await expectWell({ plan: planOfStack(stack, settings()) });
      });
      await expectNothingLost("after a reload, SIGTERM", stretches, []);
    });

    test.for(ROUNDS.flat().slice(0, RESTARTS))(
      "while $when, by $signal, is finished by the next",
      { timeout: LIMIT },
      async ({ when, sign, changes, signal }) => {
        if (changes === "memory") memory = memory === "256MiB" ? "384MiB" : "256MiB";
        else region = region === "rg:2" ? "rg:3" : "rg:2";
        stack.configure(settings());
        const plan = planOfStack(stack, settings());

        let seconds: readonly number[] = [];
        const stretches = await traffic.during(async () => {
          seconds = await updateTwice(when, sign, signal);
          await expectWell({ plan });
        });

        await expectNothingLost(`${when}, ${signal}`, stretches, seconds);
        await stack.expectPulumi("preview", "--refresh", "--expect-no-changes");
        // Nine nodes with two volumes each, and the network.
        expect(await stack.leftovers()).toHaveLength(9 * 3 + 1);
        expect(await weaknesses(plan.prefix, stack.name)).toEqual([]);
      },
    );
  },
);

/** From where Pulumi tells what went wrong. */
function diagnosticsOf(text: string): string {
  return text.slice(Math.max(0, text.indexOf("Diagnostics:"))).replace(/^Outputs:.*/ms, "");
}

/** A row of a table; messages are all since the first row. */
function row(
  what: string,
  stream: string,
  { acknowledged, stored, givenUp }: Audit,
  stretch: Stretch | undefined,
  seconds: readonly number[],
): string {
  return [
    `| ${what}`,
    stream,
    `acknowledged ${acknowledged}`,
    `stored ${stored}`,
    `given up ${givenUp}`,
    `longest gap ${stretch?.longestGap} ms`,
    `up ${seconds.map((each) => `${each.toFixed(1)} s`).join(", then ")} |`,
  ].join(" | ");
}
