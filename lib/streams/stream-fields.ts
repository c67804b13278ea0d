import type { ApiObject, Field, NestedField } from "../base/field-table.ts";

/**
 * All fields of a stream's config, as nats-server 2.15 has them (`StreamConfig` in server/stream.go), in one table. The
 * settings' schema, the API's types, defaults, comparison and the rules for updates (`configUpdateCheck` in
 * server/stream.go) are derived from it. To support a field of a newer server, add a row.
 */

/** Requires a description, which editors show. */
type Described = { readonly description: string };
type DescribedTable = Readonly<Record<string, NestedField & Described>>;

const subjectTransform = {
  src: {
    api: "src",
    kind: "text",
    default: "",
    defaultWords: "all",
    description: "Subjects that it is for, with wildcards.",
  },
  dest: {
    api: "dest",
    kind: "text",
    default: "",
    defaultWords: "as they are",
    description: "What they become, e.g. `orders.{{wildcard(1)}}`.",
  },
} as const satisfies DescribedTable;

/** `tags`: a server must have all of them; `!tag`: must not have it. Their order has no meaning. */
const placement = {
  cluster: {
    api: "cluster",
    kind: "text",
    default: "",
    description: "Name of the NATS cluster.",
  },
  tags: {
    api: "tags",
    kind: "texts",
    description: "Servers that have all of these tags; `!tag`: without it.",
  },
} as const satisfies DescribedTable;

const externalStream = {
  api: {
    api: "api",
    kind: "text",
    default: "",
    required: true,
    description: "Prefix of JetStream's API there, e.g. `$JS.hub.API`.",
  },
  deliver: {
    api: "deliver",
    kind: "text",
    default: "",
    description: "Prefix of the subjects on which messages come from there.",
  },
} as const satisfies DescribedTable;

const sourceConsumer = {
  name: { api: "name", kind: "text", default: "", required: true, description: "Its name." },
  deliverSubject: {
    api: "deliver_subject",
    kind: "text",
    default: "",
    required: true,
    description: "The subject on which it delivers, without wildcards.",
  },
} as const satisfies DescribedTable;

const streamSource = {
  name: {
    api: "name",
    kind: "text",
    default: "",
    required: true,
    description: "Name of the stream.",
  },
  startSequence: {
    api: "opt_start_seq",
    kind: "count",
    default: 0,
    defaultWords: "the first",
    min: 1,
    description: "Sequence of the message to begin with.",
  },
  startTime: {
    api: "opt_start_time",
    kind: "time",
    description: "Time to begin with, RFC 3339, e.g. `2026-01-31T00:00:00Z`.",
  },
  filterSubject: {
    api: "filter_subject",
    kind: "text",
    default: "",
    defaultWords: "all",
    description: "Messages of this subject alone, with wildcards.",
  },
  subjectTransforms: {
    api: "subject_transforms",
    kind: "objects",
    title: "SubjectTransform",
    fields: subjectTransform,
    description: "Messages of these subjects alone, and what the subjects become.",
  },
  external: {
    api: "external",
    kind: "object",
    title: "ExternalStream",
    fields: externalStream,
    description: "Where it is, in another account or domain.",
  },
  consumer: {
    api: "consumer",
    kind: "object",
    since: 4,
    title: "SourceConsumer",
    fields: sourceConsumer,
    description: "A consumer of it that is there. Default: the server makes one.",
  },
} as const satisfies DescribedTable;

const republish = {
  src: {
    api: "src",
    kind: "text",
    default: ">",
    description: "Subjects that it is for, with wildcards.",
  },
  dest: {
    api: "dest",
    kind: "text",
    default: "",
    required: true,
    description: "What they become, e.g. `copies.>`.",
  },
  headersOnly: {
    api: "headers_only",
    kind: "flag",
    default: false,
    description: "Headers alone, without what messages hold.",
  },
} as const satisfies DescribedTable;

const consumerLimits = {
  inactiveThreshold: {
    api: "inactive_threshold",
    kind: "duration",
    default: 0,
    defaultWords: "no limit",
    description: "How long one that nobody uses may stay.",
  },
  maxAckPending: {
    api: "max_ack_pending",
    kind: "count",
    default: 0,
    defaultWords: "no limit",
    description: "Messages that may wait for acknowledgement.",
  },
} as const satisfies DescribedTable;

/** All fields except the name, by the names of their settings. */
export const STREAM_FIELDS = {
  description: {
    api: "description",
    description: "What it is for; at most 4 KiB.",
    kind: "text",
    default: "",
    update: "in place",
  },
  subjects: {
    api: "subjects",
    description:
      "Subjects that it takes messages of, with wildcards. No two streams of an account may take the same message.",
    defaultWords: "the stream's name; none for mirrors and for streams with sources",
    kind: "texts",
    update: "in place",
  },
  retention: {
    api: "retention",
    description:
      "When messages go - `limits`: by these alone, `interest`: once no consumer waits for them, `workqueue`: once one has acknowledged them. A stream can't become a work queue, nor stop being one.",
    kind: "choice",
    values: ["limits", "interest", "workqueue"],
    default: "limits",
    update: "in place",
  },
  replicas: {
    api: "num_replicas",
    description:
      "Servers that keep a copy: with 3 it goes on without one of them, with 5 without two.",
    kind: "count",
    default: 1,
    min: 1,
    max: 5,
    update: "scales",
  },
  placement: {
    api: "placement",
    description: "Which servers may keep it: one of `region`, `across` and `tags`; and `cluster`.",
    defaultWords: "where the servers choose",
    kind: "object",
    title: "Placement",
    fields: placement,
    update: "moves",
  },
  storage: {
    api: "storage",
    description: "Where messages are kept; those in `memory` are gone once all replicas are down.",
    kind: "choice",
    values: ["file", "memory"],
    default: "file",
    update: "never",
  },
  compression: {
    api: "compression",
    description: "How messages are compressed on disk.",
    kind: "choice",
    values: ["none", "s2"],
    default: "none",
    update: "in place",
  },
  discard: {
    api: "discard",
    description:
      "What makes room at `maxMsgs` and `maxBytes` - `old`: the oldest messages are deleted, `new`: new ones are refused.",
    kind: "choice",
    values: ["old", "new"],
    default: "old",
    update: "in place",
  },
  discardNewPerSubject: {
    api: "discard_new_per_subject",
    description: "With `discard: new`, new messages are refused at `maxMsgsPerSubject`, too.",
    kind: "flag",
    default: false,
    update: "in place",
  },
  maxAge: {
    api: "max_age",
    description:
      "How long messages are kept. A lower limit that deletes messages takes `allowDataLoss`.",
    defaultWords: "no limit",
    kind: "duration",
    default: 0,
    update: "in place",
  },
  maxMsgs: {
    api: "max_msgs",
    description:
      "Messages that it keeps. A lower limit that deletes messages takes `allowDataLoss`.",
    kind: "limit",
    default: -1,
    update: "in place",
  },
  maxBytes: {
    api: "max_bytes",
    description:
      "What its messages may take, of each replica. A lower limit that deletes messages takes `allowDataLoss`.",
    kind: "bytes",
    default: -1,
    update: "in place",
  },
  maxMsgsPerSubject: {
    api: "max_msgs_per_subject",
    description:
      "Messages that it keeps of each subject; the oldest go. A lower limit that deletes messages takes `allowDataLoss`.",
    kind: "limit",
    default: -1,
    update: "in place",
  },
  maxMsgSize: {
    api: "max_msg_size",
    description: "What a message may have, headers included.",
    kind: "bytes",
    default: -1,
    update: "in place",
  },
  maxConsumers: {
    api: "max_consumers",
    description: "Consumers that it may have.",
    kind: "limit",
    default: -1,
    // nats-server 2.15 applies a default limit to streams that set none.
    none: "no limit of its own",
    update: "in place",
  },
  noAck: {
    api: "no_ack",
    description:
      "Messages are not acknowledged to those who publish: nobody learns that one wasn't stored.",
    kind: "flag",
    default: false,
    update: "in place",
  },
  /** Absent or 0: 2 minutes, or `maxAge` if that is shorter; no window for mirrors and streams with sources. */
  duplicateWindow: {
    api: "duplicate_window",
    description: "How long a message is known again by its `Nats-Msg-Id`, and dropped.",
    defaultWords:
      "2m, or `maxAge` where that is shorter; mirrors and streams with sources have none",
    kind: "duration",
    default: 0,
    update: "in place",
  },
  mirror: {
    api: "mirror",
    description: "The stream that it is a copy of: it takes no other messages.",
    kind: "object",
    title: "StreamSource",
    fields: streamSource,
    update: "remove only",
  },
  sources: {
    api: "sources",
    description: "Streams whose messages it takes, too.",
    kind: "objects",
    title: "StreamSource",
    fields: streamSource,
    update: "in place",
  },
  subjectTransform: {
    api: "subject_transform",
    description: "What subjects of messages become as they are stored.",
    kind: "object",
    title: "SubjectTransform",
    fields: subjectTransform,
    update: "in place",
  },
  republish: {
    api: "republish",
    description: "Publishes messages again under other subjects, once they are stored.",
    kind: "object",
    title: "Republish",
    fields: republish,
    update: "in place",
  },
  consumerLimits: {
    api: "consumer_limits",
    description: "What its consumers may have at most.",
    kind: "object",
    title: "ConsumerLimits",
    fields: consumerLimits,
    update: "in place",
  },
  firstSequence: {
    api: "first_seq",
    description: "Sequence of its first message.",
    defaultWords: "1",
    kind: "count",
    default: 0,
    update: "never",
  },
  allowDirect: {
    api: "allow_direct",
    description:
      "Any replica may be asked for a message, not the leader alone: faster, and at times behind.",
    kind: "flag",
    default: false,
    update: "in place",
  },
  mirrorDirect: {
    api: "mirror_direct",
    description: "A mirror answers, too, where its origin is asked for a message.",
    kind: "flag",
    default: false,
    update: "in place",
  },
  allowRollup: {
    api: "allow_rollup_hdrs",
    description:
      "A message may replace all that is older, of its subject or of the stream, by the header `Nats-Rollup`.",
    kind: "flag",
    default: false,
    update: "in place",
  },
  denyDelete: {
    api: "deny_delete",
    description: "No message can be deleted by the API.",
    kind: "flag",
    default: false,
    update: "only on",
  },
  denyPurge: {
    api: "deny_purge",
    description: "It can't be purged by the API.",
    kind: "flag",
    default: false,
    update: "only on",
  },
  sealed: {
    api: "sealed",
    description: "It takes no messages any more, and keeps those that it has.",
    kind: "flag",
    default: false,
    update: "only on",
  },
  metadata: {
    api: "metadata",
    description: "Labels, of names that don't begin with `_nats.`.",
    kind: "labels",
    update: "in place",
  },
  allowMsgTtl: {
    api: "allow_msg_ttl",
    description: "A message may say how long it is kept, by the header `Nats-TTL`.",
    kind: "flag",
    default: false,
    update: "only on",
    since: 1,
  },
  subjectDeleteMarkerTtl: {
    api: "subject_delete_marker_ttl",
    description: "How long a marker stays for a subject whose last message was too old.",
    defaultWords: "no markers",
    kind: "duration",
    default: 0,
    update: "in place",
    since: 1,
  },
  allowMsgCounter: {
    api: "allow_msg_counter",
    description: "Its subjects are counters: a message adds what its header `Nats-Incr` says.",
    kind: "flag",
    default: false,
    update: "never",
    since: 2,
  },
  allowAtomic: {
    api: "allow_atomic",
    description: "Batches may be published, all of their messages or none.",
    kind: "flag",
    default: false,
    update: "in place",
    since: 2,
  },
  allowMsgSchedules: {
    api: "allow_msg_schedules",
    description: "A message may say when it is published, by the header `Nats-Schedule`.",
    kind: "flag",
    default: false,
    update: "only on",
    since: 2,
  },
  persistMode: {
    api: "persist_mode",
    description:
      "`async`: messages are acknowledged before they are written, and may be lost when a server is killed.",
    kind: "choice",
    values: ["default", "async"],
    default: "default",
    update: "never",
    since: 2,
  },
  allowBatched: {
    api: "allow_batched",
    description: "Batches may be published fast, which aren't acknowledged one message at a time.",
    kind: "flag",
    default: false,
    update: "in place",
    since: 4,
  },
} as const satisfies Readonly<Record<string, Field & Described>>;

export type StreamFields = typeof STREAM_FIELDS;

/** A stream's placement in the API. */
export type ApiPlacement = ApiObject<typeof placement>;

/** The fields of a stream's config by their names in the API, each with the name of its setting. */
export const FIELDS_BY_API_NAME: ReadonlyMap<
  string,
  { readonly setting: string; readonly field: Field }
> = new Map(
  Object.entries(STREAM_FIELDS).map(([setting, field]) => [field.api, { setting, field }]),
);

/** A stream's config in the JetStream API: snake_case names, nanoseconds, bytes. An absent field has its default. */
export type StreamConfig = { readonly name: string } & ApiObject<StreamFields>;
