import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Field } from "../../lib/base/field-table.ts";
import { diffConsumer, requestedConfig } from "../../lib/consumers/consumer-diff.ts";
import {
  CONSUMER_FIELDS,
  type ConsumerConfig,
  type ConsumerFields,
} from "../../lib/consumers/consumer-fields.ts";
import { type ConsumerPort, openConsumers } from "../../live/jetstream/consumers.ts";
import { JetStreamError } from "../../live/jetstream/jetstream.ts";
import type { ConsumerInputs, ConsumerOutputs } from "../../providers/consumers/consumer-inputs.ts";
import { consumerLifecycle } from "../../providers/consumers/consumer-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

/**
 * Every field of a consumer's config through the life of a consumer on real servers: set, changed, unset, changed behind
 * our back. That the server has what it should is told by a consumer that was born that way, without the provider's
 * help.
 */

type Fields = Omit<ConsumerConfig, "name">;

interface Row {
  /** What the field needs beside it. */
  readonly base?: Fields;
  /** The field set, and set to something else where there is more than on and off. */
  readonly set: Fields;
  readonly changed?: Fields;
  /** The error of the server that refuses a change; absent if it takes all of them in place. */
  readonly code?: number;
  /** What the server says of it. */
  readonly says?: string;
}

const SECOND = 1_000_000_000;
const PUSH: Fields = { deliver_subject: "to.push" };
const PINNED: Fields = { priority_policy: "pinned_client", priority_groups: ["a"] };

const ROWS: { readonly [Setting in keyof ConsumerFields]: Row } = {
  description: { set: { description: "orders" }, changed: { description: "invoices" } },
  filterSubjects: {
    set: { filter_subjects: ["s.a", "s.b"] },
    changed: { filter_subjects: ["s.c.>"] },
  },
  filterSubject: { set: { filter_subject: "s.a" }, changed: { filter_subject: "s.*" } },
  deliverPolicy: {
    set: { deliver_policy: "new" },
    changed: { deliver_policy: "last" },
    code: 10012,
    says: "deliver policy can not be updated",
  },
  startSequence: {
    base: { deliver_policy: "by_start_sequence", opt_start_seq: 1 },
    set: { opt_start_seq: 5 },
    changed: { opt_start_seq: 6 },
    code: 10012,
    says: "start sequence can not be updated",
  },
  startTime: {
    base: { deliver_policy: "by_start_time", opt_start_time: "2026-01-31T12:00:00Z" },
    set: { opt_start_time: "2026-01-31T13:00:00.5+01:00" },
    changed: { opt_start_time: "2026-02-28T00:00:00Z" },
    code: 10012,
    says: "start time can not be updated",
  },
  ackPolicy: {
    set: { ack_policy: "all" },
    changed: { ack_policy: "none" },
    code: 10012,
    says: "ack policy can not be updated",
  },
  ackWait: { set: { ack_wait: SECOND }, changed: { ack_wait: 60 * SECOND } },
  backoff: {
    set: { backoff: [SECOND, 5 * SECOND] },
    changed: { backoff: [5 * SECOND, SECOND, SECOND] },
  },
  maxDeliver: { set: { max_deliver: 5 }, changed: { max_deliver: 3 } },
  maxAckPending: { set: { max_ack_pending: 10 }, changed: { max_ack_pending: -1 } },
  maxWaiting: {
    set: { max_waiting: 10 },
    changed: { max_waiting: 20 },
    code: 10012,
    says: "max waiting can not be updated",
  },
  maxBatch: { set: { max_batch: 10 }, changed: { max_batch: 20 } },
  maxExpires: { set: { max_expires: SECOND }, changed: { max_expires: 2 * SECOND } },
  maxBytes: { set: { max_bytes: 1_000 }, changed: { max_bytes: 2_000 } },
  deliverSubject: {
    base: PUSH,
    set: { deliver_subject: "to.here" },
    changed: { deliver_subject: "to.there" },
  },
  deliverGroup: {
    base: PUSH,
    set: { deliver_group: "workers" },
    changed: { deliver_group: "others" },
  },
  flowControl: {
    base: { ...PUSH, idle_heartbeat: SECOND },
    set: { flow_control: true },
    code: 10012,
    says: "flow control can not be updated",
  },
  idleHeartbeat: {
    base: PUSH,
    set: { idle_heartbeat: SECOND },
    changed: { idle_heartbeat: 2 * SECOND },
    code: 10012,
    says: "heart beats can not be updated",
  },
  rateLimit: {
    base: PUSH,
    set: { rate_limit_bps: 1_000_000 },
    changed: { rate_limit_bps: 2_000_000 },
  },
  headersOnly: { set: { headers_only: true } },
  replayPolicy: {
    set: { replay_policy: "original" },
    code: 10012,
    says: "replay policy can not be updated",
  },
  sampleFrequency: { set: { sample_freq: "30%" }, changed: { sample_freq: "40" } },
  inactiveThreshold: {
    set: { inactive_threshold: 3_600 * SECOND },
    changed: { inactive_threshold: 7_200 * SECOND },
  },
  replicas: { set: { num_replicas: 1 }, changed: { num_replicas: 3 } },
  memoryStorage: {
    set: { mem_storage: true },
    code: 10012,
    says: "storage type can not be updated",
  },
  metadata: {
    set: { metadata: { team: "orders" } },
    changed: { metadata: { team: "invoices", tier: "1" } },
  },
  pauseUntil: {
    set: { pause_until: "2126-01-31T12:00:00Z" },
    changed: { pause_until: "2127-01-31T13:00:00Z" },
  },
  priorityPolicy: {
    base: { priority_policy: "overflow", priority_groups: ["a"] },
    set: { priority_policy: "pinned_client" },
    changed: { priority_policy: "prioritized" },
  },
  priorityGroups: {
    base: PINNED,
    set: { priority_groups: ["b"] },
    changed: { priority_groups: ["a", "c"] },
  },
  priorityTimeout: {
    base: PINNED,
    set: { priority_timeout: SECOND },
    changed: { priority_timeout: 2 * SECOND },
  },
  sourcing: { set: { sourcing: true }, code: 10012, says: "sourcing can not be updated" },
};

const STREAM = "STREAM";

let opened: OpenCluster;
let port: ConsumerPort;
let consumers = 0;
/** What was compared or refused, in all. */
let claims = 0;

const lifecycle = consumerLifecycle(() => ({ streams: opened.port, consumers: port }), {
  pause: 20,
  say: () => undefined,
});

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  port = openConsumers(opened.cluster.connection, opened.cluster.account);
  await opened.port.create({ name: STREAM, subjects: ["s.>"], num_replicas: 3 });
});

afterAll(async () => {
  await opened.close();
  console.log(`${Object.keys(ROWS).length} fields, ${consumers} consumers, ${claims} claims`);
});

/** A name of its own for each: the server may still be deleting the former one. */
function nextName(): string {
  consumers += 1;
  return `consumer${consumers}`;
}

function configOf(name: string, { base }: Row, fields: Fields): ConsumerConfig {
  return { name, ...base, ...fields };
}

/** What the server has, apart from its own metadata and the name. */
async function observe(name: string): Promise<unknown> {
  const { config } = await port.info(STREAM, name);
  const { name: _, durable_name: __, metadata = {}, ...rest } = config;
  const own = Object.entries(metadata).filter(([key]) => !key.startsWith("_nats."));
  return own.length > 0 ? { ...rest, metadata: Object.fromEntries(own) } : rest;
}

/** What the server has of a consumer that is born with these fields, and was never anything else. */
async function observeNewborn(row: Row, fields: Fields): Promise<unknown> {
  const name = nextName();
  await port.put(STREAM, requestedConfig(configOf(name, row, fields)), "create");
  try {
    return await observe(name);
  } finally {
    await port.delete(STREAM, name);
  }
}

/** A consumer that is in the program, and what the state has of it. */
class Tracked {
  readonly #name = nextName();
  readonly #setting: string;
  readonly #row: Row;
  #state: ConsumerOutputs | undefined;

  constructor(setting: string, row: Row) {
    this.#setting = setting;
    this.#row = row;
  }

  async create(fields: Fields): Promise<void> {
    this.#state = (await lifecycle.create(await this.#plan(fields))).outs;
    await this.#expectKept(fields);
  }

  async update(fields: Fields): Promise<void> {
    const news = await this.#plan(fields);
    expect(await lifecycle.diff(this.#name, this.#known, news)).toMatchObject({ changes: true });
    const { outs } = await lifecycle.update(this.#name, this.#known, news);
    this.#state = outs as ConsumerOutputs;
    await this.#expectKept(fields);
  }

  /** Changes the consumer behind the provider's back: a refresh shows that this field changed, and no other. */
  async drift(fields: Fields): Promise<void> {
    const { config: written } = this.#known;
    const changed = configOf(this.#name, this.#row, fields);
    await port.put(STREAM, requestedConfig(changed), "update");
    await port.pause(STREAM, this.#name, changed.pause_until);
    // The server answers a request to pause before it is carried out.
    await eventually(async () => {
      const { props } = await lifecycle.read(this.#name, this.#known);
      this.#state = props as ConsumerOutputs;
      return diffConsumer(this.#known.config, changed).length === 0;
    });
    expect(diffConsumer(written, this.#known.config).map(({ path }) => path)).toEqual([
      this.#setting === "filterSubject" ? "filterSubjects" : this.#setting,
    ]);
    claims += 2;
  }

  /** Neither we nor the server would do that. */
  async refuse(fields: Fields): Promise<void> {
    const { code, says = "" } = this.#row;
    const { failures } = await this.#check(fields);
    expect(failures.map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(new RegExp(`^${this.#setting}: .*all is acknowledged up to`)),
    );
    const before = await observe(this.#name);
    const changed = requestedConfig(configOf(this.#name, this.#row, fields));
    const error: unknown = await port.put(STREAM, changed, "update").catch((each) => each);
    expect(error).toBeInstanceOf(JetStreamError);
    expect(error).toMatchObject({ code, description: says });
    expect(await observe(this.#name)).toEqual(before);
    claims += 3;
  }

  async remove(): Promise<void> {
    await port.delete(STREAM, this.#name);
  }

  get #known(): ConsumerOutputs {
    if (!this.#state) throw new Error(`${this.#name} was not created`);
    return this.#state;
  }

  async #check(fields: Fields) {
    const { account } = opened.cluster;
    const config = configOf(this.#name, this.#row, fields);
    const news = { account, stream: STREAM, consumer: this.#name, config, policy: {} };
    const { inputs, failures = [] } = await lifecycle.check(this.#state ?? {}, news);
    return { inputs: inputs as ConsumerInputs, failures };
  }

  async #plan(fields: Fields): Promise<ConsumerInputs> {
    const { inputs, failures } = await this.#check(fields);
    expect(failures).toEqual([]);
    return inputs;
  }

  /** The server has just these fields, and neither a preview nor a refresh finds anything to do. */
  async #expectKept(fields: Fields): Promise<void> {
    expect(await observe(this.#name)).toEqual(await observeNewborn(this.#row, fields));
    const news = await this.#plan(fields);
    expect(await lifecycle.diff(this.#name, this.#known, news)).toMatchObject({ changes: false });
    const { inputs, props } = await lifecycle.read(this.#name, this.#known);
    expect(inputs).toEqual(news);
    expect(props).toEqual(this.#known);
    claims += 3;
  }
}

async function walkFreely(track: () => Tracked, { set, changed }: Row): Promise<void> {
  const consumer = track();
  await consumer.create(set);
  if (changed) {
    await consumer.update(changed);
    await consumer.drift(set);
    await consumer.update(changed);
  }
  await consumer.update({});
  await consumer.drift(set);
  await consumer.update({});
  await consumer.update(set);
  await consumer.drift({});
  await consumer.update(set);
  await consumer.remove();
}

async function stay(track: () => Tracked, { set, changed }: Row): Promise<void> {
  const [consumer, unset] = [track(), track()];
  await consumer.create(set);
  for (const fields of [changed, {}]) if (fields) await consumer.refuse(fields);
  await consumer.update({ ...set, description: "other fields change as ever" });
  await unset.create({});
  await unset.refuse(set);
}

const TABLE: ReadonlyMap<string, Field> = new Map(Object.entries(CONSUMER_FIELDS));

it("has a row for every field of the table, and for no other", () => {
  expect(Object.keys(ROWS).sort()).toEqual([...TABLE.keys()].sort());
});

describe.each(Object.entries(ROWS))("%s", (setting, row) => {
  const { update } = TABLE.get(setting) ?? { update: "never" };

  it(`changes on the server as the table says: ${update}`, async () => {
    const walk = update === "never" ? stay : walkFreely;
    expect(row.code !== undefined).toBe(update === "never");
    await walk(() => new Tracked(setting, row), row);
  });
});

it("lets no pull consumer push, nor a push consumer be pulled from", async () => {
  const row: Row = { set: PUSH, code: 10012, says: "can not update push consumer to pull based" };
  const push = new Tracked("deliverSubject", row);
  await push.create(PUSH);
  await push.refuse({});
  const pull = new Tracked("deliverSubject", {
    ...row,
    says: "can not update pull consumer to push based",
  });
  await pull.create({});
  await pull.refuse(PUSH);
});
