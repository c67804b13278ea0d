import type { ApiObject, Field, FieldTable, NestedTable } from "../base/field-table.ts";

/**
 * Every field of a stream's config, as nats-server 2.15 knows it (`StreamConfig` in server/stream.go),
 * in one table: the settings schema, the API types, defaults, comparison and the rules for updates are
 * all read from it (`configUpdateCheck` in server/stream.go). A field that a newer server brings is one more
 * line here.
 */

const subjectTransform = {
  src: { api: "src", kind: "text", default: "" },
  dest: { api: "dest", kind: "text", default: "" },
} as const satisfies NestedTable;

/** `tags`: all of them, `!tag`: without. Their order means nothing. */
const placement = {
  cluster: { api: "cluster", kind: "text", default: "" },
  tags: { api: "tags", kind: "texts" },
} as const satisfies NestedTable;

const streamSource = {
  name: { api: "name", kind: "text", default: "", required: true },
  startSequence: { api: "opt_start_seq", kind: "count", default: 0, min: 1 },
  startTime: { api: "opt_start_time", kind: "time" },
  filterSubject: { api: "filter_subject", kind: "text", default: "" },
  subjectTransforms: { api: "subject_transforms", kind: "objects", fields: subjectTransform },
  external: {
    api: "external",
    kind: "object",
    fields: {
      api: { api: "api", kind: "text", default: "", required: true },
      deliver: { api: "deliver", kind: "text", default: "" },
    },
  },
  consumer: {
    api: "consumer",
    kind: "object",
    since: 4,
    fields: {
      name: { api: "name", kind: "text", default: "", required: true },
      deliverSubject: { api: "deliver_subject", kind: "text", default: "", required: true },
    },
  },
} as const satisfies NestedTable;

/** All but the name, by the name of the setting. */
export const STREAM_FIELDS = {
  description: { api: "description", kind: "text", default: "", update: "in place" },
  subjects: { api: "subjects", kind: "texts", update: "in place" },
  retention: {
    api: "retention",
    kind: "choice",
    values: ["limits", "interest", "workqueue"],
    default: "limits",
    update: "in place",
  },
  replicas: {
    api: "num_replicas",
    kind: "count",
    default: 1,
    min: 1,
    max: 5,
    update: "scales",
  },
  placement: { api: "placement", kind: "object", fields: placement, update: "moves" },
  storage: {
    api: "storage",
    kind: "choice",
    values: ["file", "memory"],
    default: "file",
    update: "never",
  },
  compression: {
    api: "compression",
    kind: "choice",
    values: ["none", "s2"],
    default: "none",
    update: "in place",
  },
  discard: {
    api: "discard",
    kind: "choice",
    values: ["old", "new"],
    default: "old",
    update: "in place",
  },
  discardNewPerSubject: {
    api: "discard_new_per_subject",
    kind: "flag",
    default: false,
    update: "in place",
  },
  maxAge: { api: "max_age", kind: "duration", default: 0, update: "in place" },
  maxMsgs: { api: "max_msgs", kind: "limit", default: -1, update: "in place" },
  maxBytes: { api: "max_bytes", kind: "bytes", default: -1, update: "in place" },
  maxMsgsPerSubject: {
    api: "max_msgs_per_subject",
    kind: "limit",
    default: -1,
    update: "in place",
  },
  maxMsgSize: { api: "max_msg_size", kind: "bytes", default: -1, update: "in place" },
  maxConsumers: {
    api: "max_consumers",
    kind: "limit",
    default: -1,
    // nats-server 2.15 has a limit for streams without one.
    none: "no limit of its own",
    update: "in place",
  },
  noAck: { api: "no_ack", kind: "flag", default: false, update: "in place" },
  /** Absent or 0: 2 minutes, or `maxAge` where that is shorter; nothing for mirrors and sources. */
  duplicateWindow: { api: "duplicate_window", kind: "duration", default: 0, update: "in place" },
  mirror: { api: "mirror", kind: "object", fields: streamSource, update: "remove only" },
  sources: { api: "sources", kind: "objects", fields: streamSource, update: "in place" },
  subjectTransform: {
    api: "subject_transform",
    kind: "object",
    fields: subjectTransform,
    update: "in place",
  },
  republish: {
    api: "republish",
    kind: "object",
    fields: {
      src: { api: "src", kind: "text", default: ">" },
      dest: { api: "dest", kind: "text", default: "", required: true },
      headersOnly: { api: "headers_only", kind: "flag", default: false },
    },
    update: "in place",
  },
  consumerLimits: {
    api: "consumer_limits",
    kind: "object",
    fields: {
      inactiveThreshold: { api: "inactive_threshold", kind: "duration", default: 0 },
      maxAckPending: { api: "max_ack_pending", kind: "count", default: 0 },
    },
    update: "in place",
  },
  firstSequence: { api: "first_seq", kind: "count", default: 0, update: "never" },
  allowDirect: { api: "allow_direct", kind: "flag", default: false, update: "in place" },
  mirrorDirect: { api: "mirror_direct", kind: "flag", default: false, update: "in place" },
  allowRollup: { api: "allow_rollup_hdrs", kind: "flag", default: false, update: "in place" },
  denyDelete: { api: "deny_delete", kind: "flag", default: false, update: "only on" },
  denyPurge: { api: "deny_purge", kind: "flag", default: false, update: "only on" },
  sealed: { api: "sealed", kind: "flag", default: false, update: "only on" },
  metadata: { api: "metadata", kind: "labels", update: "in place" },
  allowMsgTtl: { api: "allow_msg_ttl", kind: "flag", default: false, update: "only on", since: 1 },
  subjectDeleteMarkerTtl: {
    api: "subject_delete_marker_ttl",
    kind: "duration",
    default: 0,
    update: "in place",
    since: 1,
  },
  allowMsgCounter: {
    api: "allow_msg_counter",
    kind: "flag",
    default: false,
    update: "never",
    since: 2,
  },
  allowAtomic: { api: "allow_atomic", kind: "flag", default: false, update: "in place", since: 2 },
  allowMsgSchedules: {
    api: "allow_msg_schedules",
    kind: "flag",
    default: false,
    update: "only on",
    since: 2,
  },
  persistMode: {
    api: "persist_mode",
    kind: "choice",
    values: ["default", "async"],
    default: "default",
    update: "never",
    since: 2,
  },
  allowBatched: {
    api: "allow_batched",
    kind: "flag",
    default: false,
    update: "in place",
    since: 4,
  },
} as const satisfies FieldTable;

export type StreamFields = typeof STREAM_FIELDS;

/** Where a stream is to live, as the API takes it. */
export type ApiPlacement = ApiObject<typeof placement>;

/** The fields of the stream by their name in the API, with the name of their setting. */
export const FIELDS_BY_API_NAME: ReadonlyMap<
  string,
  { readonly setting: string; readonly field: Field }
> = new Map(
  Object.entries(STREAM_FIELDS).map(([setting, field]) => [field.api, { setting, field }]),
);

/** A stream's config as the JetStream API takes it: snake_case, nanoseconds, bytes. Absent is default. */
export type StreamConfig = { readonly name: string } & ApiObject<StreamFields>;
