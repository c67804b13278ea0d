import type { NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Field, NestedTable, Update } from "../../lib/base/field-table.ts";
import { diffConfig } from "../../lib/streams/stream-diff.ts";
import {
  STREAM_FIELDS,
  type StreamConfig,
  type StreamFields,
} from "../../lib/streams/stream-fields.ts";
import {
  JetStreamError,
  type JetStreamPort,
  openJetStream,
  type StreamInfo,
} from "../../live/jetstream/jetstream.ts";
import { Handovers } from "../../providers/streams/handovers.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import type { TestCluster } from "../support/nats-cluster.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

/**
 * Every field of a stream's config through the life of a stream on real servers: set, changed, unset, changed
 * behind our back. That the server has what it should is told by a stream that was born that way, without
 * the provider's help.
 */

type Fields = Omit<StreamConfig, "name">;
type Origin = NonNullable<Fields["mirror"]>;

/** {@link NAME} stands for the stream's name. */
interface Row {
  /** What the field needs beside it. */
  readonly base?: Fields;
  /** The stream must not take subjects, or takes those of the row alone. */
  readonly bare?: true;
  /** The field set, and set to something else where there is more than on and off. */
  readonly set: Fields;
  readonly changed?: Fields;
  /** The object set, but not the field in it, where that too is a change that can't be. */
  readonly partial?: Fields;
  /** The server accepts a change, to no effect, instead of refusing it. */
  readonly ignored?: true;
}

const NAME = "NAME";

const SECOND = 1_000_000_000;
const FAR: Origin = { name: "ORIGIN", external: { api: "$JS.far.API" } };

const ROWS: { readonly [Setting in keyof StreamFields]: Row } = {
  description: { set: { description: "orders" }, changed: { description: "invoices" } },
  subjects: {
    bare: true,
    set: { subjects: ["NAME.a"] },
    changed: { subjects: ["NAME.b.>", "NAME.c"] },
  },
  retention: { set: { retention: "interest" } },
  replicas: { set: { num_replicas: 3 }, changed: { num_replicas: 2 } },
  placement: {
    set: { placement: { tags: ["az:1"] } },
    changed: { placement: { tags: ["az:2", "!az:3"], cluster: "c1" } },
  },
  storage: { set: { storage: "memory" } },
  compression: { set: { compression: "s2" } },
  discard: { set: { discard: "new" } },
  discardNewPerSubject: {
    base: { discard: "new", max_msgs_per_subject: 5 },
    set: { discard_new_per_subject: true },
  },
  maxAge: { set: { max_age: 60 * SECOND }, changed: { max_age: 600 * SECOND } },
  maxMsgs: { set: { max_msgs: 10 }, changed: { max_msgs: 5 } },
  maxBytes: { set: { max_bytes: 10_000 }, changed: { max_bytes: 20_000 } },
  maxMsgsPerSubject: { set: { max_msgs_per_subject: 10 }, changed: { max_msgs_per_subject: 5 } },
  maxMsgSize: { set: { max_msg_size: 1_000 }, changed: { max_msg_size: 2_000 } },
  maxConsumers: { set: { max_consumers: 10 }, changed: { max_consumers: 20 } },
  noAck: { set: { no_ack: true } },
  duplicateWindow: {
    set: { duplicate_window: SECOND },
    changed: { duplicate_window: 2 * SECOND },
  },
  mirror: {
    bare: true,
    set: { mirror: { name: "ORIGIN" } },
    changed: { mirror: { name: "ELSE" } },
  },
  sources: {
    set: { sources: [{ name: "ORIGIN" }] },
    changed: { sources: [{ name: "ELSE" }, { name: "ORIGIN" }] },
  },
  subjectTransform: {
    set: { subject_transform: { src: "a.>", dest: "b.>" } },
    changed: { subject_transform: { src: "a.*", dest: "c.{{wildcard(1)}}" } },
  },
  republish: {
    set: { republish: { dest: "copy.>" } },
    changed: { republish: { src: "a.>", dest: "copy.a.>", headers_only: true } },
  },
  consumerLimits: {
    set: { consumer_limits: { max_ack_pending: 10 } },
    changed: { consumer_limits: { inactive_threshold: SECOND } },
  },
  firstSequence: { ignored: true, set: { first_seq: 100 }, changed: { first_seq: 200 } },
  allowDirect: { set: { allow_direct: true } },
  mirrorDirect: { bare: true, base: { mirror: FAR }, set: { mirror_direct: true } },
  allowRollup: { set: { allow_rollup_hdrs: true } },
  denyDelete: { set: { deny_delete: true } },
  denyPurge: { set: { deny_purge: true } },
  sealed: { set: { sealed: true } },
  metadata: {
    set: { metadata: { team: "orders" } },
    changed: { metadata: { team: "invoices", tier: "1" } },
  },
  allowMsgTtl: { set: { allow_msg_ttl: true } },
  subjectDeleteMarkerTtl: {
    base: { allow_msg_ttl: true, allow_rollup_hdrs: true },
    set: { subject_delete_marker_ttl: 60 * SECOND },
    changed: { subject_delete_marker_ttl: 30 * SECOND },
  },
  allowMsgCounter: { set: { allow_msg_counter: true } },
  allowAtomic: { set: { allow_atomic: true } },
  allowMsgSchedules: { base: { allow_rollup_hdrs: true }, set: { allow_msg_schedules: true } },
  persistMode: { set: { persist_mode: "async" } },
  allowBatched: { set: { allow_batched: true } },
};

interface OriginRow {
  readonly base?: Origin;
  readonly set: Origin;
  readonly changed: Origin;
}

/** For a mirror and for sources alike. */
const ORIGIN_ROWS: Readonly<Record<string, OriginRow>> = {
  name: { set: { name: "ORIGIN" }, changed: { name: "ELSE" } },
  startSequence: {
    base: { name: "ORIGIN" },
    set: { name: "ORIGIN", opt_start_seq: 5 },
    changed: { name: "ORIGIN", opt_start_seq: 6 },
  },
  startTime: {
    base: { name: "ORIGIN" },
    set: { name: "ORIGIN", opt_start_time: "2026-01-31T13:00:00.500+01:00" },
    changed: { name: "ORIGIN", opt_start_time: "2026-01-31T13:00:00Z" },
  },
  filterSubject: {
    base: { name: "ORIGIN" },
    set: { name: "ORIGIN", filter_subject: "o.x" },
    changed: { name: "ORIGIN", filter_subject: "o.y" },
  },
  "subjectTransforms.src": {
    base: { name: "ORIGIN" },
    set: { name: "ORIGIN", subject_transforms: [{ src: "o.>", dest: "p.>" }] },
    changed: { name: "ORIGIN", subject_transforms: [{ src: "n.>", dest: "p.>" }] },
  },
  "subjectTransforms.dest": {
    base: { name: "ORIGIN", subject_transforms: [{ src: "o.>" }] },
    set: { name: "ORIGIN", subject_transforms: [{ src: "o.>", dest: "p.>" }] },
    changed: { name: "ORIGIN", subject_transforms: [{ src: "o.>", dest: "q.>" }] },
  },
  "external.api": {
    base: { name: "ORIGIN" },
    set: FAR,
    changed: { name: "ORIGIN", external: { api: "$JS.farther.API" } },
  },
  "external.deliver": {
    base: FAR,
    set: { name: "ORIGIN", external: { api: "$JS.far.API", deliver: "from.far" } },
    changed: { name: "ORIGIN", external: { api: "$JS.far.API", deliver: "from.farther" } },
  },
  "consumer.name": {
    base: { name: "ORIGIN" },
    set: { name: "ORIGIN", consumer: { name: "copy", deliver_subject: "to.copy" } },
    changed: { name: "ORIGIN", consumer: { name: "other", deliver_subject: "to.copy" } },
  },
  "consumer.deliverSubject": {
    base: { name: "ORIGIN" },
    set: { name: "ORIGIN", consumer: { name: "copy", deliver_subject: "to.copy" } },
    changed: { name: "ORIGIN", consumer: { name: "copy", deliver_subject: "to.other" } },
  },
};

/** Fields of fields. */
const NESTED_ROWS: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    Object.entries(ORIGIN_ROWS).flatMap(([name, { base, set, changed }]): [string, Row][] => [
      [
        `mirror.${name}`,
        {
          bare: true,
          ...(base ? { partial: { mirror: base } } : {}),
          set: { mirror: set },
          changed: { mirror: changed },
        },
      ],
      [
        `sources.${name}`,
        {
          ...(base ? { base: { sources: [base] } } : {}),
          set: { sources: [set] },
          changed: { sources: [changed] },
        },
      ],
    ]),
  ),
  "placement.cluster": { set: { placement: { cluster: "c1" } } },
  "placement.tags": {
    base: { placement: { cluster: "c1" } },
    set: { placement: { cluster: "c1", tags: ["az:1"] } },
    changed: { placement: { cluster: "c1", tags: ["az:2"] } },
  },
  "subjectTransform.src": {
    base: { subject_transform: { dest: "b.>" } },
    set: { subject_transform: { src: "a.>", dest: "b.>" } },
    changed: { subject_transform: { src: "c.>", dest: "b.>" } },
  },
  "subjectTransform.dest": {
    base: { subject_transform: { src: "a.>" } },
    set: { subject_transform: { src: "a.>", dest: "b.>" } },
    changed: { subject_transform: { src: "a.>", dest: "c.>" } },
  },
  "republish.src": {
    base: { republish: { dest: "copy.>" } },
    set: { republish: { src: "a.>", dest: "copy.>" } },
    changed: { republish: { src: "b.>", dest: "copy.>" } },
  },
  "republish.dest": {
    set: { republish: { dest: "copy.>" } },
    changed: { republish: { dest: "other.>" } },
  },
  "republish.headersOnly": {
    base: { republish: { dest: "copy.>" } },
    set: { republish: { dest: "copy.>", headers_only: true } },
  },
  "consumerLimits.inactiveThreshold": {
    base: { consumer_limits: { max_ack_pending: 10 } },
    set: { consumer_limits: { max_ack_pending: 10, inactive_threshold: SECOND } },
    changed: { consumer_limits: { max_ack_pending: 10, inactive_threshold: 2 * SECOND } },
  },
  "consumerLimits.maxAckPending": {
    base: { consumer_limits: { inactive_threshold: SECOND } },
    set: { consumer_limits: { inactive_threshold: SECOND, max_ack_pending: 10 } },
    changed: { consumer_limits: { inactive_threshold: SECOND, max_ack_pending: 20 } },
  },
};

let opened: OpenCluster;
let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;
let streams = 0;
/** What was compared or refused, in all. */
let claims = 0;

const lifecycle = streamLifecycle((account) => openJetStream(cluster.connection, account), {
  pause: 20,
  // Streams that are copied from aren't there, and needn't be for a field to be kept.
  contact: 0,
  handovers: Object.assign(new Handovers(), { isPlanned: () => true }),
  say: () => undefined,
});

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  ({ cluster, port, client } = opened);
  // With an account's last stream on it a server removes the folder above, perhaps under another stream
  // that is being created: "error creating store for stream" (10049, nats-server 2.15 `stream.stop`).
  await port.create({ name: "KEEPER", num_replicas: 3 });
});

afterAll(async () => {
  await opened.close();
  const rows = Object.keys({ ...ROWS, ...NESTED_ROWS }).length;
  console.log(`${rows} fields, ${streams} streams, ${claims} claims`);
});

/** A name of its own for each: the server may fail to recreate what it is still deleting. */
function nextName(): string {
  streams += 1;
  return `STREAM${streams}`;
}

function configOf(name: string, { bare, base }: Row, fields: Fields): StreamConfig {
  const config = { name, ...(bare ? {} : { subjects: [`${NAME}.>`] }), ...base, ...fields };
  return JSON.parse(JSON.stringify(config).replaceAll(NAME, name));
}

/** What the server has, apart from its own metadata and the name. */
async function observe(name: string): Promise<unknown> {
  const { config } = await port.info(name);
  const metadata = Object.entries(config.metadata ?? {}).filter(([key]) => !/^_nats\./.test(key));
  const { metadata: _, ...rest } = config;
  const visible = metadata.length > 0 ? { ...rest, metadata: Object.fromEntries(metadata) } : rest;
  return JSON.parse(JSON.stringify(visible).replaceAll(name, NAME));
}

/** What the server has of a stream that is born with these fields, and was never anything else. */
async function observeNewborn(row: Row, fields: Fields): Promise<unknown> {
  const name = nextName();
  await port.create(configOf(name, row, fields));
  try {
    return await observe(name);
  } finally {
    await port.delete(name);
  }
}

/** A stream that is in the program, and what the state has of it. */
class Tracked {
  readonly #name = nextName();
  readonly #setting: string;
  readonly #row: Row;
  #state: StreamOutputs | undefined;

  constructor(path: string, row: Row) {
    this.#setting = path.split(".")[0] ?? path;
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
    this.#state = outs as StreamOutputs;
    await this.#expectKept(fields);
  }

  /** Changes the stream behind the provider's back: a refresh shows that this field changed, and no other. */
  async drift(fields: Fields): Promise<void> {
    const { config: written } = this.#known;
    const changed = configOf(this.#name, this.#row, fields);
    await port.update(changed);
    const { props } = await lifecycle.read(this.#name, this.#known);
    this.#state = props as StreamOutputs;
    expect(diffConfig(written, this.#known.config).map(({ path }) => path)).toEqual([
      this.#setting,
    ]);
    expect(diffConfig(this.#known.config, changed)).toEqual([]);
    claims += 2;
  }

  /** From now on something is lost if the stream is made anew. */
  async giveConsumer(): Promise<void> {
    const config = { name: "c", durable_name: "c", ack_policy: "none" };
    const request = JSON.stringify({ stream_name: this.#name, config });
    await client.request(`$JS.API.CONSUMER.CREATE.${this.#name}.c`, request, { timeout: 5_000 });
  }

  /** Neither we nor the server would do that. */
  async refuse(fields: Fields): Promise<void> {
    await this.refuseByCheck(fields);
    const before = await observe(this.#name);
    const changed = configOf(this.#name, this.#row, fields);
    await expect(port.update(changed)).rejects.toBeInstanceOf(JetStreamError);
    expect(await observe(this.#name)).toEqual(before);
    claims += 2;
  }

  /** We would not do that, since it would come to nothing. */
  async ignore(fields: Fields): Promise<void> {
    await this.refuseByCheck(fields);
    const before = await this.#firstSequence();
    await port.update(configOf(this.#name, this.#row, fields));
    expect(await this.#firstSequence()).toBe(before);
    await port.update(this.#known.config);
    claims += 1;
  }

  async refuseByCheck(fields: Fields): Promise<void> {
    const { failures } = await this.#check(fields);
    expect(failures.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(new RegExp(`^${this.#setting}: `)),
    ]);
    claims += 1;
  }

  async remove(): Promise<void> {
    await port.delete(this.#name);
  }

  async #firstSequence(): Promise<number> {
    const info = (await port.info(this.#name)) as StreamInfo & { state: { first_seq: number } };
    return info.state.first_seq;
  }

  get #known(): StreamOutputs {
    if (!this.#state) throw new Error(`${this.#name} was not created`);
    return this.#state;
  }

  async #check(fields: Fields) {
    const { account, fleet } = cluster;
    const config = configOf(this.#name, this.#row, fields);
    const news = { stream: this.#name, account, config, policy: {}, fleet };
    const { inputs, failures = [] } = await lifecycle.check(this.#state ?? {}, news);
    return { inputs: inputs as StreamInputs, failures };
  }

  async #plan(fields: Fields): Promise<StreamInputs> {
    const { inputs, failures } = await this.#check(fields);
    expect(failures).toEqual([]);
    return inputs;
  }

  /** The server has just these fields, and neither a preview nor a refresh finds anything to do. */
  async #expectKept(fields: Fields): Promise<void> {
    if (!fields.sealed) {
      expect(await observe(this.#name)).toEqual(await observeNewborn(this.#row, fields));
    }
    const news = await this.#plan(fields);
    expect(await lifecycle.diff(this.#name, this.#known, news)).toMatchObject({ changes: false });
    const { inputs, props } = await lifecycle.read(this.#name, this.#known);
    expect(inputs).toEqual(news);
    expect(props).toEqual(this.#known);
    claims += 3;
  }
}

type Walk = (track: () => Tracked, row: Row) => Promise<void>;

/** What can be done to a field, by what its line in the table says. */
const WALKS: Readonly<Record<Update, Walk>> = {
  "in place": walkFreely,
  moves: walkFreely,
  scales: walkFreely,
  "only on": walkUp,
  "remove only": walkOut,
  never: stay,
};

async function walkFreely(track: () => Tracked, { set, changed }: Row): Promise<void> {
  const stream = track();
  await stream.create(set);
  if (changed) {
    await stream.update(changed);
    await stream.drift(set);
    await stream.update(changed);
  }
  await stream.update({});
  await stream.drift(set);
  await stream.update({});
  await stream.update(set);
  await stream.drift({});
  await stream.update(set);
  await stream.remove();
}

async function walkUp(track: () => Tracked, { set }: Row): Promise<void> {
  const [stream, drifting, born] = [track(), track(), track()];
  await stream.create({});
  await stream.update(set);
  await stream.refuse({});
  await drifting.create({});
  await drifting.drift(set);
  await drifting.refuse({});
  if (set.sealed) await born.refuseByCheck(set);
  else await born.create(set);
}

async function walkOut(track: () => Tracked, { set, changed, partial }: Row): Promise<void> {
  const [stream, drifting] = [track(), track()];
  await stream.create(set);
  await stream.giveConsumer();
  for (const fields of [changed, partial]) if (fields) await stream.refuse(fields);
  await stream.update({ ...set, description: "other fields change as ever" });
  await stream.update({});
  await stream.refuse(set);
  await drifting.create(set);
  await drifting.drift({});
  await drifting.refuse(set);
}

async function stay(track: () => Tracked, { set, changed, ignored }: Row): Promise<void> {
  const [stream, unset] = [track(), track()];
  const attempt = ignored ? "ignore" : "refuse";
  await stream.create(set);
  for (const fields of [changed, {}]) if (fields) await stream[attempt](fields);
  await unset.create({});
  await unset[attempt](set);
  if (ignored) await unset.drift(set);
}

/** All fields, and those of their objects that hold a value. */
function pathsOf(table: Readonly<Record<string, Field>> | NestedTable, above = ""): string[] {
  return Object.entries(table).flatMap(([name, field]) => {
    const path = `${above}${name}`;
    const nested = "fields" in field ? pathsOf(field.fields, `${path}.`) : [];
    return nested.length > 0 && above !== "" ? nested : [path, ...nested];
  });
}

const TABLE: ReadonlyMap<string, Field> = new Map(Object.entries(STREAM_FIELDS));

it("has a row for every field of the table, and for no other", () => {
  const rows = Object.keys({ ...ROWS, ...NESTED_ROWS });
  expect(rows.sort()).toEqual(pathsOf(STREAM_FIELDS).sort());
});

describe.each(Object.entries({ ...ROWS, ...NESTED_ROWS }))("%s", (path, row) => {
  const { update } = TABLE.get(path.split(".")[0] ?? path) ?? { update: "never" };

  it(`changes on the server as the table says: ${update}`, async () => {
    // What is ignored looks like any other change; only a field that can't change may be so.
    const walk = row.ignored ? stay : WALKS[update];
    await walk(() => new Tracked(path, row), row);
  });
});

it("lets no stream become a work queue, nor stop being one", async () => {
  const row: Row = { set: { retention: "workqueue" }, changed: { retention: "interest" } };
  await stay(() => new Tracked("retention", row), row);
});
