import type { ApiObject, Field } from "../base/field-table.ts";

/**
 * The fields of a durable consumer's config, as nats-server 2.15 has them (`ConsumerConfig` in server/consumer.go), in
 * one table. The settings' schema, the API's types, comparison and the rules for updates (`checkNewConsumerConfig`
 * there) are derived from it. To support a field of a newer server, add a row. `direct` is left out: no durable consumer
 * may have it (error 10091).
 *
 * The server's own default of `ack_policy` is `none`, by which a message counts as handled once it is sent. Here it is
 * `explicit`.
 */
export const CONSUMER_FIELDS = {
  description: {
    api: "description",
    description: "What it is for; at most 4 KiB.",
    kind: "text",
    default: "",
    update: "in place",
  },
  filterSubjects: {
    api: "filter_subjects",
    description:
      "Messages of these subjects alone, with wildcards. No two of them may take the same message.",
    defaultWords: "all",
    kind: "texts",
    update: "in place",
  },
  filterSubject: {
    api: "filter_subject",
    description: "As `filterSubjects`, for one subject.",
    defaultWords: "all",
    kind: "text",
    default: "",
    update: "in place",
  },
  deliverPolicy: {
    api: "deliver_policy",
    description:
      "Where it begins - `all`: at the first message, `new`: after the last, `last`: at the last, `last_per_subject`: at the last of each subject, `by_start_sequence` and `by_start_time`: where those say.",
    kind: "choice",
    values: ["all", "new", "last", "last_per_subject", "by_start_sequence", "by_start_time"],
    default: "all",
    update: "never",
  },
  startSequence: {
    api: "opt_start_seq",
    description: "Sequence to begin with, for `deliverPolicy: by_start_sequence`.",
    defaultWords: "none",
    kind: "count",
    default: 0,
    min: 1,
    update: "never",
  },
  startTime: {
    api: "opt_start_time",
    description:
      "Time to begin with, RFC 3339, e.g. `2026-01-31T00:00:00Z`, for `deliverPolicy: by_start_time`.",
    kind: "time",
    update: "never",
  },
  ackPolicy: {
    api: "ack_policy",
    description:
      "What clients acknowledge - `explicit`: each message, `all`: one and all before it, `none`: nothing, `flow_control`: by flow control, for mirrors and sources.",
    kind: "choice",
    values: ["none", "all", "explicit", "flow_control"],
    default: "explicit",
    update: "never",
  },
  ackWait: {
    api: "ack_wait",
    description: "How long it waits for an acknowledgement before it delivers a message again.",
    defaultWords: "30s",
    kind: "duration",
    default: 0,
    update: "in place",
  },
  backoff: {
    api: "backoff",
    description:
      "How long it waits before each further delivery, in the place of `ackWait`; the last one holds for all that follow.",
    defaultWords: "none",
    kind: "durations",
    update: "in place",
  },
  maxDeliver: {
    api: "max_deliver",
    description:
      "How often it delivers a message at most; with `backoff` at least as often as that has entries.",
    kind: "limit",
    default: -1,
    update: "in place",
  },
  maxAckPending: {
    api: "max_ack_pending",
    description:
      "Messages that may wait for acknowledgement, `-1` for no limit; beyond it none is delivered.",
    defaultWords: "1000, or the limit of stream, account or servers",
    kind: "count",
    default: 0,
    min: -1,
    update: "in place",
  },
  maxWaiting: {
    api: "max_waiting",
    description: "Requests of pull clients that may wait.",
    defaultWords: "512; push consumers have none",
    kind: "count",
    default: 0,
    min: 1,
    update: "never",
  },
  maxBatch: {
    api: "max_batch",
    description: "Messages that one request of a pull client may ask for.",
    defaultWords: "no limit, or the servers' `maxRequestBatch`",
    kind: "count",
    default: 0,
    min: 1,
    update: "in place",
  },
  maxExpires: {
    api: "max_expires",
    description: "How long a request of a pull client may wait; at least 1ms.",
    defaultWords: "no limit",
    kind: "duration",
    default: 0,
    update: "in place",
  },
  maxBytes: {
    api: "max_bytes",
    description: "What one request of a pull client may ask for.",
    kind: "bytes",
    default: -1,
    update: "in place",
  },
  deliverSubject: {
    api: "deliver_subject",
    description:
      "Makes it a push consumer: it sends messages to this subject. None of the stream's own subjects may take it.",
    defaultWords: "a pull consumer",
    kind: "text",
    default: "",
    update: "in place",
  },
  deliverGroup: {
    api: "deliver_group",
    description: "Queue group among which a push consumer's messages are divided.",
    kind: "text",
    default: "",
    update: "in place",
  },
  flowControl: {
    api: "flow_control",
    description: "A push consumer waits for clients that are slow; needs `idleHeartbeat`.",
    kind: "flag",
    default: false,
    update: "never",
  },
  idleHeartbeat: {
    api: "idle_heartbeat",
    description: "How often a push consumer that has nothing to send says so; at least 100ms.",
    defaultWords: "never",
    kind: "duration",
    default: 0,
    update: "never",
  },
  rateLimit: {
    api: "rate_limit_bps",
    description: "Bits per second that a push consumer sends at most.",
    defaultWords: "no limit",
    kind: "count",
    default: 0,
    min: 1,
    update: "in place",
  },
  headersOnly: {
    api: "headers_only",
    description: "It delivers headers alone, without what messages hold.",
    kind: "flag",
    default: false,
    update: "in place",
  },
  replayPolicy: {
    api: "replay_policy",
    description:
      "How fast it delivers messages that are there - `instant`: at once, `original`: as far apart as they came in.",
    kind: "choice",
    values: ["instant", "original"],
    default: "instant",
    update: "never",
  },
  sampleFrequency: {
    api: "sample_freq",
    description: "Share of acknowledgements that the servers report on, in percent, e.g. `30%`.",
    kind: "text",
    default: "",
    update: "in place",
  },
  inactiveThreshold: {
    api: "inactive_threshold",
    description: "How long nobody may use it before the servers delete it.",
    defaultWords: "it stays, unless the stream's `consumerLimits` say otherwise",
    kind: "duration",
    default: 0,
    update: "in place",
  },
  replicas: {
    api: "num_replicas",
    description:
      "Servers that keep where it stands, among those of its stream. With `retention: interest` or `workqueue` it has as many as the stream.",
    defaultWords: "as many as the stream",
    kind: "count",
    default: 0,
    min: 1,
    max: 5,
    update: "scales",
  },
  memoryStorage: {
    api: "mem_storage",
    description: "Where it stands is kept in memory, and lost once all its servers are down.",
    kind: "flag",
    default: false,
    update: "never",
  },
  metadata: {
    api: "metadata",
    description: "Labels, of names that don't begin with `_nats.` or `nats-regions.`.",
    kind: "labels",
    update: "in place",
  },
  pauseUntil: {
    api: "pause_until",
    description: "It delivers nothing before this time, RFC 3339, e.g. `2026-01-31T00:00:00Z`.",
    kind: "time",
    update: "in place",
    since: 1,
  },
  priorityPolicy: {
    api: "priority_policy",
    description:
      "Which pull clients are served first - `overflow`: others only if much waits, `pinned_client`: one alone until it is gone, `prioritized`: those of the lowest number.",
    kind: "choice",
    values: ["none", "overflow", "pinned_client", "prioritized"],
    default: "none",
    update: "in place",
    since: 1,
  },
  priorityGroups: {
    api: "priority_groups",
    description: "Groups that clients name in their requests, for `priorityPolicy`.",
    kind: "texts",
    update: "in place",
    since: 1,
  },
  priorityTimeout: {
    api: "priority_timeout",
    description: "With `priorityPolicy: pinned_client`: how long the one client may be silent.",
    defaultWords: "2m",
    kind: "duration",
    default: 0,
    update: "in place",
    since: 1,
  },
  sourcing: {
    api: "sourcing",
    description: "It is for a mirror or a source of another stream, which names it as `consumer`.",
    kind: "flag",
    default: false,
    update: "never",
    since: 4,
  },
} as const satisfies Readonly<Record<string, Field & { readonly description: string }>>;

export type ConsumerFields = typeof CONSUMER_FIELDS;

/** A consumer's config in the JetStream API: snake_case names, nanoseconds, bytes. An absent field has its default. */
export type ConsumerConfig = {
  readonly name: string;
  readonly durable_name?: string;
} & ApiObject<ConsumerFields>;
