import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUCKET_KINDS, type BucketKind } from "../../lib/buckets/bucket-kinds.ts";
import {
  bucketSettingsSchema,
  objectStoreSettingsSchema,
} from "../../lib/buckets/bucket-settings.ts";
import { compileBuckets } from "../../lib/buckets/compile-buckets.ts";
import { diffConfig } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { OWN_TAGS } from "../../lib/topology/tags.ts";
import { JetStreamError, openJetStream } from "../../live/jetstream/jetstream.ts";
import { Handovers } from "../../providers/streams/handovers.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

/**
 * Every field of buckets and object stores through their life on real servers: set, changed, unset, changed behind our
 * back, or refused. That the server has what it should is told by a stream that was born as nats.go makes it.
 */

type Fields = Readonly<Record<string, unknown>>;

interface Row {
  /** What it needs beside it. */
  readonly base?: Fields;
  readonly set: Fields;
  readonly changed?: Fields;
  /** What the stream of such a bucket has, by nats.go (1.55, jetstream/kv.go and object.go), besides what all have. */
  readonly born: object;
  /**
   * What is refused, by us and by the server; `set` alone: to set it, `unset` alone: to take it out. Absent: nothing.
   */
  readonly refused?: "all" | "set" | "unset";
}

const NAME = "NAME";
const SECOND = 1_000_000_000;

const COMMON = {
  description: {
    set: { description: "a" },
    changed: { description: "b" },
    born: { description: "a" },
  },
  ttl: {
    set: { ttl: "1m" },
    changed: { ttl: "10m" },
    born: { max_age: 60 * SECOND, duplicate_window: 60 * SECOND },
  },
  maxBytes: {
    set: { maxBytes: "1MiB" },
    changed: { maxBytes: "2MiB" },
    born: { max_bytes: 1_048_576 },
  },
  storage: { set: { storage: "memory" }, born: { storage: "memory" }, refused: "all" },
  compression: { set: { compression: true }, born: { compression: "s2" } },
  replicas: { set: { replicas: 3 }, changed: { replicas: 2 }, born: { num_replicas: 3 } },
  placement: {
    set: { placement: { tags: ["az:1"] } },
    changed: { placement: { tags: ["az:2"], cluster: "c1" } },
    born: { placement: { tags: ["az:1"] } },
  },
  metadata: {
    set: { metadata: { team: "a" } },
    changed: { metadata: { team: "b", tier: "1" } },
    born: { metadata: { team: "a" } },
  },
} as const satisfies Readonly<Record<string, Row>>;

const ROWS: Readonly<Record<BucketKind, Readonly<Record<string, Row>>>> = {
  bucket: {
    ...COMMON,
    history: {
      set: { history: 5 },
      changed: { history: 64 },
      born: { max_msgs_per_subject: 5 },
    },
    limitMarkerTtl: {
      base: { ttl: "1m" },
      set: { limitMarkerTtl: "10s" },
      changed: { limitMarkerTtl: "20s" },
      born: {
        max_age: 60 * SECOND,
        duplicate_window: 60 * SECOND,
        allow_msg_ttl: true,
        subject_delete_marker_ttl: 10 * SECOND,
      },
      refused: "unset",
    },
    maxValueSize: {
      set: { maxValueSize: "1KiB" },
      changed: { maxValueSize: "2KiB" },
      born: { max_msg_size: 1_024 },
    },
    republish: {
      set: { republish: { dest: "copy.>" } },
      changed: { republish: { src: "$KV.NAME.a.>", dest: "copy.a.>", headersOnly: true } },
      born: { republish: { src: ">", dest: "copy.>" } },
    },
    mirror: {
      set: { mirror: { name: "ORIGIN" } },
      changed: { mirror: { name: "ELSE" } },
      born: {
        subjects: undefined,
        duplicate_window: undefined,
        mirror: { name: "KV_ORIGIN" },
        mirror_direct: true,
      },
      refused: "set",
    },
    sources: {
      set: { sources: [{ name: "ORIGIN" }] },
      changed: { sources: [{ name: "ELSE" }, { name: "ORIGIN" }] },
      born: {
        sources: [
          {
            name: "KV_ORIGIN",
            subject_transforms: [{ src: "$KV.ORIGIN.>", dest: "$KV.NAME.>" }],
          },
        ],
      },
    },
  },
  objectStore: {
    ...COMMON,
    sealed: { set: { sealed: true }, born: { sealed: true }, refused: "unset" },
    allowBatched: { set: { allowBatched: true }, born: { allow_batched: true } },
  },
};

/** What all streams of a kind have (same source). */
const BORN: Readonly<Record<BucketKind, (name: string) => object>> = {
  bucket: (name) => ({
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    max_msgs_per_subject: 1,
    max_bytes: -1,
    max_msg_size: -1,
    num_replicas: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
    duplicate_window: 120 * SECOND,
    max_msgs: -1,
    max_consumers: -1,
    allow_direct: true,
    discard: "new",
  }),
  objectStore: (name) => ({
    name: `OBJ_${name}`,
    subjects: [`$O.${name}.C.>`, `$O.${name}.M.>`],
    max_bytes: -1,
    num_replicas: 1,
    discard: "new",
    allow_rollup_hdrs: true,
    allow_direct: true,
  }),
};

let opened: OpenCluster;
let made = 0;
let claims = 0;

const port = () => opened.port;
const lifecycle = streamLifecycle((account) => openJetStream(opened.cluster.connection, account), {
  pause: 20,
  // Buckets that are copied from aren't there, and needn't be for a field to be kept.
  contact: 0,
  handovers: Object.assign(new Handovers(), { isPlanned: () => true }),
  say: () => undefined,
});

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  // See stream-fields.test.ts.
  await port().create({ name: "KEEPER", num_replicas: 3 });
});

afterAll(async () => {
  await opened.close();
  console.log(`${made} buckets and object stores, ${claims} claims`);
});

/** A name of its own for each: the server may fail to make again what it is still deleting. */
function nextName(): string {
  made += 1;
  return `B${made}x`;
}

function withName<Value>(value: Value, name: string): Value {
  return JSON.parse(JSON.stringify(value).replaceAll(NAME, name));
}

/** The stream's config, from the settings as users write them. */
function configOf(kind: BucketKind, name: string, fields: Fields): StreamConfig {
  const given = withName(fields, name);
  const [compiled] = compileBuckets(
    {
      buckets: kind === "bucket" ? { [name]: bucketSettingsSchema.parse(given) } : {},
      objectStores: kind === "bucket" ? {} : { [name]: objectStoreSettingsSchema.parse(given) },
      account: opened.cluster.account,
    },
    { shape: [], nodes: [], uniqueTag: "", tags: OWN_TAGS },
  );
  expect(compiled?.problems).toEqual([]);
  if (!compiled) throw new Error(`${name} was not compiled`);
  return compiled.config;
}

/** What the server has, apart from its own metadata. */
async function observe(stream: string, name: string): Promise<unknown> {
  const { config } = await port().info(stream);
  const { metadata = {}, ...rest } = config;
  const own = Object.entries(metadata).filter(([key]) => !key.startsWith("_nats."));
  const visible = own.length > 0 ? { ...rest, metadata: Object.fromEntries(own) } : rest;
  return JSON.parse(JSON.stringify(visible).replaceAll(name, NAME));
}

/** One that is in the settings, and what the state has of it. */
class Tracked {
  readonly #name = nextName();
  readonly #kind: BucketKind;
  readonly #setting: string;
  readonly #row: Row;
  #state: StreamOutputs | undefined;

  constructor(kind: BucketKind, setting: string, row: Row) {
    this.#kind = kind;
    this.#setting = setting;
    this.#row = row;
  }

  async create(fields: Fields): Promise<void> {
    this.#state = (await lifecycle.create(await this.#plan(fields))).outs;
    await this.#expectKept(fields);
  }

  /** It is as nats.go makes one, and a client that makes it again is content. */
  async expectAsByClients(): Promise<void> {
    const { born } = this.#row;
    const twin = nextName();
    const config = (name: string) =>
      withName({ ...BORN[this.#kind](name), ...born }, name) as StreamConfig;
    await port().create(config(twin));
    expect(await observe(this.#known.stream, this.#name)).toEqual(
      await observe(config(twin).name, twin),
    );
    await port().delete(config(twin).name);
    await port().create(config(this.#name));
    claims += 2;
  }

  async update(fields: Fields): Promise<void> {
    const news = await this.#plan(fields);
    expect(await lifecycle.diff("", this.#known, news)).toMatchObject({ changes: true });
    this.#state = (await lifecycle.update("", this.#known, news)).outs as StreamOutputs;
    await this.#expectKept(fields);
  }

  /** Changes it behind the provider's back: a refresh shows just that. */
  async drift(fields: Fields): Promise<void> {
    const { config: written } = this.#known;
    const changed = this.#config(fields);
    await port().update(changed);
    const { props } = await lifecycle.read("", this.#known);
    this.#state = props as StreamOutputs;
    expect(diffConfig(written, this.#known.config).length).toBeGreaterThan(0);
    expect(diffConfig(this.#known.config, changed)).toEqual([]);
    claims += 2;
  }

  /** Neither we nor the server would do that, and we say it in the words of the settings. */
  async refuse(fields: Fields): Promise<void> {
    // From now on something is lost if it is made anew.
    const consumer = { name: "c", durable_name: "c", ack_policy: "none" };
    const { stream } = this.#known;
    const request = JSON.stringify({ stream_name: stream, config: consumer });
    await opened.client.request(`$JS.API.CONSUMER.CREATE.${stream}.c`, request);
    const { failures } = await this.#check(fields);
    const reasons = failures.map(({ reason }) => reason);
    expect(reasons).toEqual([expect.stringMatching(new RegExp(`^${this.#setting}: `))]);
    const { noun } = BUCKET_KINDS[this.#kind];
    expect(reasons[0]).toContain(`${this.#name} holds 0 messages`);
    expect(reasons[0]).toContain(`have the ${noun} recreated`);
    const before = await observe(stream, this.#name);
    await expect(port().update(this.#config(fields))).rejects.toBeInstanceOf(JetStreamError);
    expect(await observe(stream, this.#name)).toEqual(before);
    claims += 5;
  }

  async remove(): Promise<void> {
    await port().delete(this.#known.stream);
  }

  #config(fields: Fields): StreamConfig {
    return configOf(this.#kind, this.#name, { ...this.#row.base, ...fields });
  }

  get #known(): StreamOutputs {
    if (!this.#state) throw new Error(`${this.#name} was not created`);
    return this.#state;
  }

  async #check(fields: Fields) {
    const { account, fleet } = opened.cluster;
    const config = this.#config(fields);
    const policy = { declaredAs: this.#kind };
    const news = { stream: config.name, account, config, policy, fleet };
    const { inputs, failures = [] } = await lifecycle.check(this.#state ?? {}, news);
    return { inputs: inputs as StreamInputs, failures };
  }

  async #plan(fields: Fields): Promise<StreamInputs> {
    const { inputs, failures } = await this.#check(fields);
    expect(failures).toEqual([]);
    return inputs;
  }

  /** Neither a preview nor a refresh finds anything to do. */
  async #expectKept(fields: Fields): Promise<void> {
    const news = await this.#plan(fields);
    expect(await lifecycle.diff("", this.#known, news)).toMatchObject({ changes: false });
    const { inputs, props } = await lifecycle.read("", this.#known);
    expect(inputs).toEqual(news);
    expect(props).toEqual(this.#known);
    claims += 3;
  }
}

/** A new one can't be sealed. */
function first(setting: string, { set }: Row): Fields {
  return setting === "sealed" ? {} : set;
}

const KINDS = Object.keys(BUCKET_KINDS) as BucketKind[];

it.each(KINDS)("has a row for every field of a %s, and for no other", (kind) => {
  expect(Object.keys(ROWS[kind]).sort()).toEqual(Object.keys(BUCKET_KINDS[kind].fields).sort());
});

describe.each(KINDS)("%s", (kind) => {
  it.each(Object.entries(ROWS[kind]))("%s changes as the server does it", async (setting, row) => {
    const { set, changed, refused } = row;
    const one = new Tracked(kind, setting, row);
    await one.create(first(setting, row));
    if (setting === "sealed") await one.update(set);
    else await one.expectAsByClients();
    if (changed && (refused === undefined || refused === "unset")) {
      await one.update(changed);
      await one.drift(set);
      await one.update(changed);
    }
    if (refused === "all" || refused === "unset") await one.refuse({});
    if (refused === "all" || refused === "set") {
      const other = new Tracked(kind, setting, row);
      await other.create({});
      await other.refuse(set);
      if (changed) await one.refuse(changed);
    }
    if (refused === undefined || refused === "set") {
      await one.update({});
      if (refused === undefined) {
        await one.drift(set);
        await one.update({});
        await one.update(set);
      }
      await one.remove();
    }
  });
});
