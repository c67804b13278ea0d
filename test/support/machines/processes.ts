import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { leaveGroup } from "../../../tools/commands/cpu-group.ts";

/** Where a machine's programs are; and nothing else of this process' environment, which may have secrets. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };

export type NamespaceProcess = ReturnType<typeof startInNamespaces>;

/**
 * Starts a process in namespaces of its own. It ends with this process, even if that is killed; and with it end the
 * namespaces, the network devices in them, their mounts, and all processes of a PID namespace.
 *
 * @param namespaces options of `unshare`.
 */
export function startInNamespaces(
  namespaces: readonly string[],
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const args = ["--pdeathsig=KILL", "unshare", ...namespaces, "--", ...command];
  const started = execa("setpriv", args, {
    env: { ...ENVIRONMENT, ...env },
    extendEnv: false,
    // Ctrl-C is for this process, which ends them.
    detached: true,
    reject: false,
    buffer: { stdout: false },
  });
  leaveGroup(started.pid);
  return started;
}

/** Children of a process on this machine, of any PID namespace. */
export async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.split(" ").filter(Boolean).map(Number);
}

/** The name of a process' program; nothing if the process has ended. */
export async function programOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim();
}
