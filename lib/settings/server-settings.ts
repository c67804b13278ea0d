/**
 * Limits, times and logs of nats-server, rows of the table in settings-table.ts. Each is an option of the server's
 * config, and has its name and its default (2.15). What a reload applies follows from server/reload.go.
 */
export const SERVER_SETTINGS = {
  /** A reload with a lower limit closes connections above it, any of them. */
  maxConnections: {
    kind: "count",
    default: 65_536,
    least: 10,
    most: 1_000_000,
    description: "Connections of clients on each node, the stack's own during an up among them.",
    meaning:
      "connections of clients on each node, the stack's own during an `up` among them. A lower limit closes those above it",
    change: "reload",
    node: { omitDefault: true, varz: ["max_connections"] },
  },
  /** Bytes. Not less than `maxPayload`. */
  maxPending: {
    kind: "size",
    default: "64MiB",
    least: "1KiB",
    most: "1TiB",
    description: "What a node buffers for one connection before it closes it as a slow consumer.",
    meaning:
      "what a node buffers for one connection before it closes it as a slow consumer; not less than `maxPayload`",
    change: "restart",
    node: { omitDefault: true },
  },
  maxSubscriptions: {
    kind: "count",
    default: 0,
    least: 0,
    most: 1_000_000_000,
    description: "Subscriptions of one connection; 0 is no limit.",
    meaning: "subscriptions of one connection",
    defaultWords: "no limit",
    change: "restart",
    node: { omitDefault: true },
  },
  /** Bytes. A user's name and password are in one line, which the default is long enough for. */
  maxControlLine: {
    kind: "size",
    default: "4KiB",
    least: "4KiB",
    most: "1MiB",
    description: "The longest line of the protocol, as with long subjects or credentials.",
    meaning: "the longest line of the protocol, as with long subjects or credentials",
    change: "reload",
    node: { omitDefault: true, varz: ["max_control_line"] },
  },
  writeDeadline: {
    kind: "duration",
    default: "10s",
    least: "100ms",
    why: "a pause of the network or of a client would cut it off",
    description: "How long a write to a connection may take before it is closed.",
    meaning: "how long a write to a connection may take before it is closed",
    change: "reload",
    node: { omitDefault: true, varz: ["write_deadline"] },
  },
  pingInterval: {
    kind: "duration",
    default: "2m",
    least: "1s",
    why: "a client that is busy would be cut off",
    description: "How often nodes ping clients that are silent.",
    meaning:
      "how often nodes ping clients that are silent, and how many pings in a row may stay unanswered. Routes have `5s` and `2` in any case",
    change: "reload",
    node: { omitDefault: true, varz: ["ping_interval"] },
  },
  pingMax: {
    kind: "count",
    default: 2,
    least: 1,
    most: 1_000,
    description: "How many pings in a row may stay unanswered before a connection is closed.",
    change: "reload",
    node: { omitDefault: true, varz: ["ping_max"] },
  },
  /** The following limits are `jetstream.limits`. A server of 2.14 takes them up at its start only. */
  maxAckPending: {
    kind: "count",
    default: 0,
    least: 0,
    most: 2_147_483_647,
    description:
      "The most that any consumer may set as its max_ack_pending; 0 is no limit. Consumers that exist keep theirs.",
    meaning:
      "the most that any consumer may set as its `max_ack_pending`. This and the next four hold for what is made or changed from then on; with nats-server 2.14 a change of them is a restart",
    defaultWords: "no limit",
    change: "reload",
    node: { omitDefault: true, reloadSince: [2, 15, 0], varz: limit("max_ack_pending") },
  },
  maxRequestBatch: {
    kind: "count",
    default: 0,
    least: 0,
    most: 2_147_483_647,
    description: "The most messages that a request to a pull consumer may ask for; 0 is no limit.",
    meaning: "the most messages that a request to a pull consumer may ask for",
    defaultWords: "no limit",
    change: "reload",
    node: { omitDefault: true, reloadSince: [2, 15, 0], varz: limit("max_request_batch") },
  },
  maxHaAssets: {
    kind: "count",
    default: 0,
    least: 0,
    most: 2_147_483_647,
    description:
      "Streams and consumers with more than one replica that a node may hold; 0 is no limit.",
    meaning: "streams and consumers with more than one replica that a node may hold",
    defaultWords: "no limit",
    change: "reload",
    node: { omitDefault: true, reloadSince: [2, 15, 0], varz: limit("max_ha_assets") },
  },
  defaultMaxConsumers: {
    kind: "count",
    default: 1_000,
    least: 1,
    most: 2_147_483_647,
    description:
      "Consumers of a stream for which neither stream nor account has a limit. nats-server 2.14 has no such option.",
    meaning:
      "consumers of a stream for which neither stream nor account has a limit; not with nats-server 2.14",
    change: "reload",
    node: { omitDefault: true, reloadSince: [2, 15, 0], varz: limit("default_max_consumers") },
  },
  duplicateWindow: {
    kind: "duration",
    default: "0",
    least: "0",
    why: "",
    description: "The most that a stream may have as its duplicateWindow; 0 is no limit.",
    meaning:
      "the most that a stream may have as its `duplicateWindow`, which is `2m` where it says nothing",
    defaultWords: "no limit",
    change: "reload",
    node: { omitDefault: true, reloadSince: [2, 15, 0], varz: limit("max_duplicate_window") },
  },
  /** Bytes. */
  maxOutstandingCatchup: {
    kind: "size",
    default: "64MiB",
    least: "1MiB",
    most: "1TiB",
    description: "What a node sends at a time to replicas that catch up.",
    meaning: "what a node sends at a time to replicas that catch up",
    change: "restart",
    node: { omitDefault: true },
  },
  debug: {
    kind: "flag",
    default: false,
    description: "Whether nodes log what they do in detail.",
    meaning:
      "whether nodes log what they do in detail; and the whole protocol, with the contents of messages",
    change: "reload",
    node: { omitDefault: true, isUnreported: true },
  },
  trace: {
    kind: "flag",
    default: false,
    description: "Whether nodes log the whole protocol, with the contents of messages.",
    change: "reload",
    node: { omitDefault: true, isUnreported: true },
  },
  logtime: {
    kind: "flag",
    default: true,
    description: "Whether lines of the log begin with the time.",
    meaning: "whether lines of the log begin with the time, which `docker logs -t` has as well",
    change: "reload",
    node: { omitDefault: true, isUnreported: true },
  },
} as const;

/** Path in `/varz` of one of `jetstream.limits`. A limit of 0 isn't there. */
function limit<const Name extends string>(name: Name): readonly ["jetstream", "limits", Name] {
  return ["jetstream", "limits", name];
}
