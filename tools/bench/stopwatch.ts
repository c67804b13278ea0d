import { execa } from "execa";
import { type ProcessCosts, watch } from "./watch.ts";

/** One run of a command: its duration, the times of its output lines, and what its processes cost. */
export interface Timing {
  /** Seconds, wall clock. */
  readonly seconds: number;
  readonly lines: readonly Line[];
  /** There if asked for. */
  readonly costs?: ProcessCosts;
}

/** A line of a command's output, and when it came: seconds after the command's start. */
export interface Line {
  readonly at: number;
  readonly text: string;
}

/**
 * Runs a command to its end.
 *
 * @param lookMs how often to look at its processes, see {@link watch}. Default: never.
 * @throws Error with its output, if it fails.
 */
export async function time(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  lookMs?: number,
): Promise<Timing> {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1_000;
  const command = execa(file, args, { ...options, all: true, stdin: "ignore", reject: false });
  const unwatch = lookMs && command.pid ? watch(command.pid, lookMs) : undefined;
  const lines: Line[] = [];
  for await (const text of command.iterable({ from: "all" })) lines.push({ at: elapsed(), text });
  const { exitCode } = await command;
  const seconds = elapsed();
  const costs = unwatch?.();
  if (exitCode !== 0) {
    const said = lines.slice(-40).map(({ text }) => text);
    throw new Error(`${file} ${args.join(" ")} ended with ${exitCode}:\n${said.join("\n")}`);
  }
  return { seconds, lines, ...(costs && { costs }) };
}
