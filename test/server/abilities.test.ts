import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ownInbox } from "../../lib/accounts/abilities.ts";
import { requestedConfig } from "../../lib/consumers/consumer-diff.ts";
import { permitted } from "../support/attempts.ts";
import { NatsServer } from "../support/nats-server.ts";
import {
  accountsOf,
  PASSWORD_PLACEHOLDER,
  passwordOf,
  planOf,
} from "../support/planned-accounts.ts";

const withPassword = (can: object) => ({ ...PASSWORD_PLACEHOLDER, can });

const ACCOUNTS = {
  APP: {
    users: {
      maker: withPassword({ publish: ["ORDERS"] }),
      worker: withPassword({ consume: ["ORDERS/worker"] }),
      auditor: withPassword({ consume: ["ORDERS/audit"] }),
      setter: withPassword({ publish: ["CONFIG"] }),
      reader: withPassword({ read: ["CONFIG"] }),
      watcher: withPassword({ watch: ["CONFIG"], read: ["CONFIG"] }),
      keeper: withPassword({ watch: ["CONFIG"], consume: ["CONFIG/keeper"] }),
      simple: withPassword({ consume: ["ORDERS/worker"], inbox: "_INBOX" }),
      both: {
        ...withPassword({ publish: ["ORDERS"] }),
        permissions: { publish: { allow: ["elsewhere"], deny: ["orders.secret"] } },
      },
    },
  },
};

const STREAMS = {
  ORDERS: {
    subjects: ["orders.>"],
    allowDirect: true,
    consumers: {
      worker: {},
      other: {},
      audit: {
        deliverSubject: "audited.orders",
        deliverGroup: "auditors",
        flowControl: true,
        idleHeartbeat: "1s",
      },
    },
  },
  EVENTS: { subjects: ["events.>"], consumers: { sink: {} } },
  KV_CONFIG: {
    subjects: ["$KV.CONFIG.>"],
    allowDirect: true,
    allowRollup: true,
    maxMsgsPerSubject: 5,
    discard: "new",
    consumers: { keeper: {} },
  },
};

/** What each user may do of all that there is to try, and nothing else. */
const MAY = {
  maker: ["publish to ORDERS"],
  worker: [
    "get messages by worker",
    "acknowledge for worker",
    "look at worker",
    "hear what worker is answered",
  ],
  auditor: [
    "acknowledge for audit",
    "slow audit down",
    "look at audit",
    "hear what audit delivers, in its group",
  ],
  setter: ["set a key"],
  reader: [
    "look at CONFIG",
    "look at the account",
    "read CONFIG",
    "read CONFIG directly",
    "read a key",
  ],
  watcher: [
    "look at keeper",
    "look at CONFIG",
    "look at the account",
    "read CONFIG",
    "read CONFIG directly",
    "read a key",
    "make a consumer of CONFIG",
  ],
  keeper: [
    "get messages by keeper",
    "acknowledge for keeper",
    "look at keeper",
    "look at CONFIG",
    "look at the account",
    "make a consumer of CONFIG",
  ],
  simple: [
    "get messages by worker",
    "acknowledge for worker",
    "look at worker",
    "hear what anybody is answered",
  ],
  both: ["publish to ORDERS", "publish elsewhere"],
};

type User = keyof typeof MAY;

const REFUSED = /Permissions Violation/;

describe.each([
  ["as they are", ""],
  ["of the newer format", 'feature_flags { js_ack_fc_v2: true }\njetstream { domain: "here" }'],
])("acknowledgements %s", (_, options) => {
  let server: NatsServer;
  let admin: NatsConnection;
  const clients: NatsConnection[] = [];
  const plan = planOf(ACCOUNTS, { streams: STREAMS });

  const as = async (user: User | "user") => {
    const isSimple = user === "simple" || user === "user";
    const inbox = isSimple ? undefined : ownInbox(user);
    const client = await server.connect(user, passwordOf(user), inbox);
    clients.push(client);
    return client;
  };
  const publish = async (...subjects: string[]) => {
    for (const subject of subjects) await jetstream(admin).publish(subject, subject);
  };
  /** What there is of streams and consumers, and where consumers stand. */
  const state = async () => {
    const manager = await jetstreamManager(admin);
    const all = await Promise.all(
      plan.streams.map(async ({ name }) => {
        const { config, state } = await manager.streams.info(name);
        const consumers = await manager.consumers.list(name).next();
        return {
          config,
          first: state.first_seq,
          messages: state.messages,
          consumers: consumers
            .filter((consumer) => consumer.name !== "mine")
            .map(({ name, config }) => ({ name, config })),
        };
      }),
    );
    return { all, names: await manager.streams.names().next() };
  };

  beforeAll(async () => {
    server = await NatsServer.start(await accountsOf(plan), options);
  });

  afterAll(() => server[Symbol.asyncDispose]());

  beforeEach(async () => {
    admin = await as("user");
    const manager = await jetstreamManager(admin);
    for (const { config, consumers } of plan.streams) {
      const { name } = config;
      await admin.request(`$JS.API.STREAM.CREATE.${name}`, JSON.stringify(config));
      for (const { name: consumer, config } of consumers) {
        const request = { stream_name: name, config: requestedConfig(config) };
        const answer = await admin.request(
          `$JS.API.CONSUMER.CREATE.${name}.${consumer}`,
          JSON.stringify(request),
        );
        expect(answer.json()).not.toHaveProperty("error");
      }
    }
    expect(await manager.streams.names().next()).toHaveLength(3);
    await publish("orders.1", "orders.2", "events.1", "$KV.CONFIG.colour", "$KV.CONFIG.size");
  });

  afterEach(async () => {
    const manager = await jetstreamManager(admin);
    for (const name of await manager.streams.names().next()) await manager.streams.delete(name);
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  test.each(Object.entries(MAY) as [User, string[]][])("%s may do just that", async (user, may) => {
    const before = await state();
    const client = await as(user);
    expect((await permitted(client)).toSorted()).toEqual(may.toSorted());
    const after = await state();
    // What could be published was.
    const sizes = ({ all }: typeof before) => all.map(({ messages }) => messages);
    const wasPublished = (stream: string | undefined) =>
      may.includes(stream === "KV_CONFIG" ? "set a key" : `publish to ${stream}`);
    expect(sizes(after)).toEqual(
      sizes(before).map((size, index) => size + Number(wasPublished(plan.streams[index]?.name))),
    );
    const others = ({ all, names }: typeof before) => ({
      names,
      all: all.map(({ messages: _, ...rest }) => rest),
    });
    expect(others(after)).toEqual(others(before));
  });

  test("a user without limits may do all of it", async () => {
    const client = await as("user");
    const all = await permitted(client);
    expect(all).toEqual(expect.arrayContaining([...new Set(Object.values(MAY).flat())]));
  });

  test("publishers get their acknowledgements", async () => {
    const { stream, seq } = await jetstream(await as("maker")).publish("orders.3", "three");
    expect({ stream, seq }).toEqual({ stream: "ORDERS", seq: 3 });
  });

  test("what permissions deny stays denied", async () => {
    const both = jetstream(await as("both"));
    await both.publish("orders.3");
    await expect(both.publish("orders.secret")).rejects.toThrow(REFUSED);
  });

  test.each(["worker", "simple"] as const)(
    "%s fetches, acknowledges and gives back",
    async (user) => {
      const consumer = await jetstream(await as(user)).consumers.get("ORDERS", "worker");
      const [first, second] = [await consumer.next(), await consumer.next()];
      expect(await first?.ackAck()).toBe(true);
      second?.nak();
      const again = await consumer.next();
      expect(again?.info).toMatchObject({ streamSequence: 2, deliveryCount: 2 });
      expect(await again?.ackAck()).toBe(true);
      const { ack_floor } = await consumer.info();
      expect(ack_floor.stream_seq).toBe(2);
      const consumed = await consumer.consume();
      await publish("orders.3");
      for await (const message of consumed) {
        expect(message.subject).toBe("orders.3");
        break;
      }
    },
  );

  test("auditor is pushed messages, answers flow control and acknowledges", async () => {
    const consumer = await jetstream(await as("auditor")).consumers.getPushConsumer(
      "ORDERS",
      "audit",
    );
    const consumed = await consumer.consume();
    // So many that the server asks how the client gets on.
    const payload = "x".repeat(10_000);
    for (let index = 0; index < 500; index++) admin.publish(`orders.${index}`, payload);
    await admin.flush();
    let count = 0;
    for await (const message of consumed) {
      message.ack();
      count++;
      if (message.info.pending === 0 && count >= 502) break;
    }
    expect(count).toBe(502);
    await expect
      .poll(async () => (await consumer.info()).ack_floor.stream_seq, { timeout: 5_000 })
      .toBe(502);
  });

  test("setter puts, deletes and purges keys, by the bucket's name", async () => {
    const kv = await new Kvm(jetstream(await as("setter"))).open("CONFIG");
    await kv.put("colour", "blue");
    await kv.delete("size");
    await kv.purge("colour");
    const seen = await new Kvm(admin).open("CONFIG");
    expect((await seen.get("size"))?.operation).toBe("DEL");
    expect((await seen.get("colour"))?.operation).toBe("PURGE");
    await expect(kv.get("colour")).rejects.toThrow(REFUSED);
  });

  test.each([true, false])("reader gets keys and messages (directly: %s)", async (direct) => {
    const client = await as("reader");
    const kv = await new Kvm(jetstream(client)).open("CONFIG", { allow_direct: direct });
    expect((await kv.get("colour"))?.string()).toBe("$KV.CONFIG.colour");
    await expect(kv.put("colour", "red")).rejects.toThrow(REFUSED);
    await expect(kv.watch()).rejects.toThrow(REFUSED);
    const manager = await jetstreamManager(client);
    expect((await manager.streams.info("KV_CONFIG")).state.messages).toBe(2);
    const batch = await manager.direct.getBatch("KV_CONFIG", { seq: 1, batch: 10 });
    const subjects: string[] = [];
    for await (const { subject } of batch) subjects.push(subject);
    expect(subjects).toEqual(["$KV.CONFIG.colour", "$KV.CONFIG.size"]);
  });

  test("watcher follows a bucket, lists keys, and reads in order", async () => {
    const client = await as("watcher");
    const kv = await new Kvm(jetstream(client)).open("CONFIG", { allow_direct: true });
    const watched = await kv.watch();
    const keys: string[] = [];
    for await (const { key } of watched) {
      keys.push(key);
      if (keys.length === 2) await publish("$KV.CONFIG.shape");
      if (keys.length === 3) break;
    }
    expect(keys).toEqual(["colour", "size", "shape"]);
    const listed: string[] = [];
    for await (const key of await kv.keys()) listed.push(key);
    expect(listed.toSorted()).toEqual(["colour", "shape", "size"]);
    const ordered = await jetstream(client).consumers.get("KV_CONFIG");
    const subjects: string[] = [];
    for await (const { subject } of await ordered.fetch({ max_messages: 3 }))
      subjects.push(subject);
    expect(subjects).toHaveLength(3);
  });

  test("clients that are told of no prefix are refused, but for simple", async () => {
    const client = await server.connect("worker", passwordOf("worker"));
    clients.push(client);
    await expect(jetstream(client).consumers.get("ORDERS", "worker")).rejects.toThrow(REFUSED);
  });
});
