/** Programs that a set-up asks and runs: `docker` too, as it works before there is an engine, let alone an `Engine`. */
import { execFile } from "node:child_process";

/** How a quick question to a program was answered. */
export interface Answer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Asks a program something that takes it no time. Whatever goes wrong is an answer too. */
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
  /** In milliseconds. */
  readonly timeout?: number;
  /** Gets what the program says, line by line. */
  readonly onLine?: (line: string) => void;
}

/** A program that failed, with its own last words as the message. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Runs a program that may take its time, and ends it with all that it started if the signal says so. */
export async function run(
  file: string,
  args: readonly string[],
  { onLine = () => {}, signal, timeout, ...options }: RunOptions = {},
): Promise<void> {
  // Loaded here only: a set-up that finds everything must not wait for it.
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

/** The last thing said that isn't npm's or Go's running commentary. */
function lastWords(lines: readonly string[]): string | undefined {
  const telling = lines.filter((line) => !/^(npm (warn|notice)|go: downloading)|^\s*$/.test(line));
  return telling.at(-1)?.trim().slice(0, 300);
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/\s@]+@/g, "//***@");
}
