import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** A process of the operating system. */
interface Process {
  readonly parent: number;
  readonly args: readonly string[];
}

const TEARS_DOWN: ReadonlySet<string> = new Set(["destroy", "down", "dn"]);

/**
 * Whether a command line of Pulumi's CLI destroys a stack. Pulumi doesn't tell the programs that it starts which
 * command it runs.
 */
export function isTeardown(args: readonly string[]): boolean {
  return args.some((arg) => TEARS_DOWN.has(arg));
}

/**
 * The arguments of the Pulumi CLI that started this process, directly or through other processes.
 *
 * @returns undefined if no CLI started it, or if the system doesn't say.
 */
export async function findPulumiCommand(): Promise<readonly string[] | undefined> {
  let pid = process.ppid;
  while (pid > 1) {
    const found = await lookAt(pid);
    if (!found) return undefined;
    const [program = ""] = found.args;
    if (path.basename(program) === "pulumi") return found.args.slice(1);
    pid = found.parent;
  }
  return undefined;
}

async function lookAt(pid: number): Promise<Process | undefined> {
  return (await lookInProc(pid)) ?? (await askPs(pid));
}

/** Linux. */
async function lookInProc(pid: number): Promise<Process | undefined> {
  try {
    const [status, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/status`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ]);
    const [, parent] = /^PPid:\s*(\d+)/m.exec(status) ?? [];
    return { parent: Number(parent), args: commandLine.split("\0").slice(0, -1) };
  } catch {
    return undefined;
  }
}

/** Other systems. */
async function askPs(pid: number): Promise<Process | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "ppid=,args=", "-p", `${pid}`]);
    const [parent, ...args] = stdout.trim().split(/\s+/);
    return { parent: Number(parent), args };
  } catch {
    return undefined;
  }
}
