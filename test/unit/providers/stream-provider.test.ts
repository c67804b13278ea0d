import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { digestConfig } from "../../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import {
  AccessDenied,
  ClusterUnreachable,
  JetStreamError,
  JetStreamUnavailable,
} from "../../../live/jetstream/jetstream.ts";
import { Patience } from "../../../live/jetstream/patience.ts";
import { dropAbsent } from "../../../providers/streams/converge.ts";
import { Handovers } from "../../../providers/streams/handovers.ts";
import { rosterLifecycle } from "../../../providers/streams/roster-lifecycle.ts";
import type {
  ProgramInputs,
  StreamInputs,
  StreamOutputs,
} from "../../../providers/streams/stream-inputs.ts";
import {
  type StreamLifecycle,
  streamLifecycle,
} from "../../../providers/streams/stream-lifecycle.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const ORDERS: StreamConfig = {
  name: "ORDERS",
  subjects: ["orders.>"],
  num_replicas: 3,
  placement: { tags: ["rg:2"] },
};
const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);

let jetStream: FakeJetStream;
/** What the state has of the stream. */
let state: Partial<StreamInputs>;
/** What the person at the terminal would read. */
let said: string[] = [];
const options = {
  patience: 5_000,
  pause: 1,
  silence: 50,
  say: (line: string) => void said.push(line),
};
let lifecycle: StreamLifecycle;

beforeEach(() => {
  lifecycle = streamLifecycle(() => jetStream, options);
  jetStream = new FakeJetStream(SEED_FLEET);
  state = {};
  said = [];
});

afterEach(() => void vi.restoreAllMocks());

/** From now on, streams are given up on before anybody grows tired of the test. */
function hurry(): void {
  lifecycle = streamLifecycle(() => jetStream, { ...options, patience: 300 });
}

/** Fields of ORDERS that are other than usual, or not there. */
type Change = { readonly [Field in keyof StreamConfig]?: StreamConfig[Field] | undefined };

function program(change: Change = {}): ProgramInputs {
  const config = dropAbsent({ ...ORDERS, ...change }) as StreamConfig;
  const identity = { stream: config.name, account: "APP" };
  return { ...identity, config, policy: {}, fleet: SEED_FLEET };
}

async function check(olds: Partial<StreamInputs>, news: ProgramInputs) {
  const { inputs, failures = [] } = await lifecycle.check(olds, news);
  return { inputs: inputs as StreamInputs, failures };
}

/** What the engine would pass on, checked. */
async function planned(change: Change = {}): Promise<StreamInputs> {
  const { inputs, failures } = await check(state, program(change));
  expect(failures).toEqual([]);
  return inputs;
}

async function created(change: Change = {}): Promise<StreamOutputs> {
  const { outs } = await lifecycle.create(await planned(change));
  state = outs;
  jetStream.requests.length = 0;
  return outs;
}

async function updated(olds: StreamOutputs, news: StreamInputs): Promise<StreamOutputs> {
  return (await lifecycle.update("ORDERS", olds, news)).outs as StreamOutputs;
}

function updates() {
  return jetStream.requests.map(({ verb, config }) => ({
    verb,
    replicas: config?.num_replicas,
    tags: config?.placement?.tags,
  }));
}

function verbs() {
  return jetStream.requests.map(({ verb }) => verb);
}

async function failureOf(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Error);
  return failure as Error & Record<string, unknown>;
}

describe("check", () => {
  it("plans the hosts and keeps the fleet out of the state", async () => {
    const { fleet: _, ...rest } = program();
    expect(await planned()).toEqual({ ...rest, hosts: region(2) });
    expect((await planned({ num_replicas: 1 })).hosts).toEqual(region(2));
  });

  it("refuses what can't be placed, in words, naming no property", async () => {
    const { failures } = await check({}, program({ num_replicas: 5 }));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({
      property: "",
      reason: expect.stringMatching(
        /^placement: needs 5 servers tagged rg:2 .* only 3 .*; nearest: .*; nats-server would say "no suitable peers/,
      ),
    });
  });

  it.each([
    [{ storage: "memory" }, "storage: file → memory: it is fixed when the stream is created"],
    [{ retention: "workqueue" }, "a stream can't become a work queue"],
    [{ duplicate_window: 5 }, "duplicateWindow: 5ns is less than 100ms"],
    [{ name: "OTHER" }, 'stream: "ORDERS" can\'t become "OTHER" without losing the messages'],
  ] as [Partial<StreamConfig>, string][])(
    "refuses %j for a stream that exists",
    async (change, reason) => {
      const { failures } = await check(await planned(), program(change));
      expect(failures.map((failure) => failure.reason).join("\n")).toContain(reason);
    },
  );

  it("refuses another account", async () => {
    const { failures } = await check(await planned(), { ...program(), account: "ELSE" });
    expect(failures[0]?.reason).toContain('account: "APP" can\'t become "ELSE"');
  });

  it("lets a stream be sealed, but not be born so", async () => {
    expect((await check({}, program({ sealed: true }))).failures).toHaveLength(1);
    expect((await check(await planned(), program({ sealed: true }))).failures).toEqual([]);
  });

  it("names every problem, and the password in none", async () => {
    const news = program({ num_replicas: 7, max_age: 1, placement: { tags: ["rg:9"] } });
    const { failures } = await check({}, news);
    expect(failures).toHaveLength(3);
    expect(JSON.stringify(failures)).not.toContain("sesame");
  });

  it("leaves unknown values alone", async () => {
    const config = { ...ORDERS, placement: { tags: [UNKNOWN] } };
    const { inputs, failures } = await check(await planned(), { ...program(), config });
    expect(failures).toEqual([]);
    expect(inputs).toMatchObject({ config, hosts: UNKNOWN });
    expect(inputs).not.toHaveProperty("fleet");
  });
});

describe("diff", () => {
  const diff = async (change: object) =>
    lifecycle.diff("ORDERS", await created(), { ...(await planned()), ...change });

  it.each([
    ["nothing", {}],
    ["another text of the provider", { __provider: "new" }],
    ["the order of hosts", { hosts: region(2).toReversed() }],
    ["defaults spelled out", { config: { ...ORDERS, storage: "file", max_msgs: 0 } }],
  ])("sees no change in %s", async (_, change) => {
    expect(await diff(change)).toEqual({ changes: false, replaces: [] });
  });

  it.each([
    ["config", { config: { ...ORDERS, max_msgs: 5 } }],
    ["hosts", { hosts: region(3) }],
    ["policy", { policy: { allowDataLoss: true } }],
  ])("sees a change of %s, never a replacement", async (_, change) => {
    expect(await diff(change)).toEqual({ changes: true, replaces: [] });
  });

  it("replaces for another name or account only", async () => {
    expect(await diff({ stream: "OTHER" })).toEqual({ changes: true, replaces: ["stream"] });
    expect(await diff({ account: "OTHER" })).toEqual({ changes: true, replaces: ["account"] });
  });

  it("takes an unknown value for a change, not for a replacement", async () => {
    expect(await diff({ stream: UNKNOWN })).toEqual({ changes: true });
  });
});

describe("create", () => {
  it("returns once all replicas are current, with their hosts", async () => {
    const inputs = { ...(await planned()), __provider: "text" };
    expect(await lifecycle.create(inputs)).toEqual({
      id: "ORDERS",
      outs: { ...inputs, leader: "rg2-az1", replicas: region(2), created: "2026-01-31T12:00:00Z" },
    });
  });

  it("does not wait for all replicas to be current at the same look: under load they hardly are", async () => {
    const info = jetStream.info.bind(jetStream);
    let looks = 0;
    jetStream.info = async (name) => {
      const { cluster, ...rest } = await info(name);
      const behind = looks++ % 2;
      const replicas = cluster?.replicas?.map((replica, index) =>
        index === behind ? { ...replica, current: false, lag: looks } : replica,
      );
      return { ...rest, cluster: { ...cluster, ...(replicas ? { replicas } : {}) } };
    };
    expect(await created()).toMatchObject({ replicas: region(2) });
  });

  it.each([
    ["was never current", { current: false, lag: 7 }, 0],
    ["was current before the change", { current: false, lag: 7 }, 1],
    ["is current, and down", { current: true, offline: true }, 0],
  ])("does not settle while a replica %s", async (_, state, updatesBefore) => {
    hurry();
    const olds = await created();
    const info = jetStream.info.bind(jetStream);
    jetStream.info = async (name) => {
      const { cluster, ...rest } = await info(name);
      if (jetStream.requests.length < updatesBefore)
        return { ...rest, ...(cluster && { cluster }) };
      const replicas = cluster?.replicas?.map((replica) => ({ ...replica, ...state }));
      return { ...rest, cluster: { ...cluster, ...(replicas ? { replicas } : {}) } };
    };
    const failure = await failureOf(updated(olds, await planned({ max_msgs: 5 })));
    expect(failure.message).toContain("made no progress");
  });

  it("takes up a stream that means the same", async () => {
    await jetStream.create({ ...ORDERS, description: "", max_msgs: -1 });
    expect(await created()).toMatchObject({ replicas: region(2) });
    expect(jetStream.streams.size).toBe(1);
  });

  it("refuses a stream that differs, field by field", async () => {
    const inputs = await planned();
    await jetStream.create({ ...ORDERS, max_msgs: 5, num_replicas: 1 });
    const { message, id } = await failureOf(lifecycle.create(inputs));
    expect(message).toContain("stream ORDERS exists in account APP already");
    expect(message).toContain("replicas: 1 → 3, maxMsgs: 5 → unlimited");
    expect(id).toBeUndefined();
  });

  it("moves a stream that it takes up to where it belongs", async () => {
    await jetStream.create(ORDERS);
    strand("ORDERS", region(3));
    expect(await created()).toMatchObject({ replicas: region(2) });
  });

  it("asks again while JetStream is not available", async () => {
    jetStream.failures.push(
      new JetStreamUnavailable("no leader"),
      new JetStreamUnavailable("none"),
    );
    expect(await created()).toMatchObject({ replicas: region(2) });
  });

  it.each([
    ["could not make the stream's store", 10049, "error creating store for stream"],
    ["has not heard of the tags yet", 10005, "no suitable peers for placement"],
    ["has promised the room to others", 10047, "insufficient storage resources available"],
    ["has promised the memory to others", 10028, "insufficient memory resources available"],
  ])("asks again when the server %s, and in the end says so", async (_, code, description) => {
    const failed = new JetStreamError(code, description);
    const inputs = await planned();
    jetStream.failures.push(failed);
    expect((await lifecycle.create(inputs)).outs).toMatchObject({ replicas: region(2) });
    jetStream.failures.push(...Array<Error>(1_000).fill(failed));
    expect(await failureOf(lifecycle.create(inputs))).toBe(failed);
  });

  it.each([
    [10005, "no suitable peers for placement, insufficient storage", "left on each node"],
    [10047, "insufficient storage resources available", "the meta leader or its account"],
    [10122, "stream max bytes exceeds account limit max stream bytes", "maxFileStreamBytes"],
  ])("says of error %i who may be short of room", (code, description, words) => {
    expect(new JetStreamError(code, description).message).toContain(words);
  });

  it("keeps a stream that does not settle in the state, and says what it waits for", async () => {
    hurry();
    jetStream.down.add("rg2-az3");
    const inputs = { ...(await planned()), __provider: "text" };
    const failure = await failureOf(lifecycle.create(inputs));
    expect(failure.message).toContain("made no progress for 0.3 s: rg2-az3 is down");
    expect(failure.message).not.toContain("sesame");
    expect(failure).toMatchObject({ id: "ORDERS", reasons: [failure.message], properties: inputs });
  });

  it("is patient with a change as long as other streams get on, and no longer", async () => {
    hurry();
    const olds = await created();
    jetStream.down.add("rg3-az3");
    const start = Date.now();
    setTimeout(othersMove(), 900);
    const news = await planned({ placement: { tags: ["rg:3"] } });
    const failure = await failureOf(updated(olds, news));
    expect(failure.message).toContain("made no progress for 0.3 s");
    expect(failure.message).toContain("it goes on by itself");
    expect(Date.now() - start).toBeGreaterThan(1_100);
  });

  it("is as patient as ever with one that it has asked nothing of, whatever others do", async () => {
    hurry();
    const olds = await created();
    strand("ORDERS", region(2));
    jetStream.down.add("rg2-az3");
    const rest = othersMove();
    const start = Date.now();
    const failure = await failureOf(updated(olds, await planned()));
    rest();
    expect(failure.message).toContain("made no progress for 0.3 s");
    expect(Date.now() - start).toBeLessThan(5_000);
  });

  it("passes on why the server refuses, without an id", async () => {
    const inputs = await planned();
    jetStream.failures.push(new JetStreamError(10052, "stream configuration invalid"));
    const failure = await failureOf(lifecycle.create(inputs));
    expect(failure).toMatchObject({ code: 10052 });
    expect(failure).not.toHaveProperty("id");
  });

  it("names the stream that has its subjects, once a check has missed it", async () => {
    const inputs = await planned();
    await jetStream.create({ name: "RIVAL", subjects: ["orders.new"] });
    const failure = await failureOf(lifecycle.create(inputs));
    expect(failure.message).toContain("\"orders.>\" can't be ORDERS's as long as stream RIVAL");
    expect(failure).not.toHaveProperty("id");
  });
});

describe("update", () => {
  it("sends nothing when the stream is what it should be", async () => {
    const olds = await created();
    await updated(olds, { ...(await planned()), policy: { allowDataLoss: true } });
    expect(updates()).toEqual([]);
  });

  it("sends nothing when the server only has more to choose from", async () => {
    const olds = await created({ num_replicas: 1 });
    const news = await planned({ num_replicas: 1 });
    await updated(olds, { ...news, hosts: [...news.hosts, "rg2-az4"] });
    expect(updates()).toEqual([]);
  });

  it("sends the whole config, so that what was taken out is unset", async () => {
    const olds = await created({ max_msgs: 5, description: "old" });
    await updated(olds, await planned());
    expect(jetStream.requests[0]?.config).toMatchObject({ max_msgs: -1, description: "" });
    expect((await jetStream.info("ORDERS")).config.max_msgs).toBe(-1);
  });

  it("moves, and waits until all have moved", async () => {
    const olds = await created();
    const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
    expect(outs.replicas).toEqual(region(3));
    expect(updates()).toEqual([{ verb: "update", replicas: 3, tags: ["rg:3"] }]);
  });

  it("never moves for the order of tags", async () => {
    const olds = await created({ placement: { tags: ["rg:2", "!x"] } });
    await updated(olds, await planned({ placement: { tags: ["!x", "rg:2"] }, max_msgs: 5 }));
    expect(updates()).toEqual([{ verb: "update", replicas: 3, tags: ["rg:2", "!x"] }]);
  });

  it("moves first and grows then", async () => {
    const olds = await created({ num_replicas: 1 });
    const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
    expect(outs.replicas).toEqual(region(3));
    expect(updates()).toEqual([
      { verb: "update", replicas: 1, tags: ["rg:3"] },
      { verb: "update", replicas: 3, tags: ["rg:3"] },
    ]);
  });

  it("shrinks first and moves then: the other way round may be impossible", async () => {
    const olds = await created();
    const news = await planned({ num_replicas: 1, placement: { tags: ["rg:3", "az:1"] } });
    expect((await updated(olds, news)).replicas).toEqual(["rg3-az1"]);
    expect(updates()).toEqual([
      { verb: "update", replicas: 1, tags: ["rg:2"] },
      { verb: "update", replicas: 1, tags: ["rg:3", "az:1"] },
    ]);
  });

  it("brings back a stream that is not where its tags say", async () => {
    const olds = await created();
    strand("ORDERS", region(3));
    expect((await updated(olds, await planned())).replicas).toEqual(region(2));
    expect(updates()).toEqual([{ verb: "update", replicas: 3, tags: ["rg:2", "rg:2"] }]);
  });

  it("brings back a stream that asks for no tags", async () => {
    const { placement: _, ...anywhere } = ORDERS;
    const news = { ...(await planned()), config: anywhere, hosts: region(1) };
    await jetStream.create(anywhere);
    jetStream.fleet = { ...SEED_FLEET, servers: SEED_FLEET.servers.slice(0, 3) };
    strand("ORDERS", region(3));
    const outs = await updated({ ...news, leader: "", replicas: [], created: "" }, news);
    expect(outs.replicas).toEqual(region(1));
  });

  it("says so when the servers don't place it as planned, and keeps it in the state", async () => {
    const olds = await created();
    const failure = await failureOf(updated(olds, { ...(await planned()), hosts: region(3) }));
    expect(failure.message).toContain("was placed again, but not on rg3-az1, rg3-az2, rg3-az3");
    expect(failure).toMatchObject({ id: "ORDERS" });
    expect(updates()).toHaveLength(1);
  });

  it("is not misled by a stream that shows its past for a while after an update", async () => {
    const olds = await created();
    jetStream.looksAtPast = 8;
    jetStream.looksPerChange = 12;
    const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
    expect(outs.replicas).toEqual(region(3));
    expect(updates()).toHaveLength(1);
  });

  it("goes on with what is under way where that is part of the way", async () => {
    const olds = await created({ num_replicas: 1 });
    await jetStream.update({ ...ORDERS, num_replicas: 1, placement: { tags: ["rg:3"] } });
    const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
    expect(outs.replicas).toEqual(region(3));
    expect(verbs()).toEqual(["update", "update"]);
  });

  it.each([
    ["scale", { num_replicas: 1 }],
    ["change of retention", { retention: "interest" }],
  ] as const)(
    "gives its first placement to a stream in two updates, after a %s",
    async (_, change) => {
      const olds = await created({ placement: undefined });
      const news = await planned({ placement: { tags: ["rg:3"] }, ...change });
      const outs = await updated(olds, news);
      expect(outs.replicas.every((host) => region(3).includes(host))).toBe(true);
      expect(updates().map(({ tags }) => tags)).toEqual([undefined, ["rg:3"]]);
    },
  );

  it.each([10124, 10226])(
    "tries again while the meta leader still says in progress (%d)",
    async (code) => {
      const olds = await created();
      const update = jetStream.update.bind(jetStream);
      let refusals = 3;
      jetStream.update = async (config) => {
        if (refusals-- > 0) throw new JetStreamError(code, "already in progress");
        await update(config);
      };
      const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
      expect(outs.replicas).toEqual(region(3));
    },
  );

  it("refuses to delete messages by a change of retention", async () => {
    const olds = await created();
    const stream = jetStream.streams.get("ORDERS");
    const news = await planned({ retention: "interest" });
    if (stream) stream.messages = 20;
    const { message } = await failureOf(updated(olds, news));
    expect(message).toContain("all of its 20 messages (0 B) would be deleted");
    expect(updates()).toEqual([]);
    const worker = { name: "worker", delivered: { stream_seq: 8 }, ack_floor: { stream_seq: 5 } };
    if (stream) stream.consumers = [{ ...worker, num_pending: 12, num_ack_pending: 3 }];
    const partly = await failureOf(updated(olds, news));
    expect(partly.message).toContain("up to 5 of its 20 messages (0 B) would be deleted");
    const { failures } = await check(state, program({ retention: "interest" }));
    expect(failures.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("up to 5 of its 20 messages (0 B) would be deleted"),
    ]);
    expect(updates()).toEqual([]);
    if (stream) stream.consumers.push({ ...worker, num_pending: 20, num_ack_pending: 0 });
    await updated(olds, news);
    expect(updates()).toHaveLength(1);
  });

  it("refuses what the server would, even if the state knew nothing of it", async () => {
    const olds = await created({ storage: "memory" });
    state = { ...olds, config: ORDERS };
    const { message } = await failureOf(updated(olds, await planned()));
    expect(message).toContain("storage: memory → file: it is fixed");
    expect(updates()).toEqual([]);
  });

  it("does not create anew what is gone", async () => {
    const olds = await created();
    jetStream.streams.clear();
    const failure = await failureOf(updated(olds, await planned({ max_msgs: 5 })));
    expect(failure.message).toContain("stream ORDERS is gone from account APP, with its messages");
    expect(failure).not.toHaveProperty("id");
  });

  it("leaves the state alone when nothing was sent", async () => {
    const olds = await created();
    const news = await planned({ max_msgs: 5 });
    jetStream.failures.push(new ClusterUnreachable("no NATS server answers"));
    expect(await failureOf(updated(olds, news))).not.toHaveProperty("id");
  });
});

describe("a change under way that is no longer wanted", () => {
  const begin = async (change: Partial<StreamConfig>) => {
    const olds = await created();
    await jetStream.update({ ...ORDERS, ...change });
    jetStream.requests.length = 0;
    return olds;
  };

  it("is taken back where the settings are what they were, though it could never finish", async () => {
    const olds = await begin({ placement: { tags: ["rg:3"] } });
    jetStream.down.add("rg3-az1");
    const outs = await updated(olds, await planned());
    expect(outs.replicas).toEqual(region(2));
    expect(verbs()).toEqual(["cancelMove"]);
    expect((await jetStream.info("ORDERS")).config.placement).toEqual(ORDERS.placement);
    expect(said[1]).toBe("taking back the change of ORDERS that is under way: move");
  });

  it("is taken back before the stream goes to a third place", async () => {
    const olds = await begin({ placement: { tags: ["rg:1"] } });
    const outs = await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
    expect(outs.replicas).toEqual(region(3));
    expect(verbs()).toEqual(["cancelMove", "update"]);
  });

  it("is taken back where it is a scale", async () => {
    const olds = await begin({ num_replicas: 1 });
    expect((await updated(olds, await planned())).replicas).toEqual(region(2));
    expect(verbs()).toEqual(["cancelMove"]);
  });

  it("may be through before it can be taken back", async () => {
    const olds = await begin({ placement: { tags: ["rg:3"] } });
    jetStream.cancelMove = async () => {
      throw new JetStreamError(10129, "stream reconfiguration not in progress");
    };
    expect((await updated(olds, await planned())).replicas).toEqual(region(2));
    expect(verbs()).toEqual(["update"]);
  });

  it("is taken back once only, should that do nothing", async () => {
    hurry();
    const olds = await begin({ placement: { tags: ["rg:3"] } });
    jetStream.down.add("rg3-az1");
    let cancels = 0;
    jetStream.cancelMove = async () => {
      cancels += 1;
    };
    const failure = await failureOf(updated(olds, await planned()));
    expect(failure.message).toContain("made no progress");
    expect(failure).toMatchObject({ id: "ORDERS" });
    expect(cancels).toBe(1);
  });

  it("tells the way back when it makes no progress", async () => {
    hurry();
    const olds = await created();
    jetStream.down.add("rg3-az1");
    const failure = await failureOf(
      updated(olds, await planned({ placement: { tags: ["rg:3"] } })),
    );
    expect(failure.message).toMatch(
      /made no progress for 0.3 s: move; .*, or put its old settings back to have the change cancelled$/,
    );
    expect(failure).toMatchObject({ id: "ORDERS" });
  });

  it("makes no progress by going back and forth", async () => {
    hurry();
    const olds = await created();
    jetStream.looksPerChange = Number.POSITIVE_INFINITY;
    const news = await planned({ placement: { tags: ["rg:3"] } });
    const flapping = setInterval(() => {
      if (!jetStream.down.delete("rg2-az3")) jetStream.down.add("rg2-az3");
    }, 20);
    const failure = await failureOf(updated(olds, news)).finally(() => clearInterval(flapping));
    expect(failure.message).toContain("made no progress");
  });
});

describe("a stream that others mirror", () => {
  const news = { account: "APP", streams: { ORDERS: {}, COPY: {} } };
  const reasonsFor = async (olds: Partial<StreamInputs>, inputs: ProgramInputs) =>
    (await check(olds, inputs)).failures.map(({ reason }) => reason);

  beforeEach(async () => {
    const handovers = new Handovers();
    lifecycle = streamLifecycle(() => jetStream, { ...options, handovers });
    handovers.announce({}, news, {}, { COPY: "ORDERS" });
    await jetStream.create({ name: "COPY", mirror: { name: "ORDERS" } });
  });

  const fill = () => {
    const copy = jetStream.streams.get("COPY");
    if (copy) copy.messages = 40;
  };

  it("isn't made anew where a mirror would leave out what it begins with", async () => {
    expect(await reasonsFor({}, program())).toEqual([]);
    fill();
    expect(await reasonsFor({}, program())).toEqual([
      expect.stringMatching(
        /^stream ORDERS is created again, but COPY, .* leave out the first 40 of/,
      ),
    ]);
    await jetStream.create({ name: "ORDERS-nats-regions-backup" });
    expect(await reasonsFor({}, program())).toEqual([]);
  });

  it("isn't deleted and made anew either, but changes, and goes through a copy", async () => {
    const olds = await created();
    fill();
    const changed = (policy: ProgramInputs["policy"], change: Change = { storage: "memory" }) =>
      reasonsFor(olds, { ...program(change), policy });
    expect(await changed({ allowDataLoss: true })).toEqual([
      expect.stringContaining("is created again, but COPY"),
    ]);
    expect(await changed({ recreate: "viaBackup" })).toEqual([]);
    expect(await changed({ allowDataLoss: true }, { max_msgs: 5 })).toEqual([]);
  });
});

describe("a stream that gets another name in the settings", () => {
  const named = (key: string) => ({
    account: "APP",
    streams: { [key]: key === "ORDERS" ? {} : { stream: "ORDERS" } },
  });

  /** As another `up` begins, with MAIN in the place of ORDERS; to Pulumi that is a stream it doesn't know. */
  const rename = async (change: Change = {}, to = "MAIN") => {
    const handovers = new Handovers();
    lifecycle = streamLifecycle(() => jetStream, { ...options, handovers });
    const roster = rosterLifecycle(() => jetStream, handovers);
    const news = { ...named(to), subjects: { [to]: ["orders.>"] } };
    expect((await roster.check(named("ORDERS"), news)).failures).toEqual([]);
    return await check({}, program(change));
  };
  const fill = (messages: number) => {
    const stream = jetStream.streams.get("ORDERS");
    if (stream) stream.messages = messages;
  };

  it("stays with its messages, and changes along", async () => {
    const olds = await created();
    fill(5);
    const heard = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { inputs, failures } = await rename({ max_msgs: 100, placement: { tags: ["rg:3"] } });
    expect(failures).toEqual([]);
    expect(heard.mock.calls.flat().join()).toMatch(
      /stream ORDERS is called MAIN in the settings, no longer ORDERS, and stays with 5 messages/,
    );
    const { outs } = await lifecycle.create(inputs);
    expect(outs).toMatchObject({ stream: "ORDERS", replicas: region(3) });
    await lifecycle.delete("ORDERS", { ...olds, policy: { allowDataLoss: true } });
    expect(verbs()).not.toContain("delete");
    expect(jetStream.streams.get("ORDERS")).toMatchObject({
      messages: 5,
      config: { max_msgs: 100 },
    });
  });

  it("is as guarded as it was", async () => {
    await created();
    fill(5);
    const { failures } = await rename({ storage: "memory" });
    expect(failures).toMatchObject([
      { reason: expect.stringContaining("ORDERS holds 5 messages") },
    ]);
  });

  it("is another's still where the last up didn't know it", async () => {
    await jetStream.create({ ...ORDERS, max_msgs: 5 });
    const { failures } = await check({}, program());
    expect(failures).toMatchObject([{ reason: expect.stringContaining("set adopt: true") }]);
  });

  it("can't have its old one taken by another at once, for which there is a way out", async () => {
    const olds = await created();
    await rename();
    const other = { ...program({ name: "OTHER", subjects: ["other.>"] }) };
    const { failures } = await check(olds, other);
    expect(failures).toMatchObject([
      {
        reason: expect.stringMatching(
          /^stream ORDERS of account APP has another name in the settings.*state rename, or aliases/,
        ),
      },
    ]);
  });
});

describe("streams of one name in two accounts", () => {
  const ports = new Map<string, FakeJetStream>();
  const inputs = (account: string, change: Change = {}) => ({ ...program(change), account });

  beforeEach(() => {
    for (const account of ["APP", "BILLING"]) ports.set(account, new FakeJetStream(SEED_FLEET));
    lifecycle = streamLifecycle((account) => ports.get(account) ?? jetStream, {
      ...options,
      handovers: new Handovers(),
    });
  });

  const create = async (account: string) => {
    const { inputs: news } = await check({}, inputs(account));
    return (await lifecycle.create(news)).outs;
  };
  const configIn = (account: string) => ports.get(account)?.streams.get("ORDERS")?.config;

  it("are made, changed and deleted each in its own", async () => {
    await create("APP");
    const bills = await create("BILLING");
    const { inputs: news } = await check(bills, inputs("BILLING", { max_msgs: 5 }));
    await lifecycle.update("ORDERS", bills, news);
    expect(configIn("BILLING")?.max_msgs).toBe(5);
    expect(configIn("APP")?.max_msgs ?? -1).toBe(-1);
  });

  it("don't save each other from being deleted, nor take each other along", async () => {
    const app = await create("APP");
    const bills = await create("BILLING");
    lifecycle = streamLifecycle((account) => ports.get(account) ?? jetStream, options);
    await check(app, inputs("APP"));
    await lifecycle.delete("ORDERS", bills);
    expect(configIn("BILLING")).toBeUndefined();
    expect(configIn("APP")).toBeDefined();
  });

  it("hand subjects over within their accounts", async () => {
    const handovers = new Handovers();
    lifecycle = streamLifecycle((account) => ports.get(account) ?? jetStream, {
      ...options,
      handovers,
    });
    const streams = { ORDERS: {}, BILLS: { stream: "ORDERS", account: "BILLING" } };
    const EU = { account: "BILLING" };
    handovers.announce(
      { account: "APP", streams },
      { account: "APP", streams: { ...streams, EU } },
      { ORDERS: ["orders.>"], BILLS: ["orders.us"], EU: ["orders.eu"] },
    );
    await create("APP");
    await ports.get("BILLING")?.create({ ...ORDERS, subjects: ["orders.us", "orders.eu"] });
    const bills = { ...inputs("BILLING", { subjects: ["orders.us"] }), hosts: region(2) };
    const eu = { ...inputs("BILLING", { name: "EU", subjects: ["orders.eu"] }) };
    await check(bills, inputs("BILLING", { subjects: ["orders.us"] }));
    const { inputs: news, failures } = await check({}, eu);
    expect(failures).toEqual([]);
    await lifecycle.create(news);
    expect(configIn("BILLING")?.subjects).toEqual(["orders.us"]);
    expect(configIn("APP")?.subjects).toEqual(["orders.>"]);
  });
});

describe("a stream that the last up set out to make something else of", () => {
  const MOVED = { ...ORDERS, placement: { tags: ["rg:3"] } };
  const roster = (config: StreamConfig) => ({
    account: "APP",
    streams: { ORDERS: {} },
    begun: { ORDERS: digestConfig(config) },
  });

  /** As another `up` begins, the settings being those of before. */
  const checkAfter = async (begun: StreamConfig) => {
    const handovers = new Handovers();
    lifecycle = streamLifecycle(() => jetStream, { ...options, handovers });
    handovers.announce(roster(begun), roster(ORDERS), {});
    return await planned();
  };

  it("is brought back where that was begun, although the state shows no change", async () => {
    const olds = await created();
    await jetStream.update(MOVED);
    const news = await checkAfter(MOVED);
    expect(await lifecycle.diff("ORDERS", olds, news)).toMatchObject({ changes: true });
    const outs = await updated(olds, news);
    expect(outs).toEqual(olds);
  });

  it("is left alone where nothing was sent, or an update of its own came after", async () => {
    const olds = await created();
    expect(await lifecycle.diff("ORDERS", olds, await checkAfter(MOVED))).toMatchObject({
      changes: false,
    });
  });

  it("is left alone where that is what the state has, in other words", async () => {
    await created();
    await jetStream.update(MOVED);
    const said = { ...ORDERS, max_msgs: -1, placement: { tags: ["rg:2", "rg:2"] } };
    expect(await checkAfter(said)).not.toHaveProperty("unfinished");
  });

  it("is brought back where nobody says how it is", async () => {
    await created();
    jetStream.failures.push(new ClusterUnreachable("no NATS server answers"));
    jetStream.failures.push(new ClusterUnreachable("no NATS server answers"));
    expect(await checkAfter(MOVED)).toHaveProperty("unfinished", true);
  });
});

describe("progress", () => {
  const patient = () => streamLifecycle(() => jetStream, { ...options, interval: 50 });

  it("says nothing of what is done at once", async () => {
    await updated(await created(), await planned({ max_msgs: 5 }));
    expect(said).toEqual([]);
  });

  it("says once what moves where, and how much it is", async () => {
    const olds = await created({ num_replicas: 1, placement: { tags: ["rg:2", "az:1"] } });
    const stream = jetStream.streams.get("ORDERS");
    if (stream) Object.assign(stream, { messages: 1_500, bytes: 12_345 });
    await updated(olds, await planned({ placement: { tags: ["rg:3"] } }));
    expect(said).toEqual([
      "moving ORDERS from rg2-az1 to rg3-az3: 1,500 messages, 12.1 KiB",
      "scaling ORDERS from 1 replica to 3 on rg3-az1, rg3-az2, rg3-az3: 1,500 messages, 12.1 KiB",
    ]);
  });

  it("says now and then who is how far behind", async () => {
    const olds = await created();
    const info = jetStream.info.bind(jetStream);
    let looks = 0;
    jetStream.info = async (name) => {
      const { cluster, ...rest } = await info(name);
      looks += 1;
      const lag = said.length < 2 ? 1_204 : 0;
      const replicas = cluster?.replicas?.map((replica) => ({ ...replica, current: !lag, lag }));
      return { ...rest, cluster: { ...cluster, ...(replicas ? { replicas } : {}) } };
    };
    await patient().update("ORDERS", olds, olds);
    expect(said).toHaveLength(2);
    expect(looks).toBeGreaterThan(4);
    expect(said[0]).toBe(
      "ORDERS: rg2-az2 is 1,204 operations behind, rg2-az3 is 1,204 operations behind",
    );
  });
});

describe("the leader", () => {
  const led = async (...leaders: string[]) => ({ ...(await planned()), policy: { leaders } });
  const leaderOf = async () => (await jetStream.info("ORDERS")).cluster?.leader;
  const preferredHosts = () => jetStream.requests.flatMap(({ preferred }) => preferred ?? []);

  it("is where the policy wants it, once the stream has settled", async () => {
    const { outs } = await lifecycle.create(await led("rg2-az3"));
    expect(outs).toMatchObject({ leader: "rg2-az3", replicas: region(2) });
    expect(verbs()).toEqual(["create", "stepDown"]);
  });

  it("stays where it is if that will do", async () => {
    await lifecycle.create(await led("rg2-az3", "rg2-az1"));
    expect(verbs()).toEqual(["create"]);
  });

  it("is asked for again when an election goes elsewhere, of another host too", async () => {
    jetStream.elections.push("rg2-az1", "rg2-az1");
    const { outs } = await lifecycle.create(await led("rg2-az2", "rg2-az3"));
    expect(preferredHosts()).toEqual(["rg2-az2", "rg2-az3", "rg2-az2"]);
    expect(outs.leader).toBe("rg2-az2");
  });

  it("is asked for only so often", async () => {
    jetStream.elections.push(...Array(20).fill("rg2-az1"));
    const failure = await failureOf(lifecycle.create(await led("rg2-az2")));
    expect(failure.message).toContain(
      "is led by rg2-az1, not by rg2-az2: 5 elections went elsewhere",
    );
    expect(failure).toMatchObject({ id: "ORDERS" });
    expect(preferredHosts()).toHaveLength(5);
  });

  it("is no reason to fail where no replica could lead as wanted", async () => {
    const inputs = { ...(await planned({ num_replicas: 1 })), policy: { leaders: ["rg2-az1"] } };
    const { outs } = await lifecycle.create(inputs);
    expect(outs.leader).toBe("rg2-az3");
    expect(said).toEqual([
      "stream ORDERS is led by rg2-az3: none of its replicas (rg2-az3) is on rg2-az1; give it a placement that has one there, or another leader",
    ]);
    const { inputs: observed } = await lifecycle.read("ORDERS", outs);
    expect(observed).toEqual(inputs);
  });

  it("goes along with a move", async () => {
    const olds = await created();
    const news = await planned({ placement: { tags: ["rg:3"] } });
    const outs = await updated(olds, { ...news, policy: { leaders: ["rg3-az2"] } });
    expect(outs.leader).toBe("rg3-az2");
    expect(verbs()).toEqual(["update", "stepDown"]);
  });

  it("shows as drift where it should be elsewhere, and is brought back", async () => {
    const news = await led("rg2-az2");
    const { outs } = await lifecycle.create(news);
    await jetStream.stepDown("ORDERS", "rg2-az3");
    const { inputs, props } = await lifecycle.read("ORDERS", outs);
    expect(inputs).toEqual({ ...news, policy: { leaders: ["rg2-az3"] } });
    const refreshed = props as StreamOutputs;
    expect(await lifecycle.diff("ORDERS", refreshed, news)).toMatchObject({ changes: true });
    await updated(refreshed, news);
    expect(await leaderOf()).toBe("rg2-az2");
  });

  it("may change by itself where the policy has no say in it", async () => {
    const olds = await created();
    await jetStream.stepDown("ORDERS", "rg2-az3");
    const { inputs, props } = await lifecycle.read("ORDERS", olds);
    expect(props).toMatchObject({ leader: "rg2-az3" });
    expect(inputs).toMatchObject({ policy: {} });
    expect(await lifecycle.diff("ORDERS", props as StreamOutputs, await planned())).toMatchObject({
      changes: false,
    });
  });
});

describe("read", () => {
  it("says that the stream is absent when the server does, and only then", async () => {
    const olds = await created();
    jetStream.streams.clear();
    expect(await lifecycle.read("ORDERS", olds)).toEqual({ id: "" });
  });

  it.each([
    ["is not available", new JetStreamUnavailable("no leader")],
    ["can't be reached", new ClusterUnreachable("no NATS server answers")],
  ])("takes the stream to be as it was when JetStream %s", async (_, silence) => {
    const olds = await created();
    jetStream.streams.clear();
    jetStream.failures.push(...Array.from({ length: 200 }, () => silence));
    const { leader: _l, replicas: _r, created: _c, ...inputs } = olds;
    expect(await lifecycle.read("ORDERS", olds)).toEqual({ id: "ORDERS", inputs, props: olds });
  });

  it("takes the stream to be as it was when the password in the state is an old one", async () => {
    const olds = await created();
    const { leader: _l, replicas: _r, created: _c, ...inputs } = olds;
    jetStream.failures.push(new AccessDenied("not for you"));
    expect(await lifecycle.read("ORDERS", olds)).toEqual({ id: "ORDERS", inputs, props: olds });
  });

  it("finds nothing changed where nothing changed", async () => {
    const olds = await created({ placement: { tags: ["rg:2", "!x"] } });
    const { leader: _l, replicas: _r, created: _c, ...inputs } = olds;
    expect(await lifecycle.read("ORDERS", olds)).toEqual({ id: "ORDERS", inputs, props: olds });
  });

  it("shows what drifted by field, for the next diff to see", async () => {
    const olds = await created();
    await jetStream.update({ ...ORDERS, max_msgs: 5 });
    strand("ORDERS", region(3));
    const { inputs, props } = await lifecycle.read("ORDERS", olds);
    expect(inputs).toMatchObject({ config: { ...ORDERS, max_msgs: 5 }, hosts: region(3) });
    expect(props).toMatchObject({ replicas: region(3), account: "APP" });
    expect(await lifecycle.diff("ORDERS", props as StreamOutputs, await planned())).toMatchObject({
      changes: true,
    });
  });
});

describe("a cluster without a majority", () => {
  it("is told of long before a move would be given up on", async () => {
    const olds = await created();
    const patient = streamLifecycle(() => jetStream, { ...options, patience: 10_000, silence: 20 });
    for (let left = 10_000; left > 0; left--) {
      jetStream.failures.push(new JetStreamUnavailable("no leader"));
    }
    const began = Date.now();
    await expect(patient.update("ORDERS", olds, olds)).rejects.toThrow("no leader");
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it("is named in a preview that can't tell what a change does to messages", async () => {
    const spoken = vi.spyOn(console, "error").mockReturnValue();
    const olds = await created();
    jetStream.failures.push(new JetStreamUnavailable("no leader"));
    expect((await check(olds, program({ max_msgs: 5 }))).failures).toEqual([]);
    expect(spoken.mock.calls).toEqual([["what stream ORDERS holds is unknown: no leader"]]);

    jetStream.failures.push(new JetStreamUnavailable("no leader"));
    await check({}, program());
    expect(spoken).toHaveBeenCalledOnce();
    spoken.mockRestore();
  });
});

/** As another `up` begins. */
function nextRun(): void {
  lifecycle = streamLifecycle(() => jetStream, options);
}

function fill(messages: number): void {
  const stream = jetStream.streams.get("ORDERS");
  if (stream) stream.messages = messages;
}

describe("delete", () => {
  it("deletes, and is content if there is nothing to delete", async () => {
    const olds = await created();
    nextRun();
    await lifecycle.delete("ORDERS", olds);
    expect(jetStream.streams.size).toBe(0);
    await lifecycle.delete("ORDERS", olds);
  });

  it("refuses to lose messages, with their number", async () => {
    const olds = await created();
    nextRun();
    fill(3);
    const { message } = await failureOf(lifecycle.delete("ORDERS", olds));
    expect(message).toContain("holds 3 messages");
    expect(message).toContain("nats stream purge ORDERS");
    expect(jetStream.streams.has("ORDERS")).toBe(true);
  });

  it("tells the way out when the cluster is gone", async () => {
    const olds = await created();
    nextRun();
    jetStream.failures.push(
      new ClusterUnreachable("no NATS server answers at nats://127.0.0.1:4222"),
    );
    const { message } = await failureOf(lifecycle.delete("ORDERS", olds));
    expect(message).toContain("no NATS server answers");
    expect(message).toContain("pulumi state delete");
  });
});

describe("replicas that share a zone, though each host may have one", () => {
  const free: Change = { placement: undefined };
  const crowded = ["rg1-az1", "rg2-az1", "rg3-az3"];

  it("are taken apart by the next up, whether or not it refreshes first", async () => {
    const olds = await created(free);
    strand("ORDERS", crowded);
    nextRun();
    const { props } = await lifecycle.read("ORDERS", olds);
    expect(props).toMatchObject({ replicas: crowded });
    const seen = props as StreamOutputs;
    const news = await planned(free);
    expect(await lifecycle.diff("ORDERS", seen, news)).toMatchObject({ changes: true });
    const outs = await updated(seen, news);
    expect(new Set(outs.replicas.map((host) => host.slice(-1))).size).toBe(3);
    expect(await lifecycle.diff("ORDERS", outs, news)).toMatchObject({ changes: false });
  });

  it("show no change in the state of an earlier version, where they are apart", async () => {
    const { apart: _, ...olds } = await created(free);
    expect(olds.replicas).toHaveLength(3);
    expect(await lifecycle.diff("ORDERS", olds, await planned(free))).toMatchObject({
      changes: false,
    });
  });
});

describe("a stream that is adopted, and that only a new one can satisfy", () => {
  const news: ProgramInputs = { ...program({ storage: "memory" }), policy: { adopt: true } };

  it("is made anew at once where its messages may go, as the preview says", async () => {
    await created();
    fill(7);
    nextRun();
    const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const permitted = { ...news, policy: { adopt: true, allowDataLoss: true } as const };
    const { inputs, failures } = await check({}, permitted);
    expect(failures).toEqual([]);
    expect(said.mock.calls.flat().join()).toMatch(
      /is deleted with 7 messages .* and created again/,
    );
    await lifecycle.create(inputs);
    expect(await jetStream.info("ORDERS")).toMatchObject({
      config: { storage: "memory" },
      state: { messages: 0 },
    });
  });

  it("is refused where they may not, and left alone where it is a stranger's", async () => {
    await created();
    nextRun();
    const { failures } = await check({}, news);
    expect(failures.map(({ reason }) => reason).join()).toMatch(/storage: .* it is fixed/);
    state = {};
    const inputs = { ...(await planned()), config: news.config };
    await failureOf(lifecycle.create({ ...inputs, policy: { allowDataLoss: true } }));
    expect((await jetStream.info("ORDERS")).config.storage).toBe("file");
  });
});

describe("a replacement asked for by hand", () => {
  /** What the engine asks of a stream that it is told to replace: the second time as of a new one. */
  async function replaced(olds: StreamOutputs, news: ProgramInputs): Promise<StreamOutputs> {
    nextRun();
    expect((await check(olds, news)).failures).toEqual([]);
    const { inputs, failures } = await check({}, news);
    expect(failures).toEqual([]);
    const { outs } = await lifecycle.create(inputs);
    await lifecycle.delete("ORDERS", olds);
    return outs;
  }

  it.each([
    ["with messages", 100, {}],
    ["that is empty", 0, {}],
    ["that may lose its messages", 100, { allowDataLoss: true }],
  ] as const)("leaves a stream %s as it is", async (_, messages, policy) => {
    const { outs } = await lifecycle.create({ ...(await planned()), policy });
    fill(messages);
    jetStream.requests.length = 0;
    expect(await replaced(outs, { ...program(), policy })).toEqual(outs);
    expect(verbs().filter((verb) => verb !== "create")).toEqual([]);
    expect((await jetStream.info("ORDERS")).state.messages).toBe(messages);
  });

  it("changes in place what is changed by the way, as ever", async () => {
    const olds = await created();
    fill(100);
    const news = program({ description: "orders", num_replicas: 1 });
    expect((await replaced(olds, news)).replicas).toHaveLength(1);
    expect((await jetStream.info("ORDERS")).config.description).toBe("orders");
    nextRun();
    await check(olds, program({ storage: "memory" }));
    const { failures } = await check({}, program({ storage: "memory" }));
    expect(failures.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^storage: file → memory: it is fixed/),
    ]);
  });

  it("goes through where an earlier run left the replaced one's entry behind", async () => {
    const olds = await created();
    fill(100);
    nextRun();
    await check(olds, program());
    await lifecycle.delete("ORDERS", olds);
    expect(jetStream.streams.has("ORDERS")).toBe(true);
  });
});

describe("a stream of the state that isn't there", () => {
  let lines: unknown[];
  const vanished = () => lines.filter((line) => /was there/.test(String(line)));

  beforeEach(() => {
    lines = [];
    vi.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
  });

  it("is told of once a run, with one question for all", async () => {
    const olds = await created();
    await check(olds, program());
    expect(vanished()).toEqual([]);
    nextRun();
    jetStream.streams.clear();
    await check(olds, program());
    await check({}, program());
    expect(vanished()).toEqual([expect.stringContaining("stream ORDERS was there")]);
    await check(olds, program({ max_msgs: 5 }));
    expect(vanished()).toHaveLength(2);
  });

  it("isn't missed where it never was, or where nobody answers", async () => {
    await check({}, program());
    const olds = await created();
    nextRun();
    jetStream.failures.push(new ClusterUnreachable("no NATS server answers"));
    await check(olds, program());
    expect(vanished()).toEqual([]);
  });
});

/** Has other streams get on all the time. @returns what ends that. */
function othersMove(): () => void {
  const others = new Patience();
  let looks = 0;
  const moving = setInterval(() => {
    looks += 1;
    others.record(`look ${looks}`, 0);
  }, 50);
  return () => clearInterval(moving);
}

/** Puts the replicas elsewhere, behind everybody's back. */
function strand(name: string, hosts: readonly string[]): void {
  const stream = jetStream.streams.get(name);
  if (stream) stream.peers = [...hosts];
}
