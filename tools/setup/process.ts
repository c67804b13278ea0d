/** Runs programs for set-up, `docker` included: there may be no engine yet, so class `Engine` isn't used. */
import { execFile } from "node:child_process";

/** The result of a short command. */
export interface Answer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a short command. Failures are results, too. */
export function ask(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(file, args, { env, timeout: 10_000 }, (error, stdout, stderr) => {
      resolve({
        ok: !error,
        stdout: stdout.trim(),
        stderr: error?.code === "ENOENT" ? `${file} is not installed` : stderr.trim(),
      });
    });
  });
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: Uint8Array;
  readonly signal?: AbortSignal;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Called with each line of output. */
  readonly onLine?: (line: string) => void;
}

/** A program failed. The message is the last thing that it printed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Runs a long command, and ends it with all of its child processes on the signal. */
export async function run(
  file: string,
  args: readonly string[],
  { onLine = () => {}, signal, timeout, ...options }: RunOptions = {},
): Promise<void> {
  // Loaded lazily, so that a set-up that finds everything doesn't wait for it.
  const { execa } = await import("execa");
  const said: string[] = [];
  const child = execa(file, args, {
    ...options,
    ...(signal && { cancelSignal: signal }),
    ...(timeout && { timeout }),
    ...(options.input ? {} : { stdin: "ignore" }),
    extendEnv: options.env === undefined,
    all: true,
    buffer: false,
    reject: false,
  });
  for await (const line of child.iterable({ from: "all" })) {
    onLine(line);
    said.push(line);
    if (said.length > 40) said.shift();
  }
  const result = await child;
  signal?.throwIfAborted();
  if (!result.failed) return;
  const ending = result.timedOut
    ? `no end after ${(timeout ?? 0) / 1000} s`
    : (result.originalMessage ?? `exit status ${result.exitCode}`);
  throw new CommandError(withoutCredentials(lastWords(said) ?? ending));
}

/** The last line of output that isn't npm's or Go's progress. */
function lastWords(lines: readonly string[]): string | undefined {
  const telling = lines.filter((line) => !/^(npm (warn|notice)|go: downloading)|^\s*$/.test(line));
  return telling.at(-1)?.trim().slice(0, 300);
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s@]+@/g, "//***@");
}
