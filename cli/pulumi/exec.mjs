import { spawn } from "node:child_process";
import { isatty } from "node:tty";

/**
 * Runs a program in this process's place, as far as node can: the same terminal, the same signals, the same end. Never
 * resolves. Rejects if the program can't be started. `process.execve` is no way (node 24): where it fails, it aborts this
 * process with a native stack trace.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {() => void} [onInterrupted] called after the program has ended, if it was interrupted and failed.
 * @returns {Promise<never>}
 */
export function exec(file, args, env, onInterrupted = () => {}) {
  return new Promise((_, reject) => {
    const child = spawn(file, args, { stdio: "inherit", env });
    // A terminal signals the whole foreground group: the child has had it already, and to Pulumi a
    // second SIGINT means "stop at once".
    const terminal = [0, 1, 2].some((fd) => isatty(fd));
    let interrupted = false;
    for (const signal of /** @type {const} */ (["SIGINT", "SIGQUIT", "SIGHUP"])) {
      process.on(signal, () => {
        interrupted = true;
        if (!terminal) child.kill(signal);
      });
    }
    process.on("SIGTERM", () => child.kill("SIGTERM"));

    child.once("error", ({ message }) => reject(new Error(`${file} can't be started: ${message}`)));
    child.once("exit", (status, signal) => {
      if (interrupted && status !== 0) onInterrupted();
      if (!signal) process.exit(status);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  });
}
