import { spawn } from "node:child_process";
import { isatty } from "node:tty";

/**
 * Runs a program in this process's place: the same terminal, the same signals, the same end. Where there is something
 * to be said after it, or node can't have it take over this process (before 22.15), this one waits for it. Resolves
 * never; rejects if the program can't be started.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {() => void} [onInterrupted] called once it has ended, if it was interrupted and failed.
 * @returns {Promise<never>}
 */
export function exec(file, args, env, onInterrupted) {
  if (!onInterrupted && process.execve) process.execve(file, [file, ...args], definedOnly(env));
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

    child.once("error", reject);
    child.once("exit", (status, signal) => {
      if (interrupted && status !== 0) onInterrupted?.();
      if (!signal) process.exit(status);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  });
}

/** @param {NodeJS.ProcessEnv} env */
function definedOnly(env) {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
