import type { Field } from "../base/field-table.ts";
import { STREAM_FIELDS } from "../streams/stream-fields.ts";

/**
 * What there is to set of key-value buckets and of object stores, in tables as those of streams: each row is a field of
 * the stream that NATS's clients make for them, by the name that it has for a bucket (ADR-8, ADR-20 and nats.go 1.55,
 * `prepareKeyValueConfig` in jetstream/kv.go and `prepareObjectStoreConfig` in jetstream/object.go). What is the same for
 * all buckets isn't here, see bucket-stream.ts.
 */

type DescribedTable = Readonly<Record<string, Field & { readonly description: string }>>;

/** `KeyValueMaxHistory` of nats.go. */
const MAX_HISTORY = 64;

const bucketSource = {
  name: {
    api: "name",
    kind: "text",
    default: "",
    required: true,
    description: "Name of the bucket.",
  },
  external: STREAM_FIELDS.mirror.fields.external,
} as const;

const { description, replicas, placement, storage, metadata } = STREAM_FIELDS;

/** On or off, where streams have a choice. */
const compression = {
  api: "compression",
  kind: "flag",
  default: false,
  description: "What it holds is compressed on disk.",
  update: "in place",
} as const satisfies Field;

const maxBytes = {
  ...STREAM_FIELDS.maxBytes,
  description:
    "What all that it holds may take, of each replica. Once it is full, it takes no more.",
} as const;

/** A bucket's fields, by the names of their settings. */
export const BUCKET_FIELDS = {
  description,
  history: {
    api: "max_msgs_per_subject",
    kind: "count",
    default: 1,
    min: 1,
    max: MAX_HISTORY,
    description:
      "Values that it keeps of each key; the oldest go. A lower number that deletes values takes `allowDataLoss`.",
    update: "in place",
  },
  ttl: {
    ...STREAM_FIELDS.maxAge,
    description:
      "How long a value is kept. A shorter time that deletes values takes `allowDataLoss`.",
  },
  limitMarkerTtl: {
    ...STREAM_FIELDS.subjectDeleteMarkerTtl,
    description:
      "How long a marker stays for a key whose value was too old, so that those who watch hear of it; and lets each value have a time of its own. Once set, it can't be taken out.",
  },
  maxBytes,
  maxValueSize: { ...STREAM_FIELDS.maxMsgSize, description: "What a value may have." },
  storage: {
    ...storage,
    description: "Where values are kept; those in `memory` are gone once all replicas are down.",
  },
  compression,
  replicas,
  placement,
  republish: {
    ...STREAM_FIELDS.republish,
    description:
      "Publishes values again under other subjects, once they are stored; their own are `$KV.<bucket>.<key>`.",
  },
  mirror: {
    api: "mirror",
    kind: "object",
    title: "BucketSource",
    fields: bucketSource,
    description:
      "The bucket that it is a copy of: readers of that one get answers from here, where it is nearer, and it takes no values of its own. What the other has of `history`, `ttl` and `limitMarkerTtl` it must have, too.",
    update: "remove only",
  },
  sources: {
    api: "sources",
    kind: "objects",
    title: "BucketSource",
    fields: bucketSource,
    description: "Buckets whose values it takes, too, under the same keys.",
    update: "in place",
  },
  metadata,
} as const satisfies DescribedTable;

export type BucketFields = typeof BUCKET_FIELDS;

/** An object store's fields, by the names of their settings. */
export const OBJECT_STORE_FIELDS = {
  description,
  ttl: {
    ...STREAM_FIELDS.maxAge,
    description:
      "How long an object is kept. A shorter time that deletes objects takes `allowDataLoss`.",
  },
  maxBytes,
  storage: {
    ...storage,
    description: "Where objects are kept; those in `memory` are gone once all replicas are down.",
  },
  compression,
  replicas,
  placement,
  sealed: {
    ...STREAM_FIELDS.sealed,
    description: "It takes no objects any more, and keeps those that it has.",
  },
  allowBatched: {
    ...STREAM_FIELDS.allowBatched,
    description: "Clients may put an object's parts in fast batches, see `allowBatched` of theirs.",
  },
  metadata,
} as const satisfies DescribedTable;

export type ObjectStoreFields = typeof OBJECT_STORE_FIELDS;
