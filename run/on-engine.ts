/**
 * Runs a shell command with the environment that leads `docker` to one of the cluster's engines. Run by Commands.
 *
 *   on-engine KEY COMMAND
 */
import { spawnSync } from "node:child_process";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";

export function main(env: NodeJS.ProcessEnv, [key, command = ""]: readonly string[]): void {
  const engine = enginesFromEnvironment(env).find((each) => each.key === key);
  if (!engine) throw new Error(`there is no engine ${key}`);
  const { status } = spawnSync("sh", ["-c", command], {
    env: engine.environment(),
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
