import { headers, type NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import {
  type JetStreamPort,
  openJetStream,
  type StoredMessage,
} from "../../live/jetstream/jetstream.ts";
import { backupOf } from "../../providers/streams/recreate.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { type StreamLifecycle, streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import type { TestCluster } from "../support/nats-cluster.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";
import { SEED_SERVERS } from "../support/seed.ts";

const ORDERS: StreamConfig = { name: "ORDERS", subjects: ["orders.>"], num_replicas: 3 };
const VIA_BACKUP = { recreate: "viaBackup" } as const;

let opened: OpenCluster;
let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;
/** Sees every request that changes something, before it is sent. */
let onChange: () => void = () => undefined;

const open = (account: string): JetStreamPort => {
  const real = openJetStream(cluster.connection, account);
  const changing =
    <Args extends unknown[]>(request: (...args: Args) => Promise<void>) =>
    async (...args: Args) => {
      onChange();
      await request(...args);
    };
  return {
    ...real,
    create: changing(real.create),
    update: changing(real.update),
    delete: changing(real.delete),
  };
};

let lifecycle: StreamLifecycle;

/** As another `up` begins. */
function nextRun(): void {
  lifecycle = streamLifecycle(open);
}

beforeEach(nextRun);

beforeAll(async () => {
  opened = await openCluster(SEED_SERVERS.filter(({ name }) => name.startsWith("rg2")));
  ({ cluster, port, client } = opened);
});

afterAll(() => opened.close());

afterEach(async () => {
  onChange = () => undefined;
  for (const stream of ["ORDERS", backupOf("ORDERS")]) {
    await port.delete(stream).catch(() => undefined);
  }
});

async function check(
  change: Partial<StreamConfig>,
  policy: StreamPolicy,
  olds: Partial<StreamInputs> = {},
) {
  const { account, fleet } = cluster;
  const config = { ...ORDERS, ...change };
  const news = { stream: config.name, account, config, policy, fleet };
  const { inputs, failures = [] } = await lifecycle.check(olds, news);
  return { inputs: inputs as StreamInputs, reasons: failures.map(({ reason }) => reason) };
}

async function planned(
  change: Partial<StreamConfig>,
  policy: StreamPolicy,
  olds: Partial<StreamInputs> = {},
): Promise<StreamInputs> {
  const { inputs, reasons } = await check(change, policy, olds);
  expect(reasons).toEqual([]);
  return inputs;
}

async function created(change: Partial<StreamConfig> = {}): Promise<StreamOutputs> {
  return (await lifecycle.create(await planned(change, {}))).outs;
}

async function updated(olds: StreamOutputs, news: StreamInputs): Promise<StreamOutputs> {
  return (await lifecycle.update("ORDERS", olds, news)).outs as StreamOutputs;
}

/** Publishes messages with headers, and leaves a gap among them. */
async function fill(count: number): Promise<void> {
  for (let sent = 1; sent <= count; sent++) {
    const header = headers();
    header.set("Number", `${sent}`);
    // Not every server has heard of a new stream at once.
    await eventually(async () => {
      await client.request(`orders.${sent % 7}`, `${sent}`, { headers: header, timeout: 5_000 });
      return true;
    });
  }
  await client.request("$JS.API.STREAM.MSG.DELETE.ORDERS", JSON.stringify({ seq: 5 }));
}

async function contents(): Promise<StoredMessage[]> {
  const { state } = await port.info("ORDERS");
  const numbers = Array.from(
    { length: state.last_seq - state.first_seq + 1 },
    (_, index) => state.first_seq + index,
  );
  const messages = await Promise.all(numbers.map((seq) => port.message("ORDERS", seq)));
  return messages.filter((message) => message !== undefined);
}

async function isGone(stream: string): Promise<boolean> {
  return await port.info(stream).then(
    () => false,
    () => true,
  );
}

describe("a change that only a new stream could satisfy", () => {
  it("is refused with the number of messages at risk, and ways out", async () => {
    const olds = await created();
    await fill(40);
    const { reasons } = await check({ storage: "memory" }, {}, olds);
    expect(reasons).toEqual([
      expect.stringMatching(/^storage: file → memory: .*ORDERS holds 39 messages \(.*viaBackup/),
    ]);
  });

  it.each([
    ["another storage", {}, { storage: "memory" }],
    ["a work queue", {}, { retention: "workqueue" }],
    ["a work queue no more", { retention: "workqueue" }, {}],
    ["no denial of deletes", { deny_purge: true }, {}],
    ["asynchronous persistence", {}, { persist_mode: "async", num_replicas: 1 }],
  ] as const)("keeps number, time, headers of every message: %s", async (_, from, to) => {
    const olds = await created(from);
    await fill(300);
    const before = await contents();
    expect(before).toHaveLength(299);
    const news = await planned(to, VIA_BACKUP, olds);
    const { config } = await updated(olds, news);
    expect(await contents()).toEqual(before);
    expect((await port.info("ORDERS")).config).toMatchObject(to);
    expect(config).toEqual(news.config);
    expect(await isGone(backupOf("ORDERS"))).toBe(true);
    const ack = await client.request("orders.new", "after", { timeout: 5_000 });
    expect(ack.json()).toMatchObject({ stream: "ORDERS", seq: 301 });
  });

  it("loses nothing when it is interrupted at any of its steps, and publishers go on", async () => {
    const acknowledged = new Set<string>();
    let publishing = true;
    const publisher = (async () => {
      for (let number = 0; publishing; number++) {
        const ack = await client
          .request("orders.load", `load ${number}`, { timeout: 2_000 })
          .then((reply) => reply.json<{ seq?: number }>())
          .catch(() => ({ seq: undefined }));
        if (ack.seq) acknowledged.add(`load ${number}`);
        else await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    let olds = await created();
    let storage: "memory" | "file" = "memory";
    let interruptions = 0;
    for (let steps = 0; ; steps++) {
      const news = await planned({ storage }, VIA_BACKUP, olds);
      let left = steps;
      onChange = () => {
        if (left-- === 0) throw new Error("killed");
      };
      const killed = await updated(olds, news).then(
        () => false,
        () => true,
      );
      onChange = () => undefined;
      if (!killed) break;
      interruptions += 1;
      nextRun();
      olds = await updated(olds, await planned({ storage }, VIA_BACKUP, olds));
      storage = storage === "memory" ? "file" : "memory";
    }
    publishing = false;
    await publisher;
    const stored = new Set((await contents()).map(({ data = "" }) => atob(data)));
    const lost = [...acknowledged].filter((text) => !stored.has(text));
    console.log(
      `${interruptions} interruptions, ${acknowledged.size} acknowledged, ${lost.length} lost`,
    );
    expect(interruptions).toBeGreaterThanOrEqual(6);
    expect(acknowledged.size).toBeGreaterThan(50);
    expect(lost).toEqual([]);
    expect(await isGone(backupOf("ORDERS"))).toBe(true);
  }, 120_000);

  it("is not begun where consumers would be lost", async () => {
    const olds = await created();
    await fill(10);
    const consumer = {
      stream_name: "ORDERS",
      config: { durable_name: "C", ack_policy: "explicit" },
    };
    await client.request("$JS.API.CONSUMER.DURABLE.CREATE.ORDERS.C", JSON.stringify(consumer));
    const { reasons } = await check({ storage: "memory" }, VIA_BACKUP, olds);
    expect(reasons).toEqual([expect.stringContaining("its 1 consumer would be lost")]);
  });

  it("lets the messages go where the settings say so", async () => {
    const olds = await created();
    await fill(10);
    const news = await planned({ storage: "memory" }, { allowDataLoss: true }, olds);
    await updated(olds, news);
    const { config, state } = await port.info("ORDERS");
    expect(config.storage).toBe("memory");
    expect(state.messages).toBe(0);
  });

  it("never makes a stream empty whose messages wait in a copy", async () => {
    const olds = await created();
    await fill(20);
    const before = await contents();
    const news = await planned({ storage: "memory" }, VIA_BACKUP, olds);
    // Closed, copied, the copy promoted, deleted: the next would be the new stream.
    let left = 4;
    onChange = () => {
      if (left-- === 0) throw new Error("killed");
    };
    await expect(updated(olds, news)).rejects.toThrow("killed");
    onChange = () => undefined;
    expect(await isGone("ORDERS")).toBe(true);
    nextRun();
    const forgetful = await planned({ storage: "memory" }, {});
    await expect(lifecycle.create(forgetful)).rejects.toThrow(/its 19 messages are in stream/);
    await lifecycle.create(await planned({ storage: "memory" }, VIA_BACKUP));
    expect(await contents()).toEqual(before);
  });
});

describe("a stream whose making anew didn't come to an end, with its old settings", () => {
  /** Ends an `up` after it has sent some requests. */
  async function interrupt(olds: StreamOutputs, requests: number): Promise<void> {
    const news = await planned({ storage: "memory" }, VIA_BACKUP, olds);
    let left = requests;
    onChange = () => {
      if (left-- === 0) throw new Error("killed");
    };
    await expect(updated(olds, news)).rejects.toThrow("killed");
    onChange = () => undefined;
    nextRun();
  }
  const unfinished = async (olds: StreamOutputs): Promise<StreamInputs> => ({
    ...(await planned({}, {}, olds)),
    unfinished: true,
  });

  it.each([1, 2, 3])("takes messages again, %i requests later", async (requests) => {
    const olds = await created();
    await fill(20);
    const before = await contents();
    await interrupt(olds, requests);
    const news = await unfinished(olds);
    expect(await lifecycle.diff("ORDERS", olds, news)).toMatchObject({ changes: true });
    const outs = await updated(olds, news);
    expect(outs).not.toHaveProperty("unfinished");
    expect(await contents()).toEqual(before);
    expect((await port.info("ORDERS")).config.subjects).toEqual(ORDERS.subjects);
    expect(await isGone(backupOf("ORDERS"))).toBe(true);
  });

  it.each([4, 5])(
    "keeps the copy where that has its messages, %i requests later",
    async (requests) => {
      const olds = await created();
      await fill(20);
      const before = await contents();
      await interrupt(olds, requests);
      const news = await unfinished(olds);
      await expect(updated(olds, news)).rejects.toThrow(/its 19 messages are in stream/);
      await updated(olds, await planned({ storage: "memory" }, VIA_BACKUP, olds));
      expect(await contents()).toEqual(before);
    },
  );
});

describe("a stream that is there already", () => {
  it("is refused with what it holds, unless it is adopted", async () => {
    await port.create({ ...ORDERS, max_msgs: 500 });
    await fill(10);
    const { reasons } = await check({}, {});
    expect(reasons).toEqual([
      expect.stringMatching(
        /exists in account APP already with 9 messages.*maxMsgs: 500.*adopt: true/,
      ),
    ]);
    const { outs } = await lifecycle.create(await planned({}, { adopt: true }));
    expect(outs.replicas).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    expect((await port.info("ORDERS")).config.max_msgs).toBe(-1);
    expect(await contents()).toHaveLength(9);
  });

  it("is not adopted at the price of its messages", async () => {
    await port.create(ORDERS);
    await fill(10);
    const { reasons } = await check({ max_msgs: 2 }, { adopt: true });
    expect(reasons).toEqual([expect.stringContaining("7 of its 9 messages")]);
  });
});
