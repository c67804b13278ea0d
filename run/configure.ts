/**
 * Writes a node's config: runs configure-node.sh with the same environment and arguments.
 *
 *   --first-leader   also has the server of a new node win the first election of its meta group
 */
import { spawnSync } from "node:child_process";
import { CONFIGURE_NODE } from "../live/engine/configure-node.ts";

const FIRST_LEADER = "--first-leader";

export async function main(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const others = args.filter((each) => each !== FIRST_LEADER);
  const variables = others.length < args.length ? await firstTerm() : {};
  const onEngine = env.ENGINES === undefined ? env : await engineVariables(env);
  const { status } = spawnSync("sh", [CONFIGURE_NODE, ...others], {
    env: { ...onEngine, ...variables },
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}

/** The environment that leads `docker` to the node's engine. */
async function engineVariables(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const { enginesFromEnvironment } = await import("../live/engine/told-engines.ts");
  const engine = enginesFromEnvironment(env).find(({ key }) => key === env.ENGINE);
  if (!engine) throw new Error(`there is no engine ${env.ENGINE}`);
  return engine.environment();
}

/** Loaded for one node only: each of them starts this script. */
async function firstTerm(): Promise<{ readonly FIRST_TERM: string }> {
  const { packFirstTerm } = await import("../lib/nodes/first-term.ts");
  return { FIRST_TERM: packFirstTerm() };
}
