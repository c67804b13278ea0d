/** Writes a node's config: runs configure-node.sh with the same environment and arguments. */
import { spawnSync } from "node:child_process";
import { CONFIGURE_NODE } from "../live/engine/configure-node.ts";

export function main(env: NodeJS.ProcessEnv, args: readonly string[]): void {
  const { status } = spawnSync("sh", [CONFIGURE_NODE, ...args], { env, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
