import { spawn } from "node:child_process";

/** Bytes; enough for logs, and for a config with thousands of users. */
export const LARGEST_OUTPUT = 256 * 1024 ** 2;

/** What a command wrote that ended well. */
export interface Output {
  readonly kind: "done";
  readonly stdout: Buffer;
  /** A container's log goes here if the server wrote to stderr. */
  readonly stderr: string;
}

/** How a command ended. */
export type Ending =
  | Output
  | { readonly kind: "missing" | "too late" | "too large" }
  | { readonly kind: "failed"; readonly words: string };

interface Terms {
  readonly env: NodeJS.ProcessEnv;
  /** Whether to start it in its own process group, which gets no signals from the terminal. */
  readonly detached: boolean;
  /** Milliseconds. */
  readonly limit: number;
  /** Ends it before that. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs `docker`. Uses spawn, because execFile has no option for process groups. */
export function runDocker(
  args: readonly string[],
  { env, detached, limit, signal }: Terms,
): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn("docker", args, { env, detached, stdio: ["ignore", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    const end = (ending: Ending) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      resolve(ending);
    };
    const giveUp = (kind: "too late" | "too large") => {
      end({ kind });
      // SIGKILL, because an ssh that can't connect ignores others. The pipes are destroyed, because children of
      // `docker` may hold them open.
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const stop = () => giveUp("too late");
    const timer = setTimeout(stop, limit);
    signal?.addEventListener("abort", stop);
    const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LARGEST_OUTPUT) giveUp("too large");
    };
    child.stdout.on("data", collect(stdout));
    child.stderr.on("data", collect(stderr));
    child.once("error", (error: NodeJS.ErrnoException) =>
      end(error.code === "ENOENT" ? { kind: "missing" } : { kind: "failed", words: error.message }),
    );
    child.once("close", (code) => {
      const words = Buffer.concat(stderr).toString();
      end(
        code === 0
          ? { kind: "done", stdout: Buffer.concat(stdout), stderr: words }
          : { kind: "failed", words: words.trim() },
      );
    });
  });
}
