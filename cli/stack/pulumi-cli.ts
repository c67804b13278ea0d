// No execa here: loading it takes `status` longer than asking a node.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { isatty } from "node:tty";
import { findCli, project, pulumiEnvironment, refusalOf } from "../pulumi/project.mjs";
import { UserError } from "../terminal/user-error.ts";

/** Runs a non-interactive Pulumi command. @returns its stdout. */
export async function askPulumi(args: readonly string[], stdin = ""): Promise<string> {
  const cli = findCli(process.env);
  if (!cli) {
    throw new UserError("Pulumi is not set up here yet: `npm run setup`, or `npm start` for all.");
  }
  const { env } = pulumiEnvironment(args, process.env);
  const PATH = [path.dirname(cli), env.PATH].join(path.delimiter);
  const options = { cwd: project, env: { ...env, PATH } };
  const child = spawn(cli, [...args, "--non-interactive"], options);
  // A command that ends without reading its stdin reports the reason on stderr.
  child.stdin.on("error", () => undefined).end(stdin);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (status === 0) return stdout;
  const reason = stderr.trim() || `It ended with ${status}.`;
  throw new UserError(`\`pulumi ${args.slice(0, 2).join(" ")}\` failed:\n${reason}`);
}

/** @throws UserError if `npx pulumi` would refuse a command, before anything is done for it. */
export function expectWillRun(args: readonly string[]): void {
  const refusal = refusalOf(args, process.env);
  if (refusal !== undefined) throw new UserError(refusal);
}

/** Runs a Pulumi command on this terminal, as `npx pulumi` does. @returns its exit status. */
export async function showPulumi(args: readonly string[]): Promise<number> {
  const wrapper = path.join(project, "cli", "pulumi", "pulumi.mjs");
  const child = spawn(process.execPath, [wrapper, ...args], { cwd: project, stdio: "inherit" });
  const takeBack = leaveSignalsTo(child);
  const [status] = await once(child, "close");
  takeBack();
  return typeof status === "number" ? status : 1;
}

/**
 * Lets Pulumi finish its current operations after an interrupt. A terminal sends the signal to the whole foreground
 * group, so Pulumi has received it already; a second one would make it stop at once.
 */
function leaveSignalsTo(child: ChildProcess): () => void {
  const terminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const forward = (signal: NodeJS.Signals) => {
    if (signal === "SIGTERM" || !terminal) child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}
