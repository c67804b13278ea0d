import { createInbox, headers, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Field } from "../../lib/base/field-table.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { STREAM_FIELDS } from "../../lib/streams/stream-fields.ts";
import { type JetStreamPort, openJetStream } from "../../live/jetstream/jetstream.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import type { TestCluster } from "../support/nats-cluster.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

/**
 * What each update of each field does to what a stream holds, on real servers: messages are compared one by one,
 * consumers by how far they have come. What is deleted has been refused before, and nothing else has.
 */

type Fields = Omit<StreamConfig, "name">;

/** A consumer that was given some messages, and acknowledged some of these. */
interface Worker {
  readonly config?: object;
  readonly given: number;
  /** Which of those, by their order. */
  readonly acknowledged: readonly number[];
}

interface Step {
  readonly to: Fields;
  /** Sequence numbers of what is deleted; `some` where their number isn't to be told beforehand. Default: none. */
  readonly lost?: readonly number[] | "some" | "maybe some";
  /** Part of what the refusal says. */
  readonly words?: string;
  /** Milliseconds to let pass before. */
  readonly after?: number;
}

interface Case {
  readonly label?: string;
  readonly from?: Fields;
  /** By name. Default: one that waits for all, one that waits for some, one that waits for none. */
  readonly workers?: Readonly<Record<string, Worker>>;
  readonly steps: readonly Step[];
  /** Its messages come from stream {@link ORIGIN}. Default: they are published. */
  readonly isCopy?: true;
  /** A header of every other message. */
  readonly header?: readonly [string, string];
}

/** {@link NAME} stands for the stream's name, {@link ORIGIN} for that of the one it copies. */
const NAME = "NAME";
const ORIGIN = "ORIGIN";
const SECOND = 1_000_000_000;
/** 20 messages, each fourth of one subject. */
const COUNT = 20;
const LETTERS = ["a", "b", "c", "d"];
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const FRESH: Worker = { given: 0, acknowledged: [] };
const HALF: Worker = { given: 10, acknowledged: [1, 2, 3, 4, 5] };
const DONE: Worker = {
  config: { filter_subject: `${NAME}.a` },
  given: 5,
  acknowledged: [1, 2, 3, 4, 5],
};

/** On and, where that can be, off again. */
const toggled = (fields: Fields): Case => ({ steps: [{ to: fields }, { to: {} }] });
/** Switched on for good. */
const raised = (fields: Fields): Case => ({ steps: [{ to: fields }] });

/** A stream that turns to interest, and what of it that deletes. */
const interest = (
  label: string,
  workers: Readonly<Record<string, Worker>>,
  lost: NonNullable<Step["lost"]>,
  words?: string,
): Case => ({
  label: `to interest with ${label}`,
  workers,
  steps: [{ to: { retention: "interest" }, lost, ...(words ? { words } : {}) }, { to: {} }],
});

const COPY = { isCopy: true, workers: { fresh: FRESH } } as const;
const MIRROR = { mirror: { name: ORIGIN } };

const CASES: Readonly<Record<string, readonly Case[]>> = {
  description: [toggled({ description: "orders" })],
  subjects: [
    {
      steps: [
        { to: { subjects: ["NAME.b", "NAME.c"] } },
        { to: { subjects: ["NAME.x"] } },
        { to: {} },
      ],
    },
  ],
  retention: [
    interest("no consumer", {}, range(1, 20), "all of its 20 messages"),
    interest("one that has acknowledged some", { half: HALF }, range(1, 5), "up to 5 of its 20"),
    interest(
      "one of a single replica",
      { half: { ...HALF, config: { num_replicas: 1 } } },
      range(1, 5),
    ),
    interest("one that waits for all", { half: HALF, fresh: FRESH }, []),
    interest(
      "one that has acknowledged all that it is for",
      { done: DONE },
      // What no consumer is for goes only when its place is passed, minutes later.
      "maybe some",
      "all of",
    ),
    interest(
      "one that is for a part",
      { part: { ...DONE, given: 3, acknowledged: [1, 2] } },
      "maybe some",
      "up to 17 of its 20 messages",
    ),
    interest(
      "one that skipped some",
      { half: { given: 6, acknowledged: [2, 4] } },
      [2, 4],
      "up to 2",
    ),
    interest(
      "one that acknowledges nothing",
      { none: { config: { ack_policy: "none" }, given: 5, acknowledged: [] } },
      range(1, 5),
      "up to 5",
    ),
    interest(
      "one that began at the end",
      { late: { config: { deliver_policy: "new" }, given: 0, acknowledged: [] } },
      // It keeps them for now: the consumer's own record says nothing yet of where it began.
      "maybe some",
      "all of its 20 messages",
    ),
  ],
  replicas: [
    { steps: [{ to: { num_replicas: 1 } }, { to: {} }, { to: { num_replicas: 2 } }, { to: {} }] },
    {
      label: "for interest",
      from: { retention: "interest" },
      workers: { half: { ...HALF, acknowledged: [] } },
      // Not up again: nats-server takes 20 s for that.
      steps: [{ to: { retention: "interest", num_replicas: 1 } }],
    },
  ],
  placement: [
    {
      from: { num_replicas: 1 },
      steps: [1, 2, 3].map((zone) => ({
        to: { num_replicas: 1, placement: { tags: [`az:${zone}`] } },
      })),
    },
    {
      label: "and scale",
      steps: [{ to: { num_replicas: 1, placement: { tags: ["az:2"] } } }, { to: {} }],
    },
  ],
  compression: [toggled({ compression: "s2" })],
  discard: [
    toggled({ discard: "new" }),
    {
      label: "of a stream that holds more than it may",
      steps: [
        { to: { discard: "new", max_msgs: 12 } },
        { to: { max_msgs: 12 }, lost: range(1, 8), words: "8 of its 20 messages" },
      ],
    },
    {
      label: "of a stream that is larger than it may be",
      steps: [
        { to: { discard: "new", max_bytes: 500 } },
        { to: { max_bytes: 500 }, lost: "some", words: "some of its 20 messages" },
      ],
    },
  ],
  discardNewPerSubject: [
    {
      from: { discard: "new", max_msgs_per_subject: 5 },
      steps: [
        { to: { discard: "new", max_msgs_per_subject: 5, discard_new_per_subject: true } },
        {
          to: { discard: "new", max_msgs_per_subject: 3, discard_new_per_subject: true },
          lost: range(1, 8),
        },
      ],
    },
  ],
  maxAge: [
    {
      steps: [
        { to: { max_age: 3_600 * SECOND } },
        { to: { max_age: SECOND }, lost: range(1, 20), after: 1_100 },
      ],
    },
    toggled({ max_age: 3_600 * SECOND }),
  ],
  maxMsgs: [
    {
      steps: [
        { to: { max_msgs: 20 } },
        { to: { max_msgs: 12 }, lost: range(1, 8), words: "8 of its 20" },
        { to: {} },
      ],
    },
    {
      label: "of a stream that refuses",
      from: { discard: "new" },
      steps: [{ to: { discard: "new", max_msgs: 12 } }],
    },
    { label: "beside refusals", steps: [{ to: { discard: "new", max_msgs: 12 } }] },
    { label: "beside a seal", steps: [{ to: { sealed: true, max_msgs: 12 } }] },
    {
      label: "in memory",
      from: { storage: "memory", discard: "new" },
      steps: [
        { to: { storage: "memory", discard: "new", max_msgs: 12 } },
        { to: { storage: "memory", max_msgs: 12 }, lost: range(1, 8) },
      ],
    },
  ],
  maxBytes: [
    {
      steps: [{ to: { max_bytes: 100_000 } }, { to: { max_bytes: 500 }, lost: "some" }, { to: {} }],
    },
    {
      label: "of a stream that refuses",
      from: { discard: "new" },
      steps: [{ to: { discard: "new", max_bytes: 500 } }],
    },
  ],
  maxMsgsPerSubject: [
    {
      steps: [
        { to: { max_msgs_per_subject: 5 } },
        { to: { max_msgs_per_subject: 3 }, lost: range(1, 8) },
        { to: {} },
      ],
    },
    {
      label: "of a stream that refuses",
      from: { discard: "new" },
      steps: [{ to: { discard: "new", max_msgs_per_subject: 3 }, lost: range(1, 8) }],
    },
    {
      label: "beside a seal",
      steps: [{ to: { sealed: true, max_msgs_per_subject: 3 }, lost: range(1, 8) }],
    },
    {
      label: "in memory",
      from: { storage: "memory" },
      steps: [{ to: { storage: "memory", max_msgs_per_subject: 3 }, lost: range(1, 8) }],
    },
  ],
  maxMsgSize: [toggled({ max_msg_size: 5 })],
  maxConsumers: [toggled({ max_consumers: 5 })],
  noAck: [toggled({ no_ack: true })],
  duplicateWindow: [toggled({ duplicate_window: SECOND })],
  mirror: [{ ...COPY, from: MIRROR, steps: [{ to: {} }] }],
  sources: [
    {
      ...COPY,
      from: { sources: [{ name: ORIGIN }] },
      steps: [{ to: { sources: [{ name: ORIGIN, filter_subject: `${ORIGIN}.x` }] } }, { to: {} }],
    },
  ],
  subjectTransform: [toggled({ subject_transform: { src: "NAME.a", dest: "NAME.z" } })],
  republish: [toggled({ republish: { src: ">", dest: "copy.>" } })],
  consumerLimits: [
    {
      steps: [
        { to: { consumer_limits: { inactive_threshold: SECOND } } },
        { to: {}, after: 1_500 },
      ],
    },
    toggled({ consumer_limits: { max_ack_pending: 2_000 } }),
  ],
  allowDirect: [toggled({ allow_direct: true })],
  mirrorDirect: [
    {
      ...COPY,
      from: MIRROR,
      steps: [{ to: { ...MIRROR, mirror_direct: true } }],
    },
  ],
  allowRollup: [toggled({ allow_rollup_hdrs: true })],
  denyDelete: [raised({ deny_delete: true })],
  denyPurge: [raised({ deny_purge: true })],
  sealed: [raised({ sealed: true })],
  metadata: [toggled({ metadata: { team: "orders" } })],
  allowMsgTtl: [
    raised({ allow_msg_ttl: true }),
    {
      ...COPY,
      label: "of a mirror",
      from: MIRROR,
      header: ["Nats-TTL", "1s"],
      steps: [{ to: { ...MIRROR, allow_msg_ttl: true }, lost: "some", after: 1_500 }],
    },
  ],
  subjectDeleteMarkerTtl: [
    {
      from: { allow_msg_ttl: true, allow_rollup_hdrs: true },
      steps: [60, 30].map((seconds) => ({
        to: {
          allow_msg_ttl: true,
          allow_rollup_hdrs: true,
          subject_delete_marker_ttl: seconds * SECOND,
        },
      })),
    },
  ],
  allowAtomic: [toggled({ allow_atomic: true })],
  allowMsgSchedules: [raised({ allow_rollup_hdrs: true, allow_msg_schedules: true })],
  allowBatched: [toggled({ allow_batched: true })],
};

let opened: OpenCluster;
let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;
let streams = 0;

const lifecycle = streamLifecycle((account) => openJetStream(cluster.connection, account), {
  pause: 20,
});

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  ({ cluster, port, client } = opened);
});

afterAll(() => opened.close());

async function api<Answer>(subject: string, body: object = {}): Promise<Answer> {
  const answer = await client.request(subject, JSON.stringify(body), { timeout: 5_000 });
  const reply = answer.json<Answer & { error?: unknown }>();
  if (reply.error) throw new Error(`${subject}: ${JSON.stringify(reply.error)}`);
  return reply;
}

/** @param header that every other message has. */
async function fill(stream: string, header?: readonly [string, string]): Promise<void> {
  for (const [index, order] of range(1, COUNT).entries()) {
    const subject = `${stream}.${LETTERS[index % LETTERS.length]}`;
    const options = { timeout: 2_000, headers: headers() };
    if (header && index % 2 === 1) options.headers.set(...header);
    await eventually(async () => {
      const ack = await client.request(subject, `message ${order}`, options);
      return ack.json<{ stream?: string }>().stream === stream;
    });
  }
}

async function employ(stream: string, name: string, worker: Worker): Promise<void> {
  const { config = {}, given, acknowledged } = worker;
  const durable = { durable_name: name, ack_policy: "explicit", ack_wait: 3_600 * SECOND };
  await api(`$JS.API.CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    config: { ...durable, ...JSON.parse(JSON.stringify(config).replaceAll(NAME, stream)) },
  });
  for (const order of range(1, given)) {
    const message = await next(stream, name);
    // As a request, so that the acknowledgement is acknowledged.
    if (acknowledged.includes(order)) await client.request(message.reply, "", { timeout: 5_000 });
  }
}

/** A message comes by its own subject, which a request over a shared inbox would not know again. */
async function next(stream: string, consumer: string): Promise<{ readonly reply: string }> {
  const body = JSON.stringify({ batch: 1, expires: SECOND });
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    const options = { timeout: 2_000, noMux: true, reply: createInbox() };
    try {
      const subject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
      const { reply } = await client.request(subject, body, options);
      if (reply) return { reply };
    } catch {
      // Not every server has heard of a new consumer at once.
      await sleep(50);
    }
  }
  throw new Error(`consumer ${consumer} of ${stream} is given nothing`);
}

/** The stream's messages by sequence number. */
async function read(stream: string): Promise<ReadonlyMap<number, string>> {
  const { state } = await port.info(stream);
  const messages = await Promise.all(
    range(1, state.last_seq).map((seq) => port.message(stream, seq)),
  );
  return new Map(
    messages.flatMap((message) => (message ? [[message.seq, JSON.stringify(message)]] : [])),
  );
}

async function progress(stream: string) {
  // For a moment, as the leader of one is elected, not all of them are told of.
  let consumers: Awaited<ReturnType<typeof port.consumers>> = [];
  await eventually(async () => {
    consumers = await port.consumers(stream);
    return consumers !== undefined;
  });
  return consumers
    .map(({ name, delivered, ack_floor, num_ack_pending, num_pending }) => ({
      name,
      delivered: delivered.stream_seq,
      floor: ack_floor.stream_seq,
      num_ack_pending,
      num_pending,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Long enough for the servers to delete what they are going to. */
const SETTLING_MS = 400;

async function walk({ from = {}, workers, steps, isCopy, header }: Case): Promise<void> {
  streams += 1;
  const [name, origin] = [`STREAM${streams}`, `FIRST${streams}`];
  const configOf = (fields: Fields): StreamConfig => {
    const own = isCopy ? {} : { subjects: [`${NAME}.>`] };
    const config = { name, num_replicas: 3, ...own, ...fields };
    return JSON.parse(JSON.stringify(config).replaceAll(NAME, name).replaceAll(ORIGIN, origin));
  };
  const plan = async (olds: Partial<StreamInputs>, fields: Fields, policy = {}) => {
    const { account, fleet } = cluster;
    const news = { stream: name, account, config: configOf(fields), policy, fleet };
    const { inputs, failures = [] } = await lifecycle.check(olds, news);
    return { inputs: inputs as StreamInputs, refusals: failures.map(({ reason }) => reason) };
  };
  const employAll = async () => {
    const staff = workers ?? { done: DONE, fresh: FRESH, half: HALF };
    for (const [worker, duty] of Object.entries(staff)) await employ(name, worker, duty);
  };
  // A stream for interest keeps nothing unless somebody waits for it already.
  const early = from.retention === "interest";
  if (isCopy) {
    await port.create({ name: origin, subjects: [`${origin}.>`], allow_msg_ttl: true });
  }
  let state: StreamOutputs = (await lifecycle.create((await plan({}, from)).inputs)).outs;
  if (early) for (const worker of Object.keys(workers ?? {})) await employ(name, worker, FRESH);
  await fill(isCopy ? origin : name, header);
  await eventually(async () => (await port.info(name)).state.last_seq === COUNT);
  await employAll();
  for (const { to, lost = [], words = "", after = 0 } of steps) {
    await sleep(after);
    const [messages, consumers] = [await read(name), await progress(name)];
    const { inputs, refusals } = await plan(state, to);
    const deletes = lost.length > 0;
    expect(refusals, JSON.stringify(to)).toEqual(
      deletes ? [expect.stringContaining(`${words}`)] : [],
    );
    if (deletes) {
      await expect(lifecycle.update(name, state, inputs)).rejects.toThrow(/would be deleted/);
      expect(await read(name)).toEqual(messages);
    }
    const allowed = deletes ? (await plan(state, to, { allowDataLoss: true })).inputs : inputs;
    state = (await lifecycle.update(name, state, allowed)).outs as StreamOutputs;
    await sleep(SETTLING_MS);
    const left = await read(name);
    if (typeof lost === "string") {
      if (lost === "some") expect(left.size).toBeLessThan(messages.size);
      for (const [seq, message] of left) expect(message).toBe(messages.get(seq));
    } else {
      const kept = [...messages].filter(([seq]) => !lost.includes(seq));
      expect([...left], JSON.stringify(to)).toEqual(kept);
    }
    const now = await progress(name);
    if (deletes) expect(now.map((each) => each.name)).toEqual(consumers.map((each) => each.name));
    else expect(now, JSON.stringify(to)).toEqual(consumers);
  }
  for (const each of isCopy ? [name, origin] : [name]) await port.delete(each);
}

it("refuses limits for consumers that some of them exceed, as the server does", async () => {
  const config = { name: "LIMITED", num_replicas: 3 };
  await port.create(config);
  for (const [name, max_ack_pending] of [
    ["greedy", 500],
    ["modest", 50],
  ] as const) {
    await employ("LIMITED", name, { ...FRESH, config: { max_ack_pending } });
  }
  const limited = { ...config, consumer_limits: { max_ack_pending: 100 } };
  const { account, fleet } = cluster;
  const inputs = { stream: "LIMITED", account, policy: {}, fleet };
  const olds = { ...inputs, config, hosts: [] };
  const { failures = [] } = await lifecycle.check(olds, { ...inputs, config: limited });
  expect(failures.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^consumerLimits: consumer greedy has maxAckPending 500, above 100; /),
  ]);
  await expect(port.update(limited)).rejects.toThrow(/violates consumers: greedy/);
  await port.delete("LIMITED");
});

const updatable = Object.entries<Field>(STREAM_FIELDS).filter(
  ([, { update }]) => update !== "never",
);

it("has a case for every field that can be updated, and for no other", () => {
  expect(Object.keys(CASES).sort()).toEqual(updatable.map(([name]) => name).sort());
});

describe.concurrent.each(Object.entries(CASES))("%s", (_, cases) => {
  it.each(cases.map((each) => [each.label ?? "keeps what it says", each] as const))(
    "%s",
    async (_, each) => await walk(each),
  );
});
