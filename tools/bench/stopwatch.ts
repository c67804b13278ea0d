import { execa } from "execa";
import { readProcess, readProcesses } from "./proc.ts";

/** One run of a command: its duration, the times of its output lines, and its peak memory. */
export interface Timing {
  /** Seconds, wall clock. */
  readonly seconds: number;
  readonly lines: readonly { readonly at: number; readonly text: string }[];
  /**
   * Peak memory of the command and its descendants, MiB; shared memory counts once. 0 unless asked for, because
   * measuring takes time.
   */
  readonly peakMiB: number;
}

const SAMPLE_MS = 200;
const KIB_PER_MIB = 1024;

/** Runs a command to its end. @throws Error with its output, if it fails. */
export async function time(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  watchMemory = false,
): Promise<Timing> {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1_000;
  const command = execa(file, args, { ...options, all: true, stdin: "ignore", reject: false });
  let peakMiB = 0;
  const sampling = setInterval(() => {
    if (watchMemory && command.pid) peakMiB = Math.max(peakMiB, memoryOf(command.pid));
  }, SAMPLE_MS);
  const lines: { at: number; text: string }[] = [];
  for await (const text of command.iterable({ from: "all" })) lines.push({ at: elapsed(), text });
  const { exitCode } = await command;
  clearInterval(sampling);
  if (exitCode !== 0) {
    const said = lines.slice(-40).map(({ text }) => text);
    throw new Error(`${file} ${args.join(" ")} ended with ${exitCode}:\n${said.join("\n")}`);
  }
  return { seconds: elapsed(), lines, peakMiB };
}

/** Proportional set size of a process and its descendants, in MiB (Linux; 0 elsewhere). */
function memoryOf(root: number): number {
  const parents = new Map(readProcesses().map(({ pid, parent }) => [pid, parent]));
  const isDescendant = (pid: number): boolean => {
    if (pid === root) return true;
    const parent = parents.get(pid);
    return parent !== undefined && isDescendant(parent);
  };
  const kib = [...parents.keys()].filter(isDescendant).map((pid) => {
    const pss = readProcess(pid, "smaps_rollup").match(/^Pss:\s+(\d+)/m)?.[1];
    return Number(pss ?? 0);
  });
  return kib.reduce((sum, each) => sum + each, 0) / KIB_PER_MIB;
}
