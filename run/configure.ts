import { spawnSync } from "node:child_process";
import { CONFIGURE_NODE } from "../live/engine/configure-node.ts";

const { status } = spawnSync("sh", [CONFIGURE_NODE, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
