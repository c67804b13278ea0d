import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OLDEST } from "../../lib/nodes/versions.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import {
  closeConnections,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { retry } from "../../live/jetstream/patience.ts";
import { observeCluster } from "../../live/monitoring/observe-cluster.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { provideServer } from "../support/older-server.ts";

const version = OLDEST.join(".");
const ORDERS: StreamConfig = {
  name: "ORDERS",
  subjects: ["orders.>"],
  num_replicas: 3,
  placement: { tags: ["rg:2"] },
};
const MESSAGES = 50;
const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);
const at = (tag: string): Partial<StreamConfig> => ({ placement: { tags: [tag] } });

describe(`nats-server ${version}, the oldest that is accepted`, () => {
  let cluster: TestCluster;
  let port: JetStreamPort;
  let client: NatsConnection;
  let outs: StreamOutputs;

  const lifecycle = (patience = 60_000) =>
    streamLifecycle((account) => openJetStream(cluster.connection, account), { patience });

  beforeAll(async () => {
    // The first time it has to be built.
    cluster = await startCluster(undefined, undefined, await provideServer(version));
    port = openJetStream(cluster.connection, cluster.account);
    const { urls, user, password } = cluster.connection;
    client = await connect({ servers: [...urls], user, pass: password });
    outs = (await lifecycle().create(await planned({}))).outs;
    for (let sent = 0; sent < MESSAGES; sent++) {
      await client.request("orders.new", `${sent}`, { timeout: 5_000 });
    }
  }, 300_000);

  afterAll(async () => {
    await client?.close();
    await closeConnections();
    await cluster?.stop();
  });

  async function planned(
    change: Partial<StreamConfig>,
    policy: StreamPolicy = {},
    olds: Partial<StreamInputs> = {},
  ): Promise<StreamInputs> {
    const { account, fleet } = cluster;
    const news = { stream: "ORDERS", account, config: { ...ORDERS, ...change }, policy, fleet };
    const { inputs, failures } = await lifecycle().check(olds, news);
    expect(failures ?? []).toEqual([]);
    return inputs as StreamInputs;
  }

  async function update(change: Partial<StreamConfig>, policy: StreamPolicy = {}): Promise<void> {
    const news = await planned(change, policy, outs);
    outs = (await lifecycle().update("ORDERS", outs, news)).outs as StreamOutputs;
    const { config, state, cluster: group } = await port.info("ORDERS");
    expect(config).toMatchObject(change);
    expect(state.messages).toBe(MESSAGES);
    const others = (group?.replicas ?? []).map(({ name }) => name);
    expect([group?.leader, ...others].sort()).toEqual([...outs.replicas]);
  }

  it.each<[string, Partial<StreamConfig>, readonly string[]]>([
    ["moves", at("rg:3"), region(3)],
    ["moves across regions", at("xr:123"), ["rg1-az1", "rg2-az2", "rg3-az3"]],
    ["moves back", {}, region(2)],
    ["moves and scales down", { ...at("rg:1"), num_replicas: 1 }, region(1)],
    ["scales up", at("rg:1"), region(1)],
    ["moves and scales up", { ...at("rg:2"), num_replicas: 3 }, region(2)],
  ])("a stream %s with its messages", async (_, change, hosts) => {
    await update(change);
    expect(hosts).toEqual(expect.arrayContaining([...outs.replicas]));
  });

  it("takes up what an interrupted run left under way, and leads elsewhere", async () => {
    // The stream may be at the end of what it did before: the product itself asks again then.
    const pace = { patience: 10_000, silence: 10_000, pause: 100 };
    await retry(() => port.update({ ...ORDERS, ...at("rg:1") }), pace);
    await update(at("rg:3"));
    expect(outs.replicas).toEqual(region(3));
  });

  it("leads a stream from where its policy says", async () => {
    await update(at("rg:3"), { leaders: ["rg3-az2"] });
    expect(outs.leader).toBe("rg3-az2");
  });

  it("makes a stream anew by way of a copy", async () => {
    await update({ ...at("rg:3"), storage: "memory" }, { recreate: "viaBackup" });
    await update(at("rg:3"), { recreate: "viaBackup" });
  });

  it("says what a move waits for, and that it can't be taken back", async () => {
    const news = await planned(at("rg:2"), {}, outs);
    const stopped = region(2).slice(0, 2);
    await cluster.pause(...stopped);
    try {
      await expect(lifecycle(10_000).update("ORDERS", outs, news)).rejects.toThrow(
        /made no progress for 10 s: rg2-az1 is .*, rg2-az2 is .*; servers before 2\.15 can't take a move back/,
      );
      const looks = cluster.monitors.filter(({ name }) => !stopped.includes(name));
      const { streams } = await observeCluster(looks);
      expect(streams).toMatchObject([{ name: "ORDERS", isChanging: true }]);
    } finally {
      cluster.resume(...stopped);
    }
    await eventually(async () => (await port.info("ORDERS")).cluster?.leader !== undefined);
    await update(at("rg:3"));
    expect(outs.replicas).toEqual(region(3));
    expect((await observeCluster(cluster.monitors)).streams).toMatchObject([{ isChanging: false }]);
  });
});
