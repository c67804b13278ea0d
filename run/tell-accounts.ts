/**
 * Has all nodes know the accounts that are to come, before any of them has their users and imports: a node drops what
 * others tell it of subscriptions in accounts that it doesn't know, and doesn't hear of them again (nats-server 2.15,
 * route.go, `processRemoteSub`). Run by a Command.
 *
 * OWNER: `label=value` of the containers. ACCOUNTS: JSON list of the names of all accounts.
 * CA: PEM of the authorities that certify nodes, where they have TLS. stdout: when it ran, which others go by.
 */
import { z } from "zod";
import { withAccounts } from "../lib/nodes/nats-conf.ts";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { readConfig, writeConfig } from "../live/engine/node-config.ts";
import { listOwnNodes, type OwnNode, readOwner } from "../live/engine/own-nodes.ts";
import { runScript } from "./leaving-nodes.ts";

const engine = engineFromEnvironment();
const ACCOUNTS = z.array(z.string()).parse(JSON.parse(process.env.ACCOUNTS ?? ""));

await runScript(async () => {
  const nodes = await listOwnNodes(engine, readOwner());
  // One that is down is told of all there is when it is back.
  await Promise.all(nodes.filter(({ state }) => state === "running").map(tell));
  console.log(new Date().toISOString());
});

async function tell(node: OwnNode): Promise<void> {
  const config = await readConfig(engine, node.container);
  const accountsConf = withAccounts(config.accountsConf, ACCOUNTS);
  if (accountsConf === config.accountsConf) return;
  await writeConfig(engine, node, { ...config, accountsConf });
}
