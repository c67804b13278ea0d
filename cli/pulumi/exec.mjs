import { spawn } from "node:child_process";
import { isatty } from "node:tty";

/**
 * How a program ended.
 *
 * @typedef {{ readonly status: number | null, readonly signal: NodeJS.Signals | null, readonly wasInterrupted: boolean }} End
 */

/**
 * Runs a program on this process's terminal, with this process's signals. Rejects if the program can't be started.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<End>}
 */
export function run(file, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: "inherit", env });
    // A terminal signals the whole foreground group: the child has had it already, and to Pulumi a
    // second SIGINT means "stop at once".
    const terminal = [0, 1, 2].some((fd) => isatty(fd));
    let wasInterrupted = false;
    for (const signal of /** @type {const} */ (["SIGINT", "SIGQUIT", "SIGHUP"])) {
      process.on(signal, () => {
        wasInterrupted = true;
        if (!terminal) child.kill(signal);
      });
    }
    process.on("SIGTERM", () => child.kill("SIGTERM"));

    child.once("error", ({ message }) => reject(new Error(`${file} can't be started: ${message}`)));
    child.once("exit", (status, signal) => resolve({ status, signal, wasInterrupted }));
  });
}

/**
 * Ends this process as a program has ended.
 *
 * @param {End} end
 */
export function endLike({ status, signal }) {
  if (!signal) process.exit(status ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * Runs a program in this process's place, as far as node can: the same terminal, the same signals, the same end. Rejects if
 * the program can't be started. `process.execve` is no way (node 24): where it fails, it aborts this process with a native
 * stack trace.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export async function exec(file, args, env) {
  endLike(await run(file, args, env));
}
