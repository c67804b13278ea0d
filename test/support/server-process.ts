import { type ChildProcess, spawn } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";
import { leaveGroup } from "../../tools/commands/cpu-group.ts";

export const BINARY = path.join(
  process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"),
  "nats-regions/bin/nats-server",
);

/**
 * Starts a nats-server beside the tests' group of processes, as one in a container is.
 *
 * @param binary path, possibly of another version.
 */
export function startProcess(args: readonly string[], binary = BINARY): ChildProcess {
  const child = spawn(binary, args, { stdio: "ignore" });
  leaveGroup(child.pid);
  return child;
}
