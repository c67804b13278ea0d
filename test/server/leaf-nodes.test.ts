import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type NatsConnection } from "nats";
import { afterEach, beforeEach, expect, test } from "vitest";
import { renderAccountsConf } from "../../lib/nodes/nats-conf.ts";
import { healInterest } from "../../run/route-interest.ts";
import { AccountCluster } from "../support/account-cluster.ts";
import { simpleAccounts } from "../support/accounts.ts";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/own-ports.ts";
import { startProcess } from "../support/server-process.ts";

let cluster: AccountCluster;
let folder: string;
let leafNode: ChildProcess;
let local: NatsConnection;

beforeEach(async () => {
  cluster = await AccountCluster.start(
    3,
    renderAccountsConf(simpleAccounts({ sys: "sys", user: "user" })),
  );
  folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
});

afterEach(async () => {
  await local.close();
  const exit = once(leafNode, "exit");
  leafNode.kill("SIGKILL");
  await exit;
  await cluster[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test.each([
  ["below one of the nodes", { hub: false, nodes: 1 }],
  ["that is the hub of each node", { hub: true, nodes: 3 }],
])("what a leaf node %s wants is no reason to make routes anew", async (_, { hub, nodes }) => {
  const remotes = cluster.nodes
    .slice(0, nodes)
    .map(({ leafAddress }) => ({ url: `nats-leaf://user:user@${leafAddress}`, hub }));
  const [port] = await freePorts(1);
  const file = path.join(folder, "nats.conf");
  await writeFile(file, JSON.stringify({ listen: `127.0.0.1:${port}`, leafnodes: { remotes } }));
  leafNode = startProcess(["-c", file]);
  local = await connect({ servers: `127.0.0.1:${port}`, waitOnFirstConnect: true });
  const heard: string[] = [];
  local.subscribe("bills.*", { callback: (_, { subject }) => void heard.push(subject) });
  local.subscribe("bills.*", { queue: "q", callback: () => {} });
  await local.flush();
  await using client = await cluster.connect("n0", "user");
  await eventually(async () => {
    client.publish("bills.1");
    await client.flush();
    return heard.length > 0;
  });

  const said: string[] = [];
  const renew = async () => expect.unreachable();
  await healInterest(cluster.nodes, renew, (line) => void said.push(line));
  expect(said).toEqual([]);
});
