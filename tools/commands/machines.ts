import { createInterface } from "node:readline/promises";
import { createLog, duration } from "../../cli/terminal/steps.mjs";
import { UserError } from "../../cli/terminal/user-error.ts";
import { Machines, whyNoMachines } from "../../test/support/machines/machines.ts";
import { PINNED_IMAGE } from "../setup/nats.ts";
import { setUp } from "../setup/set-up.ts";
import { describeMachine, describeVerbs, runLine } from "./machines-prompt.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Keeps machines until the end of the input, or a signal. */
export async function run({ count }: { readonly count: number }): Promise<number> {
  const reason = await whyNoMachines();
  if (reason) throw new UserError(`There can't be machines here: ${reason}.`);
  await setUp({ log: createLog() });
  const stop = new AbortController();
  const end = () => stop.abort();
  for (const signal of SIGNALS) process.on(signal, end);
  const began = performance.now();
  const machines = await Machines.start({ count, images: [PINNED_IMAGE] });
  try {
    console.log(introduce(machines, performance.now() - began));
    if (!stop.signal.aborted) await converse(machines, stop.signal);
  } finally {
    const ended = performance.now();
    await machines[Symbol.asyncDispose]();
    console.log(`\nRemoved all of it in ${duration(performance.now() - ended)}.`);
    for (const signal of SIGNALS) process.removeListener(signal, end);
  }
  return 0;
}

function introduce(machines: Machines, milliseconds: number): string {
  const [first] = machines.all;
  const hosts = machines.all.map(describeMachine).join("\n");
  return `${machines.all.length} machines are up after ${duration(milliseconds)}, each with ${PINNED_IMAGE}:
${hosts}
From another terminal:
  export PATH=${machines.environment.PATH.split(":", 1)}:$PATH
  docker -H ${first?.host} ps
  ssh ${first?.address}
Here:
${describeVerbs()}
Ctrl-C ends the machines and removes all of it.`;
}

/** Does what is typed, until the end of the input. */
async function converse(machines: Machines, signal: AbortSignal): Promise<void> {
  const { stdin: input, stdout: output } = process;
  const prompt = createInterface({ input, output, prompt: "> ", signal });
  let isOpen = true;
  prompt.once("close", () => {
    isOpen = false;
  });
  // On a terminal Ctrl-C is no signal.
  prompt.once("SIGINT", () => prompt.close());
  prompt.prompt();
  for await (const line of prompt) {
    try {
      await runLine(machines, line);
    } catch (error) {
      console.log((error as Error).message);
    }
    if (isOpen) prompt.prompt();
  }
}
