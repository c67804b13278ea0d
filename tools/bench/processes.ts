import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { TestStack } from "../../test/support/stack.ts";
import { readProcess, readProcesses } from "./proc.ts";

/** The cost of all processes of one kind in one run of a command. */
export interface ProcessCosts {
  readonly name: string;
  readonly cpuSeconds: number;
  /** Resident memory of the largest of them, MiB. */
  readonly peakMiB: number;
  /** When the first and the last of them were seen, in seconds after the command's start. */
  readonly from: number;
  readonly to: number;
}

/** Commands of a stack without changes. */
export const IDLE_COMMANDS = {
  "no-op preview": ["preview", "--expect-no-changes"],
  "no-op up": ["up", "--yes", "--skip-preview", "--expect-no-changes"],
} as const;

/** Kinds of processes, by a part of their command lines; the first match counts. */
const NAMES = [
  ["dynamic provider", /cmd\/dynamic-provider|pulumi-resource-pulumi-nodejs/],
  ["program", /cmd\/run\/index/],
  ["language host", /pulumi-language-nodejs/],
  ["docker plugin", /pulumi-resource-docker/],
  ["command plugin", /pulumi-resource-command/],
  ["CLI", /\/versions\/[^ ]*\/bin\/pulumi /],
  ["wrapper", /bin\/pulumi |pulumi\.mjs/],
  ["docker", /^\S*docker /],
] as const;

const SAMPLE_MS = 10;
const TICKS_PER_SECOND = 100;
const PAGES_PER_MIB = 256;

/**
 * Measures the processes behind commands of a stack with the seed's nine nodes and two streams, which has no changes
 * (Linux only). Measuring takes time itself: the CPU time is right, the wall clock time isn't.
 *
 * @returns the cost of each kind of process, for each run of each command.
 */
export async function runProcesses(
  runs: number,
  onStep: (step: string) => void,
): Promise<Readonly<Record<keyof typeof IDLE_COMMANDS, readonly ProcessCosts[][]>>> {
  const stack = await TestStack.create();
  try {
    onStep("up");
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    const measured = { "no-op preview": [], "no-op up": [] } as {
      [name in keyof typeof IDLE_COMMANDS]: ProcessCosts[][];
    };
    for (let run = 1; run <= runs; run++) {
      for (const name of Object.keys(measured) as (keyof typeof IDLE_COMMANDS)[]) {
        onStep(`${name} ${run} of ${runs}`);
        measured[name].push(await watch(stack.command(IDLE_COMMANDS[name])));
      }
    }
    return measured;
  } finally {
    await stack.remove();
  }
}

/** A process as it was last seen. */
interface Sighting {
  commandLine: string;
  ticks: number;
  pages: number;
  readonly from: number;
  to: number;
}

async function watch({
  file,
  args,
  options,
}: ReturnType<TestStack["command"]>): Promise<ProcessCosts[]> {
  const began = performance.now();
  const command = execa(file, args, { ...options, all: true, stdin: "ignore" });
  const family = new Set([command.pid ?? 0]);
  const seen = new Map<number, Sighting>();
  let isRunning = true;
  const ended = command.finally(() => {
    isRunning = false;
  });
  while (isRunning) {
    look(family, seen, (performance.now() - began) / 1_000);
    await Promise.race([sleep(SAMPLE_MS), ended]);
  }
  await ended;
  const kinds = Map.groupBy(seen.values(), ({ commandLine }) => nameOf(commandLine));
  return [...kinds].map(([name, sightings]) => ({
    name,
    cpuSeconds: sightings.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND,
    peakMiB: Math.max(...sightings.map(({ pages }) => pages)) / PAGES_PER_MIB,
    from: Math.min(...sightings.map(({ from }) => from)),
    to: Math.max(...sightings.map(({ to }) => to)),
  }));
}

function look(family: Set<number>, seen: Map<number, Sighting>, at: number): void {
  for (const { pid, parent, ticks, pages } of readProcesses()) {
    if (!family.has(pid) && !family.has(parent)) continue;
    family.add(pid);
    const sighting = seen.get(pid) ?? { commandLine: "", ticks: 0, pages: 0, from: at, to: at };
    // A process that has just ended has no command line any more.
    sighting.commandLine =
      readProcess(pid, "cmdline").replaceAll("\0", " ") || sighting.commandLine;
    sighting.ticks = Math.max(sighting.ticks, ticks);
    sighting.pages = Math.max(sighting.pages, pages);
    sighting.to = at;
    seen.set(pid, sighting);
  }
}

function nameOf(commandLine: string): string {
  return NAMES.find(([, pattern]) => pattern.test(commandLine))?.[0] ?? "others";
}
