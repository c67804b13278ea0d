/**
 * Has all nodes hear what clients and streams elsewhere want, where a change of accounts, of this `up` or an earlier
 * one, had that lost. Run by a Command.
 *
 * OWNER: `label=value` of the containers. CA: PEM of the authorities that certify nodes, where they have TLS.
 */
import { withPoolSize } from "../lib/nodes/nats-conf.ts";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { readConfig, writeConfig } from "../live/engine/node-config.ts";
import { listOwnNodes, readOwner } from "../live/engine/own-nodes.ts";
import { runScript } from "./leaving-nodes.ts";
import { healInterest, renewRoutes } from "./route-interest.ts";

const engine = engineFromEnvironment();

await runScript(async () => {
  const own = await listOwnNodes(engine, readOwner());
  const nodes = own.filter(({ state }) => state === "running");
  await healInterest(
    nodes,
    async ({ name }) => {
      const node = nodes.find((each) => each.name === name);
      if (!node) throw new Error(`${name} doesn't run`);
      const config = await readConfig(engine, node.container);
      await renewRoutes(node, async (poolSize) => {
        const conf = poolSize === undefined ? config.conf : withPoolSize(config.conf, poolSize);
        await writeConfig(engine, node, { ...config, conf });
      });
    },
    console.error,
  );
});
