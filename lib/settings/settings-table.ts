import { ROLLOUTS } from "../placement/waves.ts";
import { TLS_MODES } from "../tls/tls-settings.ts";
import { MAX_REGIONS, MAX_ZONES } from "../topology/shape.ts";
import { LISTENER_SETTINGS } from "./listener-settings.ts";
import { SERVER_SETTINGS } from "./server-settings.ts";

/**
 * All settings of a stack in one table. Derived from it are the schema that parses settings, the declarations in
 * Pulumi.yaml, the table in docs/settings.md, the JSON schema for editors, the types of args in components/args.ts,
 * the settings in a node's config, and what a preview says of a change. To add a setting of an existing kind, add a
 * row, and run `npm run settings`. If it belongs in a node's config, also add it to `nodeBlock` in
 * lib/nodes/nats-conf.ts.
 */

/** A preview's words for changes of an existing node. */
export const PREVIEW_WORDS = { reload: "reload, no restart", restart: "restart" } as const;

/** The kinds of change, each with words for what it costs a running cluster. */
export const CHANGES = {
  none: "nothing that runs, the next up goes by it",
  reload: PREVIEW_WORDS.reload,
  /** A reload of nats-server applies larger stores, and refuses smaller ones (2.15, server/reload.go). */
  growth: `more is a ${PREVIEW_WORDS.reload}; less is a ${PREVIEW_WORDS.restart}, zone by zone`,
  restart: `${PREVIEW_WORDS.restart}, zone by zone`,
  "at once": `${PREVIEW_WORDS.restart} of all nodes at once, which takes rollout: all`,
  fixed: "a new cluster, it is refused in one that runs",
  shape: `new nodes start, those that leave are emptied first; of the others a ${PREVIEW_WORDS.reload}`,
  streams: "streams one by one, no node",
  /** See `RELOADED` in lib/nodes/server-options.ts. */
  "by option": `${PREVIEW_WORDS.reload}, or ${PREVIEW_WORDS.restart}, zone by zone: by option`,
} as const;

export type Change = keyof typeof CHANGES;

/** Marks a setting as a field of a node's config. */
export interface NodeField {
  /**
   * Whether the field is left out if the setting has its default, which must be the server's own. So clusters that are
   * older than the setting keep exactly their configs and labels. Default: no.
   */
  readonly omitDefault?: true;
  /**
   * Path in `/varz` of the server's current value, in the setting's unit. A preview compares it to say what a reload
   * changes. Durations are nanoseconds there.
   */
  readonly varz?: readonly string[];
  /** Set if no page has the value of a setting that a reload changes. A preview then sees that something differs. */
  readonly isUnreported?: true;
  /** The first version of nats-server whose reload applies a change; before, it is a restart. Default: any. */
  readonly reloadSince?: readonly [major: number, minor: number, patch: number];
}

interface SettingBase {
  /** Description in Pulumi.yaml and editors. */
  readonly description: string;
  /** Description in docs/settings.md, Markdown. Absent: the row of the setting before describes this one too. */
  readonly meaning?: string;
  /** The default in docs/settings.md, Markdown. Default: the value of `default`, or `none` if that is empty. */
  readonly defaultWords?: string;
  /** The default in a program that imports the library, Markdown. Absent: the same. */
  readonly defaultInPrograms?: string;
  /** Why Pulumi.yaml doesn't declare the setting. Absent: it does. */
  readonly undeclared?: string;
  readonly change: Change;
  /** Absent: the setting is no field of a node's config, or its value has to be resolved before it is one. */
  readonly node?: NodeField;
}

/** The kind of a setting's values. Some kinds belong to a single setting. */
type SettingKind =
  /** Text without white space and quotes. */
  | {
      readonly kind: "label";
      readonly default: string;
      /** A further condition. `says` follows the value in the error message. */
      readonly rule?: { readonly pattern: RegExp; readonly says: string };
    }
  /** Names of regions, or a map of each region to its zones: at least one of each, at most `most` and `mostZones`. */
  | {
      readonly kind: "regions";
      readonly default: readonly string[];
      readonly most: number;
      readonly mostZones: number;
    }
  /** Names of zones, or a map of region to these: at least one, at most `most`. */
  | { readonly kind: "zones"; readonly default: readonly string[]; readonly most: number }
  /** `count by region`: a count, or a map of region to count. */
  | {
      readonly kind: "count" | "count by region";
      readonly default: number;
      readonly least: number;
      readonly most: number;
    }
  /** The port of the first node; 0 derives it. */
  | { readonly kind: "port"; readonly default: number }
  /** IP address. It may be empty if the default is. */
  | { readonly kind: "address"; readonly default: string }
  /** Written as `parseBytes` reads it; in bytes after parsing. */
  | {
      readonly kind: "size";
      readonly default: string;
      readonly least: string;
      readonly most?: string;
    }
  /** Written as `parseDuration` reads it; in milliseconds after parsing. `why` is the reason for `least`. */
  | {
      readonly kind: "duration";
      readonly default: string;
      readonly least: string;
      readonly why: string;
    }
  | { readonly kind: "choice"; readonly default: string; readonly values: readonly string[] }
  | { readonly kind: "flag"; readonly default: boolean }
  /** `advertise`: a pattern, or a map of region, zone or node to pattern. */
  | {
      readonly kind: "image" | "sync interval" | "lifetime" | "unique tag" | "advertise";
      readonly default: string;
    }
  /** `places`: names of regions and zones. */
  | { readonly kind: "host names" | "places"; readonly default: readonly string[] }
  | {
      readonly kind:
        | "certificate files"
        | "client tls"
        | "client certificates"
        | "server tags"
        | "server config"
        | "accounts"
        | "streams"
        | "buckets"
        | "object stores"
        | "engines";
      readonly default: Readonly<Record<string, never>>;
    }
  /** A secret, which is read separately: no plan depends on it. */
  | { readonly kind: "password" };

export type Setting = SettingBase & SettingKind;

/** Settings by name, in the order of the documentation. */
export const SETTINGS = {
  /** nats-server 2.15 reserves "_" for leaf nodes without a cluster. */
  cluster: {
    kind: "label",
    default: "c1",
    rule: { pattern: /^(?!_$)/, says: "is a name that nats-server keeps for itself" },
    description: "Name of the NATS cluster. Never change it once streams exist.",
    defaultInPrograms: "the resource's name",
    meaning: "name of the NATS cluster; changing that of a running cluster is refused",
    // A reload would apply another name, and the server would lose its routes and streams.
    change: "fixed",
    node: {},
  },
  regions: {
    kind: "regions",
    default: ["rg1", "rg2", "rg3"],
    most: MAX_REGIONS,
    mostZones: MAX_ZONES,
    description:
      "Names of the regions, new ones at the end; or a map of each region to its zones, e.g. `{ eu: [x, y], us: [a, b, c] }`, whose order is that of the names. `rg2` gives the tag `rg:2`.",
    meaning:
      "regions, in order; `rg2` gives the tag `rg:2`, `us-east` gives `rg:us-east`. Or a map of region to zones, `{ eu: [x, y], us: [a, b, c] }`, see [regions that aren't alike](#regions-that-arent-alike)",
    change: "shape",
  },
  availabilityZones: {
    kind: "zones",
    default: ["az1", "az2", "az3"],
    most: MAX_ZONES,
    description:
      "Names of the availability zones of each region, new ones at the end; or a map of region to its zones. `az1` gives the tag `az:1`.",
    meaning:
      "zones, the same in each region, or a map of region to zones; `az1` gives the tag `az:1`",
    change: "shape",
  },
  nodesPerZone: {
    kind: "count by region",
    default: 1,
    least: 1,
    most: 5,
    description:
      "Servers in each availability zone of each region; or a map of region to this number, 1 for the others.",
    meaning:
      "servers in each zone of each region, or a map of region to this number, `{ us: 2 }`: 1 in the others",
    change: "shape",
  },
  /** Names of regions and zones. */
  witnesses: {
    kind: "places",
    default: [],
    description:
      "Regions and zones (`rg1-az2`) whose nodes are witnesses - they vote in the meta group, and take no streams.",
    meaning:
      "regions and zones (`rg1-az2`) whose nodes are [witnesses](#witnesses): they vote in the meta group, and take no streams",
    change: "reload",
  },
  /** Prefix of the tag in which a stream's replicas must differ; `""` instead of `none` after parsing. */
  uniqueTag: {
    kind: "unique tag",
    default: "az:",
    description:
      "Tags in which the replicas of a stream must differ - `az:`, `rg:`, any prefix that `serverTags` gives each node, e.g. `rack:`, or `none`.",
    meaning:
      "tags in which a stream's replicas must differ: `az:`, `rg:`, any prefix that `serverTags` gives each node, e.g. `rack:`, or `none`",
    change: "restart",
    node: {},
  },
  /** By name of a region, a zone or a node. */
  serverTags: {
    kind: "server tags",
    default: {},
    description:
      "Tags of your own, by name of a region, a zone (`rg1-az2`) or a node, e.g. `{ rg1-az2: [rack:7, ssd] }`. Streams name them in `placement.tags`.",
    meaning:
      "[tags of your own](#tags-of-your-own), by name of a region, a zone (`rg1-az2`) or a node",
    change: "reload",
  },
  image: {
    kind: "image",
    default: "nats:2.15.2",
    description: "Image of nats-server, with its version - 2.14.7 or newer of 2.14, or 2.15.",
    meaning:
      "image of nats-server: 2.14.7 or newer of 2.14, or 2.15. Other versions are refused, as no test covers them",
    change: "restart",
  },
  bindAddress: {
    kind: "address",
    default: "127.0.0.1",
    description:
      "IP address of the host that ports are published on. `0.0.0.0` is all of IPv4, `::` all of IPv6.",
    meaning:
      "IP address of the host that ports are published on; `0.0.0.0` is all of IPv4, `::` all of IPv6",
    change: "restart",
  },
  engines: {
    kind: "engines",
    default: {},
    description:
      "Docker engines by region or zone, e.g. rg1 or rg2-az1, each on a machine of its own. Empty: one engine for all.",
    meaning:
      "Docker engines by region or zone: `host`, `address`, `bindAddress`, `ssh`, `certPath`; see [Regions on machines of their own](machines.md)",
    defaultWords: "one engine for all nodes",
    change: "restart",
  },
  /**
   * A reload is accepted and reaches neither clients nor other servers: what they are told of is settled when the server
   * starts (2.15, `AcceptLoop` in server/server.go, `clusterOption` in server/reload.go).
   */
  advertise: {
    kind: "advertise",
    default: "auto",
    description:
      'What servers tell clients of, to reconnect to - a host with or without a port, `none` or `auto`, for all nodes or by name of a region, a zone or a node, e.g. `{ rg1: "{node}.example.com:{port}", rg2: none }`.',
    meaning:
      "what servers tell clients of, to reconnect to: a host with or without a port, `none`, or `auto`, for all nodes or by name of a region, a zone or a node; see [What clients are told](#what-clients-are-told)",
    defaultWords: "`auto`: `bindAddress`, or the `address` of the node's engine",
    change: "restart",
  },
  /** Former keys of `engines`. */
  lost: {
    kind: "places",
    default: [],
    description:
      "Former keys of engines whose machines are lost for good, with what they held. Their nodes are let go of unasked.",
    meaning:
      "former keys of `engines` whose machines are [lost for good](machines.md#a-region-that-is-lost): their nodes are let go of, and nothing is asked of them but a sign of life",
    change: "none",
  },
  /** Never empty after parsing. */
  monitorAddress: {
    kind: "address",
    default: "",
    description:
      "IP address of the host that monitoring ports are published on. Empty is loopback.",
    meaning:
      "address of the host that monitoring ports are published on. Monitoring pages ask for no password, and are in the clear without `tls`",
    defaultWords: "loopback",
    change: "restart",
  },
  clientPort: {
    kind: "port",
    default: 0,
    description:
      "Port for clients of the first node, the others follow. 0 derives it from the stack's name.",
    meaning: "port of the first node, the others follow (4222 in `dev`)",
    defaultWords: "from the stack's name",
    change: "restart",
  },
  routePort: {
    kind: "port",
    default: 0,
    description:
      "With engines: port of the first node for routes of others, the others follow. 0 is 2000 above clientPort.",
    meaning: "with `engines`: port of the first node for routes from other machines",
    defaultWords: "`clientPort` + 2000",
    change: "restart",
  },
  monitorPort: {
    kind: "port",
    default: 0,
    description:
      "Port of the first node's monitoring pages, the others follow. 0: nodes have no monitoring pages.",
    meaning:
      "port of the first node's monitoring pages, for those who collect them. The stack itself doesn't need them",
    defaultWords: "no pages",
    change: "restart",
  },
  /** Memory limit of a node's container, in bytes. */
  memory: {
    kind: "size",
    default: "512MiB",
    least: "64MiB",
    description: "Memory limit of a node's container.",
    meaning: "memory limit of a node's container",
    change: "restart",
  },
  /** In bytes. It is always set, as the server's own default is 75% of the disk, for each server on it. */
  maxFileStore: {
    kind: "size",
    default: "1GiB",
    least: "1MiB",
    description: "Room for file streams on each node.",
    meaning:
      "room for streams on each node, on disk and in memory; the latter is half of `memory` at most",
    change: "growth",
    node: { varz: ["jetstream", "config", "max_storage"] },
  },
  /** In bytes. */
  maxMemoryStore: {
    kind: "size",
    default: "64MiB",
    least: "0",
    description: "Room for memory streams on each node.",
    change: "growth",
    node: { varz: ["jetstream", "config", "max_memory"] },
  },
  /**
   * Largest size of a message with its headers, in bytes. A server refuses to start with more than it buffers for one
   * client, `maxPending`.
   */
  maxPayload: {
    kind: "size",
    default: "1MiB",
    least: "1KiB",
    most: "64MiB",
    description: "What a message may have, headers included.",
    meaning:
      "what a message may have, headers included; at most `64MiB`. Connected clients learn of a change when they reconnect. `limits.payload` and `maxMsgSize` can't be more",
    change: "reload",
    node: { omitDefault: true, varz: ["max_payload"] },
  },
  ...SERVER_SETTINGS,
  /** Leaf nodes link other clusters to this one, see examples/two-clusters. */
  leafNodes: {
    kind: "flag",
    default: false,
    description:
      "Whether nodes take leaf nodes, on port 7422 of the stack's network. They log in as users do.",
    meaning:
      "nodes take leaf nodes, on port 7422 of the stack's network. Leaf nodes log in as users do. Mirrors may then copy from other clusters",
    // A reload can't add a listener (2.15, `getLeafNodeOptionsChanges` in server/reload.go).
    change: "restart",
    node: { omitDefault: true },
  },
  ...LISTENER_SETTINGS,
  /** `always`, or the longest time until an acknowledged message is synced to disk, e.g. `1000ms` after parsing. */
  syncInterval: {
    kind: "sync interval",
    default: "always",
    description:
      "When messages are forced to disk - `always` loses nothing in a power cut, `1s` is faster and may lose a second.",
    meaning:
      "when messages are forced to disk: `always` survives a power cut of every replica; `1s` stores some four times as many messages a second, and may lose a second of them",
    change: "restart",
    node: {},
  },
  /**
   * Cipher of what JetStream stores, `none` without encryption. A server encrypts what is there when it starts, and
   * takes another cipher for the same key.
   */
  encryption: {
    kind: "choice",
    default: "none",
    values: ["none", "chachapoly", "aes"],
    description:
      "Whether what JetStream stores is encrypted, and by which cipher - `none`, `chachapoly` or `aes`. It can't be undone.",
    meaning:
      "whether what JetStream stores is encrypted, and by which cipher: `none`, `chachapoly` or `aes`, see [Encryption at rest](tasks.md#encryption-at-rest)",
    change: "restart",
    node: { omitDefault: true },
  },
  encryptionKey: {
    kind: "password",
    description: "Key of `encryption`, at least 32 characters. Never change or lose it.",
    meaning:
      "the key for that, a secret of at least 32 characters; another one for a running cluster is refused, as no server would read its data",
    undeclared: "where `encryption` is on: where it is declared, Pulumi demands it.",
    change: "fixed",
  },
  config: {
    kind: "server config",
    default: {},
    description:
      "Further options of nats-server, by its own names, merged into each node's config. They are plain text: no secrets.",
    meaning:
      "further options of nats-server, by its own names, see [Other options of the servers](#other-options-of-the-servers)",
    change: "by option",
  },
  /** How many nodes are restarted at once. */
  rollout: {
    kind: "choice",
    default: "zone",
    values: ROLLOUTS,
    description:
      "How many nodes are changed at once - `zone`, `node` or `all`, which is an outage.",
    meaning:
      "how many nodes are changed at once: a `zone` in all regions (fewer where a stream could lose its majority), one `node`, or `all`, which is an outage and asks nobody",
    change: "none",
  },
  /** Milliseconds without progress after which an update stops waiting for nodes. */
  patience: {
    kind: "duration",
    default: "2m",
    least: "10s",
    why: "an election takes some seconds",
    description:
      "How long an update waits for nodes while nothing moves. Replicas that catch up may take any time.",
    meaning:
      "how long an `up` waits for nodes while nothing moves; replicas that catch up may take any time, as long as they get on. Streams that change get `1m`, or `patience` where that is more",
    change: "none",
  },
  /** Whether data volumes stay on the engine when their nodes are removed. */
  keepVolumes: {
    kind: "flag",
    default: false,
    description:
      "Whether data volumes stay on the engine when their nodes leave, or the stack is destroyed. Set it in an update before that one.",
    meaning:
      "data volumes stay on the engine when their nodes leave or the stack is destroyed. An `up` notes it down with each volume: set it in one before the one that takes nodes out",
    change: "none",
  },
  tls: {
    kind: "choice",
    default: "auto",
    values: ["auto", ...TLS_MODES],
    description:
      "Who certifies nodes - `stack`, `files` or `none`. `auto` is `files` where `tlsFiles` names some, `stack` with `clientTls` or `clientCertificates`, else `none` on loopback, else `stack`.",
    meaning:
      "who certifies nodes: `stack`, an authority of the stack's own; `files`, you; `none`: everything in the clear",
    defaultWords:
      "`files` with `tlsFiles`; `none` on loopback; `stack` elsewhere, and with `clientTls` or `clientCertificates`",
    // A reload would apply `tls` blocks, but it can't change the monitoring port.
    change: "at once",
  },
  tlsFiles: {
    kind: "certificate files",
    default: {},
    description:
      "Certificates of your own - `ca`, `cert` and `key`, paths of PEM files; `{node}` is a node's name.",
    meaning: "`ca`, `cert` and `key`, paths of PEM files",
    change: "reload",
  },
  clientTls: {
    kind: "client tls",
    default: {},
    description:
      "Certificate of your own for clients, apart from routes - `cert`, `key` and `ca`, paths of PEM files; see docs/tasks.md.",
    meaning:
      "a certificate of your own for clients, while routes have the stack's: `cert`, `key` and `ca`, paths of PEM files, see [A certificate for clients](tasks.md#a-certificate-for-clients)",
    change: "reload",
  },
  clientCertificates: {
    kind: "client certificates",
    default: {},
    description:
      "Certificates that clients have to show - `ca`, path of a PEM file, `map`, whether they say which user a client is, and `listeners`; see docs/tasks.md.",
    meaning:
      "certificates that clients have to show: `ca`, path of a PEM file, `map`, whether they say which user a client is, and `listeners`, see [Certificates of clients](tasks.md#certificates-of-clients)",
    // `verify` reloads; nats-server 2.15 has no reload of `verify_and_map`.
    change: "by option",
  },
  /** In nanoseconds after parsing. */
  certificateLifetime: {
    kind: "lifetime",
    default: "365d",
    description: "How long certificates of the stack's own authority last.",
    meaning: "how long certificates of the stack's own authority last",
    change: "reload",
  },
  certificateNames: {
    kind: "host names",
    default: [],
    description:
      "Host names and addresses by which clients reach the nodes, beside those that are known.",
    meaning: "host names and addresses by which clients reach the nodes, beside `bindAddress`",
    change: "reload",
  },
  /**
   * nats-server uses it in names of folders and in subjects, and doesn't unescape it in a config, where it is a key.
   */
  account: {
    kind: "label",
    default: "APP",
    rule: { pattern: /^[^.*>/\\]+$/, says: "must have none of . * > / \\ in it" },
    description: "Name of the first account, which owns the streams that name none.",
    meaning:
      "the first account, its user and the user's password, a secret. Streams that name no account belong to it. `accounts` may give it other users in the place of this one",
    change: "reload",
  },
  user: {
    kind: "label",
    default: "user",
    description: "User of the first account, `account`.",
    change: "reload",
  },
  password: {
    kind: "password",
    description:
      "Password of `user`. Not needed where `accounts` gives the first account other users.",
    undeclared:
      "of that user: where it is declared, Pulumi demands it, also where the account has other users.",
    change: "reload",
  },
  systemUser: {
    kind: "label",
    default: "sys",
    description: "User of the system account $SYS.",
    meaning: "the system account `$SYS`, without streams",
    change: "reload",
  },
  systemPassword: {
    kind: "password",
    description: "Password of `systemUser`.",
    change: "reload",
  },
  accounts: {
    kind: "accounts",
    default: {},
    description:
      "More accounts by name, and more of the first one - users, limits, exports, imports; see docs/settings.md.",
    meaning: "more accounts by name, and more of the first one, see [Accounts](#accounts)",
    change: "reload",
  },
  streams: {
    kind: "streams",
    default: {},
    description: "Streams by name, see docs/streams.md.",
    meaning: "streams by name, see [streams.md](streams.md)",
    change: "streams",
  },
  buckets: {
    kind: "buckets",
    default: {},
    description: "Key-value buckets by name, see docs/buckets.md.",
    meaning: "key-value buckets by name, see [buckets.md](buckets.md)",
    change: "streams",
  },
  objectStores: {
    kind: "object stores",
    default: {},
    description: "Object stores by name, see docs/buckets.md.",
    meaning: "object stores by name, see [buckets.md](buckets.md)",
    change: "streams",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingsTable = typeof SETTINGS;
export type SettingName = keyof SettingsTable;
