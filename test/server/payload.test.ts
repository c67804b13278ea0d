import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AccountPlan } from "../../lib/accounts/account-settings.ts";
import { renderAccountsConf } from "../../lib/nodes/nats-conf.ts";
import { payloadProblems } from "../../lib/plan/payload.ts";
import { completeConfig } from "../../lib/streams/stream-diff.ts";
import { closeConnections, openJetStream } from "../../live/jetstream/jetstream.ts";
import { AccountCluster } from "../support/account-cluster.ts";
import { eventually } from "../support/eventually.ts";

const MIB = 1024 ** 2;

function app(payload?: number): AccountPlan {
  return {
    name: "APP",
    users: [{ name: "app" }],
    limits: payload === undefined ? {} : { payload },
    jetStream: {},
    exports: [],
    imports: [],
  };
}

const render = (account: AccountPlan) =>
  renderAccountsConf({
    systemUser: "sys",
    accounts: [account],
    hashes: { sys: "sys", app: "app" },
    managers: {},
  });

let cluster: AccountCluster;

beforeAll(async () => {
  cluster = await AccountCluster.start(3, render(app()));
});
afterAll(async () => {
  await closeConnections();
  await cluster[Symbol.asyncDispose]();
});

const streams = () => {
  const urls = cluster.nodes.map(({ clientUrl }) => clientUrl);
  return openJetStream({ urls, user: "app", password: "app" }, "APP");
};

test("a node takes larger messages once it has reloaded, and the others store them", async () => {
  await eventually(async () => {
    await streams().create({ name: "BLOBS", subjects: ["blobs.*"], num_replicas: 3 });
    return true;
  });
  const [node] = cluster.nodes;
  if (!node) throw new Error("no node");
  const large = async () => {
    const client = await cluster.connect(node.name, "app", { reconnect: false });
    try {
      return (
        await client.request("blobs.a", new Uint8Array(2 * MIB), { timeout: 5_000 })
      ).string();
    } finally {
      await client.close();
    }
  };
  await expect(large()).rejects.toThrow(/max_payload/);
  await cluster.reload(node.name, { conf: `"max_payload": ${8 * MIB}\n${node.conf}` });
  expect(JSON.parse(await large())).toMatchObject({ stream: "BLOBS", seq: 1 });
  expect((await streams().info("BLOBS")).state.messages).toBe(1);
});

test("an account's limit that the plan takes lets the stack's own requests through, and not much less does", async () => {
  const config = { name: "ORDERS", subjects: ["orders.*"], description: "x".repeat(1_000) };
  const stream = { key: config.name, account: "APP", config };
  const isTaken = (payload: number) => payloadProblems(MIB, [app(payload)], [stream]).length === 0;
  let least = 1;
  while (!isTaken(least)) least += 1;
  const limit = async (payload: number) => {
    const accountsConf = render(app(payload));
    for (const { name } of cluster.nodes) await cluster.reload(name, { accountsConf });
    await closeConnections();
    await sleep(100);
  };
  await limit(least);
  const port = streams();
  await port.create(completeConfig(config));
  await port.update(completeConfig({ ...config, description: "y".repeat(1_000) }));
  expect(await port.names()).toContain("ORDERS");

  await limit(JSON.stringify(completeConfig(config)).length - 1);
  await expect(streams().update(completeConfig(config))).rejects.toThrow(
    /account APP: the account's limits.payload, or maxPayload, is less/,
  );
});
