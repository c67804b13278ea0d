/**
 * Announces new accounts to all nodes before any node gets their users and imports. A node drops what others tell it
 * about subscriptions in accounts that it doesn't know, and isn't told again (nats-server 2.15, route.go,
 * `processRemoteSub`). Run by a Command.
 *
 * stdout: the time of the run, on which later steps depend.
 */
import { withAccounts } from "../lib/nodes/nats-conf.ts";
import { readConfig, writeConfig } from "../live/engine/node-config.ts";
import { listReachable } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { scriptVariables, trustOf } from "./variables.ts";

const variables = scriptVariables.pick({ OWNER: true, ACCOUNTS: true, CA: true });

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER: owner, ACCOUNTS: accounts, CA } = variables.parse(env);
  const own = await listReachable(enginesFromEnvironment(env), owner, trustOf(CA));
  // A node that is down learns all accounts when it starts.
  const nodes = own.filter(({ state }) => state === "running");
  await Promise.all(
    nodes.map(async (node) => {
      const config = await readConfig(node);
      const accountsConf = withAccounts(config.accountsConf, accounts);
      if (accountsConf === config.accountsConf) return;
      await writeConfig(owner, node, { ...config, accountsConf });
    }),
  );
  console.log(new Date().toISOString());
}
