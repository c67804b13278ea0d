import { join } from "node:path";
import type { Log } from "../../cli/terminal/log.ts";
import { enginePart } from "./engine.ts";
import { withLock } from "./lock.ts";
import { folders, type Machine } from "./machine.ts";
import { imagePart, natsPrograms } from "./nats.ts";
import type { Part } from "./part.ts";
import { pulumiParts } from "./pulumi.ts";
import { explainUnwritable, isUnwritable } from "./set-up-errors.ts";

/**
 * What a command needs. `stack`: everything that Pulumi needs for the cluster. `nats-server`, `nats`: the programs, for
 * tests and the benchmark.
 */
export type Want = "stack" | "nats-server" | "nats";

export interface SetUpOptions {
  readonly log: Log;
  /** @default ["stack"] */
  readonly want?: readonly Want[];
  /** Shows each part, even if nothing is missing. @default false */
  readonly showAll?: boolean;
}

/** Paths of the requested programs. */
export interface Tools {
  readonly natsServer: string;
  readonly nats: string;
}

/**
 * Makes sure that everything requested is installed: checks all of it at once, then installs what is missing, from the
 * official release or, if that can't be reached, from source. Safe to repeat and to interrupt.
 *
 * @throws SetUpError saying what to install and which command to repeat.
 */
export async function setUp({
  log,
  want = ["stack"],
  showAll = false,
}: SetUpOptions): Promise<Tools> {
  await stoppable(async (stop) => {
    const here: Machine = { env: process.env, signal: stop.signal, folders: folders(process.env) };
    const summary = log.step("Set-up");
    const rows = partsFor(want, here);
    const parts = rows.flat();
    const sightings = await Promise.all(parts.map(look));
    const found = sightings.filter(({ there }) => there);
    const missing = new Set(sightings.filter(({ there }) => !there).map(({ part }) => part));
    if (missing.size === 0 && !showAll) return summary.done(`all ${parts.length} parts found`);
    for (const { part, took } of found) log.step(part.label).done("found", took);
    if (missing.size === 0) return;
    summary.note(describeMissing([...missing]));
    await getMissing(rows, missing, here, log, stop);
  });
  const { bin } = folders(process.env);
  return { natsServer: join(bin, "nats-server"), nats: join(bin, "nats") };
}

/** Parts in rows: the parts of a row depend on those before them, rows are independent. */
function partsFor(want: readonly Want[], here: Machine): Part[][] {
  const { server, cli } = natsPrograms(here);
  const stack = want.includes("stack");
  return [
    stack ? pulumiParts(here) : [],
    [
      ...(stack ? [enginePart(here), imagePart(here)] : []),
      ...(want.includes("nats-server") ? [server] : []),
      ...(want.includes("nats") ? [cli] : []),
    ],
  ];
}

/** Says before the wait what it is for, and which of the ways is long. */
export function describeMissing(parts: readonly Pick<Part, "label">[]): string {
  const labels = parts.map(({ label }) => label).join(", ");
  return `missing: ${labels}. Releases take seconds; what can't be fetched is built from source, which takes minutes`;
}

async function look(part: Part): Promise<{ part: Part; there: boolean; took: number }> {
  const began = performance.now();
  const there = await part.find();
  return { part, there, took: performance.now() - began };
}

/** The rows run in parallel, because one waits for the network while another compiles. The first failure stops all. */
async function getMissing(
  rows: readonly Part[][],
  missing: ReadonlySet<Part>,
  here: Machine,
  log: Log,
  stop: AbortController,
): Promise<void> {
  const getRow = async (row: Part[]) => {
    for (const part of row) {
      // Another set-up may have installed it by now; or an existing part belongs to one that is replaced.
      if (!(await part.find())) await getPart(part, log, stop);
      else if (missing.has(part)) log.step(part.label).done("found");
    }
  };
  const onWait = (pid: number) => {
    const step = log.step("Set-up");
    step.doing(`waiting for another set-up on this machine (process ${pid})`);
    return () => step.done("waited");
  };
  await withLock(join(here.folders.cache, "set-up.lock"), stop.signal, onWait, async () => {
    await Promise.allSettled(rows.map(getRow));
  });
}

async function getPart(part: Part, log: Log, stop: AbortController): Promise<void> {
  const step = log.step(part.label);
  try {
    stop.signal.throwIfAborted();
    step.done(await part.provide(step));
  } catch (error) {
    step.failed(stop.signal.aborted ? "stopped" : "not set up");
    stop.abort(error);
    throw error;
  }
}

/** Runs an action that cleans up after itself when it is aborted, by itself or by a signal. */
async function stoppable(action: (stop: AbortController) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => stop.abort(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  // Not once(): if the listener is gone at the time of the signal, execa ends this process.
  for (const signal of signals) process.on(signal, onSignal);
  try {
    await action(stop);
    stop.signal.throwIfAborted();
  } catch (error) {
    const isStopped = typeof stop.signal.reason === "string";
    if (!isStopped) throw isUnwritable(error) ? explainUnwritable(error, process.env) : error;
  } finally {
    for (const signal of signals) process.removeListener(signal, onSignal);
  }
  if (stop.signal.aborted) process.kill(process.pid, stop.signal.reason);
}
