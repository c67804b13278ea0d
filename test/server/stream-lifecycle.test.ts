import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Fleet } from "../../lib/placement/placement.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { JetStreamPort } from "../../live/jetstream/jetstream.ts";
import { openConfigured } from "../../providers/process/configured.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle, streamProvider } from "../../providers/streams/stream-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import { metaGroupOf } from "../support/meta-group.ts";
import type { TestCluster } from "../support/nats-cluster.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";
import { SEED_SERVERS } from "../support/seed.ts";

const ORDERS: StreamConfig = {
  name: "ORDERS",
  subjects: ["orders.>"],
  num_replicas: 3,
  placement: { tags: ["rg:2"] },
};
/** After which a leader no longer counts on a member that it doesn't hear (nats-server 2.15, `withinLiveWindow`). */
const LIVE_MS = 3_500;
const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);

let opened: OpenCluster;
let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;

beforeAll(async () => {
  opened = await openCluster();
  ({ cluster, port, client } = opened);
  const text = JSON.stringify(cluster.connection);
  await streamProvider.configure({ config: { get: () => text, require: () => text } });
});

afterAll(() => opened.close());

afterEach(async () => {
  for (const stream of ["ORDERS", "EVENTS"]) await port.delete(stream).catch(() => undefined);
});

async function planned(change: Partial<StreamConfig> = {}, olds: Partial<StreamInputs> = {}) {
  const config = { ...ORDERS, ...change };
  const { account } = cluster;
  const fleet = JSON.stringify(cluster.fleet);
  const news = { stream: config.name, account, config, policy: {}, fleet };
  const { inputs, failures } = await streamProvider.check(olds, news);
  expect(failures ?? []).toEqual([]);
  return inputs as StreamInputs;
}

async function created(change: Partial<StreamConfig> = {}): Promise<StreamOutputs> {
  return (await streamProvider.create(await planned(change))).outs;
}

async function updated(olds: StreamOutputs, news: StreamInputs): Promise<StreamOutputs> {
  return (await streamProvider.update(olds.stream, olds, news)).outs as StreamOutputs;
}

async function publish(count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    await client.request("orders.new", `${sent}`, { timeout: 5_000 });
  }
}

async function messages(): Promise<number> {
  return (await port.info("ORDERS")).state.messages;
}

describe("a stream on real servers", () => {
  it("is created on the planned hosts, the seed's two at once", async () => {
    const [orders, events] = await Promise.all([
      created(),
      created({ name: "EVENTS", subjects: ["events.>"], placement: { tags: ["xr:123"] } }),
    ]);
    expect(orders.replicas).toEqual(region(2));
    expect(events.replicas).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    expect(events.replicas).toContain(events.leader);
  });

  it("shows no difference afterwards, after a refresh either", async () => {
    const olds = await created();
    const news = await planned({}, olds);
    expect(await streamProvider.diff("ORDERS", olds, news)).toMatchObject({ changes: false });
    const { inputs, props } = await streamProvider.read("ORDERS", olds);
    const { leader: _l, replicas: _r, created: _c, ...written } = olds;
    expect(inputs).toEqual(written);
    expect(props).toEqual(olds);
  });

  it("moves to another region and back with its messages", async () => {
    const olds = await created();
    await publish(100);
    const moved = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }, olds));
    expect(moved.replicas).toEqual(region(3));
    expect(await messages()).toBe(100);
    const back = await updated(moved, await planned({}, moved));
    expect(back.replicas).toEqual(region(2));
    expect(await messages()).toBe(100);
  });

  it("scales down and up with its messages", async () => {
    const olds = await created();
    await publish(50);
    const one = await updated(olds, await planned({ num_replicas: 1 }, olds));
    expect(one.replicas).toHaveLength(1);
    const three = await updated(one, await planned({}, one));
    expect(three.replicas).toEqual(region(2));
    expect(await messages()).toBe(50);
  });

  it("moves and scales in one go, which the server refuses", async () => {
    const olds = await created();
    await publish(50);
    const small = { num_replicas: 1, placement: { tags: ["rg:1", "az:1"] } };
    const one = await updated(olds, await planned(small, olds));
    expect(one.replicas).toEqual(["rg1-az1"]);
    const three = await updated(one, await planned({ placement: { tags: ["rg:3"] } }, one));
    expect(three.replicas).toEqual(region(3));
    expect(await messages()).toBe(50);
  });

  it("gets its first placement and another number of replicas in one go", async () => {
    const { placement: _, ...unplaced } = ORDERS;
    const planWith = async (config: StreamConfig, olds: Partial<StreamInputs>) => {
      const { account } = cluster;
      const fleet = JSON.stringify(cluster.fleet);
      const news = { stream: config.name, account, config, policy: {}, fleet };
      const { inputs, failures } = await streamProvider.check(olds, news);
      expect(failures ?? []).toEqual([]);
      return inputs as StreamInputs;
    };
    const { outs } = await streamProvider.create(await planWith(unplaced, {}));
    await publish(50);
    const one = await updated(outs, await planned({ num_replicas: 1 }, outs));
    expect(region(2)).toContain(one.replicas[0]);
    const free = await updated(one, await planWith({ ...unplaced, num_replicas: 1 }, one));
    const three = await updated(free, await planned({ placement: { tags: ["rg:3"] } }, free));
    expect(three.replicas).toEqual(region(3));
    expect(await messages()).toBe(50);
  });

  it("moves, scales and turns to interest in one go", async () => {
    const olds = await created();
    const news = await planned(
      { num_replicas: 1, retention: "interest", placement: { tags: ["rg:3"] } },
      olds,
    );
    expect(region(3)).toContain((await updated(olds, news)).replicas[0]);
    expect((await port.info("ORDERS")).config).toMatchObject({ retention: "interest" });
  });

  it("is adopted where it means the same, and refused where it differs", async () => {
    await created({ placement: { tags: ["rg:2", "!none"] } });
    await expect(created({ placement: { tags: ["!none", "rg:2"] } })).resolves.toMatchObject({
      replicas: region(2),
    });
    const news = await planned({ placement: { tags: ["rg:2", "!none"] } });
    const config = { ...news.config, max_msgs: 5 };
    // In a run of its own, whose program doesn't have the stream yet.
    await expect(streamLifecycle(openConfigured).create({ ...news, config })).rejects.toThrow(
      /exists in account APP already with 0 messages \(0 B\), and differs \(maxMsgs: unlimited → 5\)/,
    );
  });

  it("reads as absent when it was deleted behind our back", async () => {
    const olds = await created();
    await port.delete("ORDERS");
    expect(await streamProvider.read("ORDERS", olds)).toEqual({ id: "" });
    await streamLifecycle(openConfigured).delete("ORDERS", olds);
  });

  it("is brought back when its servers are tagged otherwise", async () => {
    const olds = await created();
    await publish(50);
    const retagged = SEED_SERVERS.filter(({ name }) => /^rg[23]-az1$/.test(name));
    const swap = (tags: readonly string[]) =>
      tags.map((tag) => (tag === "rg:2" ? "rg:3" : tag === "rg:3" ? "rg:2" : tag));
    try {
      await cluster.retag(Object.fromEntries(retagged.map(({ name, tags }) => [name, swap(tags)])));
      const hosts = ["rg2-az2", "rg2-az3", "rg3-az1"];
      const outs = await updated(olds, { ...(await planned({}, olds)), hosts });
      expect(outs.replicas).toEqual(hosts);
      expect(await messages()).toBe(50);
      const { inputs } = await streamProvider.read("ORDERS", outs);
      expect(inputs).toMatchObject({ hosts, config: ORDERS });
    } finally {
      await cluster.retag(Object.fromEntries(retagged.map(({ name, tags }) => [name, tags])));
    }
  });

  it("is taken apart where its servers share a zone since it was placed", async () => {
    const { placement: _, ...config } = ORDERS;
    const news = { stream: "ORDERS", account: cluster.account, config, policy: {} };
    const planOn = async (fleet: Fleet, olds: Partial<StreamInputs>) => {
      const { inputs, failures } = await streamProvider.check(olds, {
        ...news,
        fleet: JSON.stringify(fleet),
      });
      expect(failures ?? []).toEqual([]);
      return inputs as StreamInputs;
    };
    const { outs } = await streamProvider.create(await planOn(cluster.fleet, {}));
    await publish(50);
    const [first = "", second = ""] = outs.replicas;
    const tagsOf = (host: string) => SEED_SERVERS.find(({ name }) => name === host)?.tags ?? [];
    const zone = tagsOf(first).find((tag) => tag.startsWith("az:")) ?? "";
    const moved = tagsOf(second).map((tag) => (tag.startsWith("az:") ? zone : tag));
    try {
      const fleet = await cluster.retag({ [second]: moved });
      const inputs = await planOn(fleet, outs);
      expect(await streamProvider.diff("ORDERS", outs, inputs)).toMatchObject({ changes: true });
      const apart = await updated(outs, inputs);
      expect(apart.replicas.filter((host) => host === first || host === second)).not.toHaveLength(
        2,
      );
      expect(await streamProvider.diff("ORDERS", apart, inputs)).toMatchObject({ changes: false });
      expect(await messages()).toBe(50);
    } finally {
      await cluster.retag({ [second]: tagsOf(second) });
    }
  });

  it("takes back what an interrupted run left under way, if it leads elsewhere", async () => {
    const olds = await created();
    await port.update({ ...ORDERS, placement: { tags: ["rg:1"] } });
    const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }, olds));
    expect(outs.replicas).toEqual(region(3));
  });

  it("comes back from a move that can't finish when the settings are put back", async () => {
    const olds = await created();
    await publish(50);
    const stopped = ["rg3-az1", "rg3-az2"];
    await cluster.pause(...stopped);
    try {
      // Longer than the meta group takes to elect another leader, should it have lost its own.
      const hasty = streamLifecycle(openConfigured, { patience: 10_000 });
      const news = await planned({ placement: { tags: ["rg:3"] } }, olds);
      const failure = await hasty.update("ORDERS", olds, news).catch((error: unknown) => error);
      expect((failure as Error).message).toMatch(
        /made no progress for 10 s: .*, or put its old settings back to have the change cancelled/,
      );
      const back = await updated(olds, await planned({}, olds));
      expect(back.replicas).toEqual(region(2));
      expect((await port.info("ORDERS")).config.placement).toEqual(ORDERS.placement);
      expect(await messages()).toBe(50);
    } finally {
      cluster.resume(...stopped);
    }
    const moved = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }, olds));
    expect(moved.replicas).toEqual(region(3));
    expect(await messages()).toBe(50);
  });

  it("is led from where its policy says, and again after it was led from elsewhere", async () => {
    const news = { ...(await planned()), policy: { leaders: ["rg2-az2"] } };
    const { outs } = await streamProvider.create(news);
    expect(outs).toMatchObject({ leader: "rg2-az2", replicas: region(2) });
    await port.stepDown("ORDERS", "rg2-az3");
    await eventually(async () => (await port.info("ORDERS")).cluster?.leader === "rg2-az3");
    const { inputs, props } = await streamProvider.read("ORDERS", outs);
    expect(inputs).toMatchObject({ policy: { leaders: ["rg2-az3"] } });
    const refreshed = props as StreamOutputs;
    expect(await streamProvider.diff("ORDERS", refreshed, news)).toMatchObject({ changes: true });
    expect(await updated(refreshed, news)).toMatchObject({ leader: "rg2-az2" });
  });

  it("does without a replica whose server hangs, although no message tells that it lacks any", async () => {
    const { outs } = await streamProvider.create({
      ...(await planned()),
      policy: { leaders: ["rg2-az1"] },
    });
    await publish(50);
    await cluster.pause("rg2-az2");
    try {
      await sleep(LIVE_MS);
      const one = await updated(outs, await planned({ num_replicas: 1 }, outs));
      expect(one.replicas).toEqual(["rg2-az1"]);
      expect(await messages()).toBe(50);
    } finally {
      cluster.resume("rg2-az2");
    }
  });

  it("gives up when a replica's server is down, and keeps the stream in the state", async () => {
    const olds = await created();
    const [node] = cluster.monitors;
    if (!node) throw new Error("no node");
    // Without its leader, the meta group would be what doesn't answer in time.
    const leaders = [olds.leader, (await metaGroupOf(node)).leader];
    const victim = olds.replicas.find((host) => !leaders.includes(host)) ?? "";
    const zone = victim.slice(-1);
    const across = { placement: { tags: [`az:${zone}`] } };
    await cluster.pause(victim);
    try {
      const hasty = streamLifecycle(openConfigured, { patience: 10_000 });
      const news = await planned(across, olds);
      const failure = await hasty.update("ORDERS", olds, news).catch((error: unknown) => error);
      expect(failure).toMatchObject({ id: "ORDERS", properties: { config: news.config } });
      expect((failure as Error).message).toMatch(/stream ORDERS made no progress for 10 s: ./);
    } finally {
      cluster.resume(victim);
    }
    const healed = await updated(olds, await planned(across, olds));
    expect(healed.replicas).toEqual([1, 2, 3].map((rg) => `rg${rg}-az${zone}`));
  });
});
