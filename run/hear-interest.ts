/**
 * Restores the interest between nodes that a change of accounts has lost, in this `up` or an earlier one: all nodes
 * know again what clients and streams on other nodes subscribe to. Run by a Command.
 */
import { withPoolSize } from "../lib/nodes/nats-conf.ts";
import { readConfig, writeConfig } from "../live/engine/node-config.ts";
import { listReachable } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { healInterest, renewRoutes } from "./route-interest.ts";
import { scriptVariables, trustOf } from "./variables.ts";

const variables = scriptVariables.pick({ OWNER: true, CA: true });

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER: owner, CA } = variables.parse(env);
  const own = await listReachable(enginesFromEnvironment(env), owner, trustOf(CA));
  const nodes = own.filter(({ state }) => state === "running");
  await healInterest(
    nodes,
    async ({ name }) => {
      const node = nodes.find((each) => each.name === name);
      if (!node) throw new Error(`${name} doesn't run`);
      const config = await readConfig(node);
      await renewRoutes(node, async (poolSize) => {
        const conf = poolSize === undefined ? config.conf : withPoolSize(config.conf, poolSize);
        await writeConfig(owner, node, { ...config, conf });
      });
    },
    console.error,
  );
}
