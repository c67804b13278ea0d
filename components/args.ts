/** Types of what programs give a cluster and its streams. Written by `npm run settings`; edit the tables of settings and fields instead. */

import type * as pulumi from "@pulumi/pulumi";

/**
 * What there is to set of a cluster. Sizes and durations are written as in a stack's file,
 * e.g. `512MiB` and `7d`.
 */
export interface ClusterSettings {
  /**
   * Name of the NATS cluster. Never change it once streams exist.
   *
   * What a change costs: a new cluster, it is refused in one that runs.
   * @default the resource's name
   */
  readonly cluster?: string | undefined;
  /**
   * Names of the regions, new ones at the end; or a map of each region to its zones, e.g. `{
   * eu: [x, y], us: [a, b, c] }`, whose order is that of the names. `rg2` gives the tag
   * `rg:2`. At most 10, of lower case letters, digits and dashes.
   *
   * What a change costs: new nodes start, those that leave are emptied first; of the others a
   * reload, no restart.
   * @default ["rg1", "rg2", "rg3"]
   */
  readonly regions?: readonly string[] | Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Names of the availability zones of each region, new ones at the end; or a map of region to
   * its zones. `az1` gives the tag `az:1`. At most 10, of lower case letters, digits and
   * dashes.
   *
   * What a change costs: new nodes start, those that leave are emptied first; of the others a
   * reload, no restart.
   * @default ["az1", "az2", "az3"]
   */
  readonly availabilityZones?:
    | readonly string[]
    | Readonly<Record<string, readonly string[]>>
    | undefined;
  /**
   * Servers in each availability zone of each region; or a map of region to this number, 1 for
   * the others. From 1 to 5.
   *
   * What a change costs: new nodes start, those that leave are emptied first; of the others a
   * reload, no restart.
   * @default 1
   */
  readonly nodesPerZone?: number | Readonly<Record<string, number>> | undefined;
  /**
   * Regions and zones (`rg1-az2`) whose nodes are witnesses - they vote in the meta group, and
   * take no streams.
   *
   * What a change costs: reload, no restart.
   * @default []
   */
  readonly witnesses?: readonly string[] | undefined;
  /**
   * Tags in which the replicas of a stream must differ - `az:`, `rg:`, any prefix that
   * `serverTags` gives each node, e.g. `rack:`, or `none`.
   *
   * What a change costs: restart, zone by zone.
   * @default "az:"
   */
  readonly uniqueTag?: string | undefined;
  /**
   * Tags of your own, by name of a region, a zone (`rg1-az2`) or a node, e.g. `{ rg1-az2:
   * [rack:7, ssd] }`. Streams name them in `placement.tags`.
   *
   * What a change costs: reload, no restart.
   * @default {}
   */
  readonly serverTags?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Image of nats-server, with its version - 2.14.7 or newer of 2.14, or 2.15.
   *
   * What a change costs: restart, zone by zone.
   * @default "nats:2.15.2"
   */
  readonly image?: string | undefined;
  /**
   * IP address of the host that ports are published on. `0.0.0.0` is all of IPv4, `::` all of
   * IPv6.
   *
   * What a change costs: restart, zone by zone.
   * @default "127.0.0.1"
   */
  readonly bindAddress?: string | undefined;
  /**
   * Docker engines by region or zone, e.g. rg1 or rg2-az1, each on a machine of its own.
   * Empty: one engine for all.
   *
   * What a change costs: restart, zone by zone.
   * @default {}
   */
  readonly engines?: Readonly<Record<string, EngineSettingsArgs>> | undefined;
  /**
   * What servers tell clients of, to reconnect to - a host with or without a port, `none` or
   * `auto`, for all nodes or by name of a region, a zone or a node, e.g. `{ rg1:
   * "{node}.example.com:{port}", rg2: none }`.
   *
   * What a change costs: restart, zone by zone.
   * @default "auto"
   */
  readonly advertise?: string | Readonly<Record<string, string>> | undefined;
  /**
   * Former keys of engines whose machines are lost for good, with what they held. Their nodes
   * are let go of unasked.
   *
   * What a change costs: nothing that runs, the next up goes by it.
   * @default []
   */
  readonly lost?: readonly string[] | undefined;
  /**
   * IP address of the host that monitoring ports are published on. Empty is loopback.
   *
   * What a change costs: restart, zone by zone.
   * @default ""
   */
  readonly monitorAddress?: string | undefined;
  /**
   * Port for clients of the first node, the others follow. 0 derives it from the stack's name.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly clientPort?: number | undefined;
  /**
   * With engines: port of the first node for routes of others, the others follow. 0 is 2000
   * above clientPort.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly routePort?: number | undefined;
  /**
   * Port of the first node's monitoring pages, the others follow. 0: nodes have no monitoring
   * pages.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly monitorPort?: number | undefined;
  /**
   * Memory limit of a node's container. A size, e.g. `512MiB`, at least `64MiB`; a number is
   * bytes.
   *
   * What a change costs: restart, zone by zone.
   * @default "512MiB"
   */
  readonly memory?: string | number | undefined;
  /**
   * Room for file streams on each node. A size, e.g. `1GiB`, at least `1MiB`; a number is
   * bytes.
   *
   * What a change costs: more is a reload, no restart; less is a restart, zone by zone.
   * @default "1GiB"
   */
  readonly maxFileStore?: string | number | undefined;
  /**
   * Room for memory streams on each node. A size, e.g. `64MiB`; a number is bytes.
   *
   * What a change costs: more is a reload, no restart; less is a restart, zone by zone.
   * @default "64MiB"
   */
  readonly maxMemoryStore?: string | number | undefined;
  /**
   * What a message may have, headers included. A size, e.g. `1MiB`, at least `1KiB`, at most
   * `64MiB`; a number is bytes.
   *
   * What a change costs: reload, no restart.
   * @default "1MiB"
   */
  readonly maxPayload?: string | number | undefined;
  /**
   * Connections of clients on each node, the stack's own during an up among them. From 10 to
   * 1000000.
   *
   * What a change costs: reload, no restart.
   * @default 65536
   */
  readonly maxConnections?: number | undefined;
  /**
   * What a node buffers for one connection before it closes it as a slow consumer. A size,
   * e.g. `64MiB`, at least `1KiB`, at most `1TiB`; a number is bytes.
   *
   * What a change costs: restart, zone by zone.
   * @default "64MiB"
   */
  readonly maxPending?: string | number | undefined;
  /**
   * Subscriptions of one connection; 0 is no limit. From 0 to 1000000000.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly maxSubscriptions?: number | undefined;
  /**
   * The longest line of the protocol, as with long subjects or credentials. A size, e.g.
   * `4KiB`, at least `4KiB`, at most `1MiB`; a number is bytes.
   *
   * What a change costs: reload, no restart.
   * @default "4KiB"
   */
  readonly maxControlLine?: string | number | undefined;
  /**
   * How long a write to a connection may take before it is closed. A duration, e.g. `10s`, at
   * least `100ms`.
   *
   * What a change costs: reload, no restart.
   * @default "10s"
   */
  readonly writeDeadline?: string | number | undefined;
  /**
   * How often nodes ping clients that are silent. A duration, e.g. `2m`, at least `1s`.
   *
   * What a change costs: reload, no restart.
   * @default "2m"
   */
  readonly pingInterval?: string | number | undefined;
  /**
   * How many pings in a row may stay unanswered before a connection is closed. From 1 to 1000.
   *
   * What a change costs: reload, no restart.
   * @default 2
   */
  readonly pingMax?: number | undefined;
  /**
   * The most that any consumer may set as its max_ack_pending; 0 is no limit. Consumers that
   * exist keep theirs. From 0 to 2147483647.
   *
   * What a change costs: reload, no restart.
   * @default 0
   */
  readonly maxAckPending?: number | undefined;
  /**
   * The most messages that a request to a pull consumer may ask for; 0 is no limit. From 0 to
   * 2147483647.
   *
   * What a change costs: reload, no restart.
   * @default 0
   */
  readonly maxRequestBatch?: number | undefined;
  /**
   * Streams and consumers with more than one replica that a node may hold; 0 is no limit. From
   * 0 to 2147483647.
   *
   * What a change costs: reload, no restart.
   * @default 0
   */
  readonly maxHaAssets?: number | undefined;
  /**
   * Consumers of a stream for which neither stream nor account has a limit. nats-server 2.14
   * has no such option. From 1 to 2147483647.
   *
   * What a change costs: reload, no restart.
   * @default 1000
   */
  readonly defaultMaxConsumers?: number | undefined;
  /**
   * The most that a stream may have as its duplicateWindow; 0 is no limit. A duration, e.g.
   * `2m`.
   *
   * What a change costs: reload, no restart.
   * @default "0"
   */
  readonly duplicateWindow?: string | number | undefined;
  /**
   * What a node sends at a time to replicas that catch up. A size, e.g. `64MiB`, at least
   * `1MiB`, at most `1TiB`; a number is bytes.
   *
   * What a change costs: restart, zone by zone.
   * @default "64MiB"
   */
  readonly maxOutstandingCatchup?: string | number | undefined;
  /**
   * Whether nodes log what they do in detail.
   *
   * What a change costs: reload, no restart.
   * @default false
   */
  readonly debug?: boolean | undefined;
  /**
   * Whether nodes log the whole protocol, with the contents of messages.
   *
   * What a change costs: reload, no restart.
   * @default false
   */
  readonly trace?: boolean | undefined;
  /**
   * Whether lines of the log begin with the time.
   *
   * What a change costs: reload, no restart.
   * @default true
   */
  readonly logtime?: boolean | undefined;
  /**
   * Whether nodes take leaf nodes, on port 7422 of the stack's network. They log in as users
   * do.
   *
   * What a change costs: restart, zone by zone.
   * @default false
   */
  readonly leafNodes?: boolean | undefined;
  /**
   * Port for leaf nodes of the first node, the others follow. 0 publishes none; leafNodes has
   * to be on.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly leafNodePort?: number | undefined;
  /**
   * Whether nodes take clients by WebSocket, as browsers are. They log in as others do.
   *
   * What a change costs: restart, zone by zone.
   * @default false
   */
  readonly websocket?: boolean | undefined;
  /**
   * Port for WebSocket of the first node, the others follow. 0 is 8000 above clientPort.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly websocketPort?: number | undefined;
  /**
   * Whether nodes take clients by MQTT. They log in as others do, and their account needs
   * JetStream.
   *
   * What a change costs: restart, zone by zone.
   * @default false
   */
  readonly mqtt?: boolean | undefined;
  /**
   * Port for MQTT of the first node, the others follow. 0 is 12000 above clientPort.
   *
   * What a change costs: restart, zone by zone.
   * @default 0
   */
  readonly mqttPort?: number | undefined;
  /**
   * When messages are forced to disk - `always` loses nothing in a power cut, `1s` is faster
   * and may lose a second.
   *
   * What a change costs: restart, zone by zone.
   * @default "always"
   */
  readonly syncInterval?: string | undefined;
  /**
   * Whether what JetStream stores is encrypted, and by which cipher - `none`, `chachapoly` or
   * `aes`. It can't be undone.
   *
   * What a change costs: restart, zone by zone.
   * @default "none"
   */
  readonly encryption?: "none" | "chachapoly" | "aes" | undefined;
  /**
   * Key of `encryption`, at least 32 characters. Never change or lose it.
   *
   * What a change costs: a new cluster, it is refused in one that runs.
   */
  readonly encryptionKey?: pulumi.Input<string> | undefined;
  /**
   * Further options of nats-server, by its own names, merged into each node's config. They are
   * plain text: no secrets.
   *
   * What a change costs: reload, no restart, or restart, zone by zone: by option.
   * @default {}
   */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /**
   * How many nodes are changed at once - `zone`, `node` or `all`, which is an outage.
   *
   * What a change costs: nothing that runs, the next up goes by it.
   * @default "zone"
   */
  readonly rollout?: "zone" | "node" | "all" | undefined;
  /**
   * How long an update waits for nodes while nothing moves. Replicas that catch up may take
   * any time. A duration, e.g. `2m`, at least `10s`.
   *
   * What a change costs: nothing that runs, the next up goes by it.
   * @default "2m"
   */
  readonly patience?: string | number | undefined;
  /**
   * Whether data volumes stay on the engine when their nodes leave, or the stack is destroyed.
   * Set it in an update before that one.
   *
   * What a change costs: nothing that runs, the next up goes by it.
   * @default false
   */
  readonly keepVolumes?: boolean | undefined;
  /**
   * Who certifies nodes - `stack`, `files` or `none`. `auto` is `files` where `tlsFiles` names
   * some, `stack` with `clientTls` or `clientCertificates`, else `none` on loopback, else
   * `stack`.
   *
   * What a change costs: restart of all nodes at once, which takes rollout: all.
   * @default "auto"
   */
  readonly tls?: "auto" | "none" | "stack" | "files" | undefined;
  /**
   * Certificates of your own - `ca`, `cert` and `key`, paths of PEM files; `{node}` is a
   * node's name.
   *
   * What a change costs: reload, no restart.
   * @default {}
   */
  readonly tlsFiles?: TlsFilesArgs | undefined;
  /**
   * Certificate of your own for clients, apart from routes - `cert`, `key` and `ca`, paths of
   * PEM files; see docs/tasks.md.
   *
   * What a change costs: reload, no restart.
   * @default {}
   */
  readonly clientTls?: ClientTlsArgs | undefined;
  /**
   * Certificates that clients have to show - `ca`, path of a PEM file, `map`, whether they say
   * which user a client is, and `listeners`; see docs/tasks.md.
   *
   * What a change costs: reload, no restart, or restart, zone by zone: by option.
   * @default {}
   */
  readonly clientCertificates?: ClientCertificatesArgs | undefined;
  /**
   * How long certificates of the stack's own authority last. A duration, e.g. `365d`.
   *
   * What a change costs: reload, no restart.
   * @default "365d"
   */
  readonly certificateLifetime?: string | undefined;
  /**
   * Host names and addresses by which clients reach the nodes, beside those that are known.
   *
   * What a change costs: reload, no restart.
   * @default []
   */
  readonly certificateNames?: readonly string[] | undefined;
  /**
   * Name of the first account, which owns the streams that name none.
   *
   * What a change costs: reload, no restart.
   * @default "APP"
   */
  readonly account?: string | undefined;
  /**
   * User of the first account, `account`.
   *
   * What a change costs: reload, no restart.
   * @default "user"
   */
  readonly user?: string | undefined;
  /**
   * Password of `user`. Not needed where `accounts` gives the first account other users.
   *
   * What a change costs: reload, no restart.
   */
  readonly password?: pulumi.Input<string> | undefined;
  /**
   * User of the system account $SYS.
   *
   * What a change costs: reload, no restart.
   * @default "sys"
   */
  readonly systemUser?: string | undefined;
  /**
   * Password of `systemUser`.
   *
   * What a change costs: reload, no restart.
   */
  readonly systemPassword: pulumi.Input<string>;
  /**
   * More accounts by name, and more of the first one - users, limits, exports, imports; see
   * docs/settings.md.
   *
   * What a change costs: reload, no restart.
   * @default {}
   */
  readonly accounts?: Readonly<Record<string, AccountArgs>> | undefined;
  /**
   * Streams by name, see docs/streams.md.
   *
   * What a change costs: streams one by one, no node.
   * @default {}
   */
  readonly streams?: Readonly<Record<string, StreamSettingsArgs>> | undefined;
  /**
   * Key-value buckets by name, see docs/buckets.md.
   *
   * What a change costs: streams one by one, no node.
   * @default {}
   */
  readonly buckets?: Readonly<Record<string, BucketSettingsArgs>> | undefined;
  /**
   * Object stores by name, see docs/buckets.md.
   *
   * What a change costs: streams one by one, no node.
   * @default {}
   */
  readonly objectStores?: Readonly<Record<string, ObjectStoreSettingsArgs>> | undefined;
}

/** The Docker engine of a region or zone. */
export interface EngineSettingsArgs {
  /** Where the engine is: `ssh://user@host`, `tcp://…`, `unix://…`, or a docker context. */
  readonly host: string;
  /**
   * By which other nodes and clients reach the machine.
   * @default the host's
   */
  readonly address?: string | undefined;
  /**
   * IP address of the machine that ports are published on.
   * @default all of the kind of `address`
   */
  readonly bindAddress?: string | undefined;
  /** Options of ssh, e.g. `IdentityFile=~/.ssh/rg1`. */
  readonly ssh?: readonly string[] | undefined;
  /** Folder with ca.pem, cert.pem and key.pem for `tcp://…`, as in DOCKER_CERT_PATH. */
  readonly certPath?: string | undefined;
}

/** Paths of PEM files, relative to the project; `{node}` stands for a node's name. */
export interface TlsFilesArgs {
  /** Of the authorities that nodes and clients trust. */
  readonly ca?: string | undefined;
  /** Of a node's certificate, with those between it and the authority after it. */
  readonly cert?: string | undefined;
  /** Of the key of a node's certificate. */
  readonly key?: string | undefined;
}

/**
 * Paths of PEM files, relative to the project; `{node}` and `{region}` stand for names of a
 * node and its region.
 */
export interface ClientTlsArgs {
  /** Of the certificate for clients, with those between it and the authority after it. */
  readonly cert?: string | undefined;
  /** Of its key. */
  readonly key?: string | undefined;
  /**
   * Of the authorities that clients trust.
   * @default those that every system knows, as Mozilla lists them
   */
  readonly ca?: string | undefined;
}

/** Certificates that clients have to show. */
export interface ClientCertificatesArgs {
  /** Of the authorities that sign clients' certificates. */
  readonly ca?: string | undefined;
  /**
   * Whether a certificate says which user a client is, in the place of user and password.
   * @default false
   */
  readonly map?: boolean | undefined;
  /**
   * Which listeners ask for one.
   * @default all but WebSocket, as pages give browsers no certificate
   */
  readonly listeners?: readonly ("clients" | "leafNodes" | "websocket" | "mqtt")[] | undefined;
}

/** An account: users, limits, and what it shares with others. */
export interface AccountArgs {
  /** By name, with a password, an nkey or a certificate. */
  readonly users?: Readonly<Record<string, UserArgs>> | undefined;
  /**
   * Of the account in the whole cluster.
   * @default none
   */
  readonly limits?: AccountLimitsArgs | undefined;
  /**
   * `false`: no streams; or limits of them, replicas counted.
   * @default true
   */
  readonly jetStream?: boolean | JetStreamLimitsArgs | undefined;
  /** What other accounts may import. */
  readonly exports?: readonly ExportArgs[] | undefined;
  /** What other accounts export, and its name here. */
  readonly imports?: readonly ImportArgs[] | undefined;
  /** Other subjects for what is published, by subject: one, or several with weights. */
  readonly mappings?: Readonly<Record<string, string | readonly MappingArgs[]>> | undefined;
}

/** A user with a password, an nkey or a certificate. */
export interface UserArgs {
  /** A secret of 72 bytes at most; its bcrypt hash may stand in plain. */
  readonly password?: pulumi.Input<string> | undefined;
  /** The public key, `U…`. */
  readonly nkey?: string | undefined;
  /**
   * The name in its certificate, where `clientCertificates` has `map`: its subject, e.g.
   * `CN=worker,O=Acme`, or one of its alternative names.
   */
  readonly certificate?: string | undefined;
  /**
   * Streams, buckets and consumers that it may use, and nothing else.
   * @default what `permissions` say
   */
  readonly can?: AbilitiesArgs | undefined;
  /**
   * What it may do, by subjects; beside `can`, what it may do more, and what it may not.
   * @default everything within the account, or what `can` says
   */
  readonly permissions?: PermissionsArgs | undefined;
}

/**
 * Streams, buckets and consumers that a user may use, by their names in its account. The
 * subjects that this takes follow from them.
 */
export interface AbilitiesArgs {
  /**
   * Streams and buckets that it may publish to: at the subjects of the stream.
   * @default none
   */
  readonly publish?: readonly string[] | undefined;
  /**
   * Consumers whose messages it may take and acknowledge, e.g. `ORDERS/worker`.
   * @default none
   */
  readonly consume?: readonly string[] | undefined;
  /**
   * Streams and buckets of which it may get messages, one by one or in batches, and the state.
   * @default none
   */
  readonly read?: readonly string[] | undefined;
  /**
   * Streams and buckets that it may follow by consumers that its client makes, as ordered
   * consumers and watchers of buckets are.
   * @default none
   */
  readonly watch?: readonly string[] | undefined;
  /**
   * Prefix of the subjects at which it is answered; its clients have to be told of it.
   * `_INBOX`: that of clients which are told of none, by which it may hear the answers to
   * others, too.
   * @default `_INBOX_` and its name
   */
  readonly inbox?: string | undefined;
}

/** What a user may do. */
export interface PermissionsArgs {
  /**
   * Subjects that it may publish to.
   * @default all
   */
  readonly publish?: SubjectRulesArgs | undefined;
  /**
   * Subjects that it may subscribe to; one may be followed by a blank and the queue group that
   * it holds for.
   * @default all
   */
  readonly subscribe?: SubjectRulesArgs | undefined;
  /**
   * Whether it may publish to the reply subject of a request that it got; `true`: once, two
   * minutes long.
   * @default false
   */
  readonly allowResponses?: boolean | ResponsePermissionArgs | undefined;
}

/** Subjects, with wildcards. What is denied counts more than what is allowed. */
export interface SubjectRulesArgs {
  /** @default all */
  readonly allow?: readonly string[] | undefined;
  /** @default none */
  readonly deny?: readonly string[] | undefined;
}

/** How often, and how long, a request may be answered. */
export interface ResponsePermissionArgs {
  /**
   * How many times; -1: any number of times.
   * @default 1
   */
  readonly max?: number | undefined;
  /**
   * How long, a duration, e.g. `30s`.
   * @default "2m"
   */
  readonly ttl?: string | number | undefined;
}

/** Limits of an account in the whole cluster. */
export interface AccountLimitsArgs {
  /** Connections of clients, the stack's own during an `up` among them. */
  readonly connections?: number | undefined;
  /** Subscriptions of clients. */
  readonly subscriptions?: number | undefined;
  /** What a message may have, a size, e.g. `512KiB`. */
  readonly payload?: string | number | undefined;
}

/** What the streams of an account may take, replicas counted. */
export interface JetStreamLimitsArgs {
  /** Room for its file streams, a size, e.g. `10GiB`. */
  readonly maxFileStore?: string | number | undefined;
  /** Room for its memory streams, a size, e.g. `64MiB`. */
  readonly maxMemoryStore?: string | number | undefined;
  /** How many streams it may have. */
  readonly maxStreams?: number | undefined;
  /** How many consumers it may have. */
  readonly maxConsumers?: number | undefined;
  /** Messages that may wait for acknowledgement, of each consumer. */
  readonly maxAckPending?: number | undefined;
  /** What one file stream may take, a size, e.g. `1GiB`. */
  readonly maxFileStreamBytes?: string | number | undefined;
  /** What one memory stream may take, a size, e.g. `64MiB`. */
  readonly maxMemoryStreamBytes?: string | number | undefined;
  /**
   * Whether each stream has to say its `maxBytes`.
   * @default false
   */
  readonly maxBytesRequired?: boolean | undefined;
}

/** What other accounts may import: a stream or a service. */
export interface ExportArgs {
  /** Subject of the messages, with wildcards. */
  readonly stream?: string | undefined;
  /** Subject that a service answers at, with wildcards. */
  readonly service?: string | undefined;
  /**
   * Those that may import it.
   * @default all
   */
  readonly accounts?: readonly string[] | undefined;
  /**
   * How a service answers a request.
   * @default "single"
   */
  readonly response?: "single" | "stream" | "chunked" | undefined;
}

/** What another account exports: a stream or a service. */
export interface ImportArgs {
  /** Messages of another account. */
  readonly stream?: ExportedSubjectArgs | undefined;
  /** A service of another account. */
  readonly service?: ExportedSubjectArgs | undefined;
  /**
   * The subject here.
   * @default as it is there
   */
  readonly to?: string | undefined;
  /** What goes before the subject here, of a stream. */
  readonly prefix?: string | undefined;
}

/** A subject of another account. */
export interface ExportedSubjectArgs {
  /** Name of the account that exports it. */
  readonly account: string;
  /** What it is called there. */
  readonly subject: string;
}

/** One of several destinations of a subject. */
export interface MappingArgs {
  /** The subject there, with `$1` and so on for wildcards, or functions. */
  readonly destination: string;
  /** The share of messages that get it, in percent. */
  readonly weight: number;
  /**
   * The cluster in which a message has to be published for it.
   * @default any
   */
  readonly cluster?: string | undefined;
}

/**
 * A stream: the fields of its config, where it is to live, and how an update may deal with
 * it.
 */
export interface StreamSettingsArgs {
  /**
   * What it is for; at most 4 KiB. `description` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly description?: string | undefined;
  /**
   * Subjects that it takes messages of, with wildcards. No two streams of an account may take
   * the same message. `subjects` of NATS's JSON API.
   *
   * A change: in place.
   * @default the stream's name; none for mirrors and for streams with sources
   */
  readonly subjects?: readonly string[] | undefined;
  /**
   * When messages go - `limits`: by these alone, `interest`: once no consumer waits for them,
   * `workqueue`: once one has acknowledged them. A stream can't become a work queue, nor stop
   * being one. `retention` of NATS's JSON API.
   *
   * A change: in place.
   * @default "limits"
   */
  readonly retention?: "limits" | "interest" | "workqueue" | undefined;
  /**
   * Servers that keep a copy: with 3 it goes on without one of them, with 5 without two.
   * `num_replicas` of NATS's JSON API.
   *
   * A change: replicas come or go, in the background.
   * @default 1
   */
  readonly replicas?: number | undefined;
  /**
   * Which servers may keep it: one of `region`, `across` and `tags`; and `cluster`.
   * `placement` of NATS's JSON API.
   *
   * A change: replicas move, in the background.
   * @default where the servers choose
   */
  readonly placement?: PlacementArgs | undefined;
  /**
   * Where messages are kept; those in `memory` are gone once all replicas are down. `storage`
   * of NATS's JSON API.
   *
   * A change: only as a new stream, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "file"
   */
  readonly storage?: "file" | "memory" | undefined;
  /**
   * How messages are compressed on disk. `compression` of NATS's JSON API.
   *
   * A change: in place.
   * @default "none"
   */
  readonly compression?: "none" | "s2" | undefined;
  /**
   * What makes room at `maxMsgs` and `maxBytes` - `old`: the oldest messages are deleted,
   * `new`: new ones are refused. `discard` of NATS's JSON API.
   *
   * A change: in place.
   * @default "old"
   */
  readonly discard?: "old" | "new" | undefined;
  /**
   * With `discard: new`, new messages are refused at `maxMsgsPerSubject`, too.
   * `discard_new_per_subject` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly discardNewPerSubject?: boolean | undefined;
  /**
   * How long messages are kept. A lower limit that deletes messages takes `allowDataLoss`. A
   * duration, e.g. `7d`. `max_age` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxAge?: string | number | undefined;
  /**
   * Messages that it keeps. A lower limit that deletes messages takes `allowDataLoss`.
   * `max_msgs` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxMsgs?: number | undefined;
  /**
   * What its messages may take, of each replica. A lower limit that deletes messages takes
   * `allowDataLoss`. A size, e.g. `512MiB`; a number is bytes. `max_bytes` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxBytes?: string | number | undefined;
  /**
   * Messages that it keeps of each subject; the oldest go. A lower limit that deletes messages
   * takes `allowDataLoss`. `max_msgs_per_subject` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxMsgsPerSubject?: number | undefined;
  /**
   * What a message may have, headers included. A size, e.g. `512MiB`; a number is bytes.
   * `max_msg_size` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxMsgSize?: string | number | undefined;
  /**
   * Consumers that it may have. `max_consumers` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit of its own
   */
  readonly maxConsumers?: number | undefined;
  /**
   * Messages are not acknowledged to those who publish: nobody learns that one wasn't stored.
   * `no_ack` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly noAck?: boolean | undefined;
  /**
   * How long a message is known again by its `Nats-Msg-Id`, and dropped. A duration, e.g.
   * `7d`. `duplicate_window` of NATS's JSON API.
   *
   * A change: in place.
   * @default 2m, or `maxAge` where that is shorter; mirrors and streams with sources have none
   */
  readonly duplicateWindow?: string | number | undefined;
  /**
   * The stream that it is a copy of: it takes no other messages. `mirror` of NATS's JSON API.
   *
   * A change: can be removed; set or changed only as a new stream, by `recreate` or
   * `allowDataLoss`.
   */
  readonly mirror?: StreamSourceArgs | undefined;
  /**
   * Streams whose messages it takes, too. `sources` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly sources?: readonly StreamSourceArgs[] | undefined;
  /**
   * What subjects of messages become as they are stored. `subject_transform` of NATS's JSON
   * API.
   *
   * A change: in place.
   */
  readonly subjectTransform?: SubjectTransformArgs | undefined;
  /**
   * Publishes messages again under other subjects, once they are stored. `republish` of NATS's
   * JSON API.
   *
   * A change: in place.
   */
  readonly republish?: RepublishArgs | undefined;
  /**
   * What its consumers may have at most. `consumer_limits` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly consumerLimits?: ConsumerLimitsArgs | undefined;
  /**
   * Sequence of its first message. `first_seq` of NATS's JSON API.
   *
   * A change: only as a new stream, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default 1
   */
  readonly firstSequence?: number | undefined;
  /**
   * Any replica may be asked for a message, not the leader alone: faster, and at times behind.
   * `allow_direct` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly allowDirect?: boolean | undefined;
  /**
   * A mirror answers, too, where its origin is asked for a message. `mirror_direct` of NATS's
   * JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly mirrorDirect?: boolean | undefined;
  /**
   * A message may replace all that is older, of its subject or of the stream, by the header
   * `Nats-Rollup`. `allow_rollup_hdrs` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly allowRollup?: boolean | undefined;
  /**
   * No message can be deleted by the API. `deny_delete` of NATS's JSON API.
   *
   * A change: can be switched on; off again only as a new stream, by `recreate` or
   * `allowDataLoss`.
   * @default false
   */
  readonly denyDelete?: boolean | undefined;
  /**
   * It can't be purged by the API. `deny_purge` of NATS's JSON API.
   *
   * A change: can be switched on; off again only as a new stream, by `recreate` or
   * `allowDataLoss`.
   * @default false
   */
  readonly denyPurge?: boolean | undefined;
  /**
   * It takes no messages any more, and keeps those that it has. `sealed` of NATS's JSON API.
   *
   * A change: can be switched on; off again only as a new stream, by `recreate` or
   * `allowDataLoss`.
   * @default false
   */
  readonly sealed?: boolean | undefined;
  /**
   * Labels, of names that don't begin with `_nats.`. `metadata` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * A message may say how long it is kept, by the header `Nats-TTL`. `allow_msg_ttl` of NATS's
   * JSON API.
   *
   * A change: can be switched on; off again only as a new stream, by `recreate` or
   * `allowDataLoss`.
   * @default false
   */
  readonly allowMsgTtl?: boolean | undefined;
  /**
   * How long a marker stays for a subject whose last message was too old. A duration, e.g.
   * `7d`. `subject_delete_marker_ttl` of NATS's JSON API.
   *
   * A change: in place.
   * @default no markers
   */
  readonly subjectDeleteMarkerTtl?: string | number | undefined;
  /**
   * Its subjects are counters: a message adds what its header `Nats-Incr` says.
   * `allow_msg_counter` of NATS's JSON API.
   *
   * A change: only as a new stream, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default false
   */
  readonly allowMsgCounter?: boolean | undefined;
  /**
   * Batches may be published, all of their messages or none. `allow_atomic` of NATS's JSON
   * API.
   *
   * A change: in place.
   * @default false
   */
  readonly allowAtomic?: boolean | undefined;
  /**
   * A message may say when it is published, by the header `Nats-Schedule`.
   * `allow_msg_schedules` of NATS's JSON API.
   *
   * A change: can be switched on; off again only as a new stream, by `recreate` or
   * `allowDataLoss`.
   * @default false
   */
  readonly allowMsgSchedules?: boolean | undefined;
  /**
   * `async`: messages are acknowledged before they are written, and may be lost when a server
   * is killed. `persist_mode` of NATS's JSON API.
   *
   * A change: only as a new stream, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "default"
   */
  readonly persistMode?: "default" | "async" | undefined;
  /**
   * Batches may be published fast, which aren't acknowledged one message at a time.
   * `allow_batched` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly allowBatched?: boolean | undefined;
  /**
   * Where the leader should be.
   * @default any replica
   */
  readonly leader?: LeaderArgs | undefined;
  /**
   * Adopt a stream of that name that is there: it gets these settings and keeps its messages.
   * @default false
   */
  readonly adopt?: boolean | undefined;
  /**
   * Messages may be deleted where a change, or the stream's removal, can't be without; those
   * in memory also by restarts.
   * @default false
   */
  readonly allowDataLoss?: boolean | undefined;
  /**
   * Recreate the stream where the server can't change it, and keep its messages by way of a
   * copy.
   * @default never
   */
  readonly recreate?: "viaBackup" | undefined;
  /**
   * Its name on the servers, where each account may have a stream of the same name.
   *
   * A change: refused.
   * @default its name here
   */
  readonly stream?: string | undefined;
  /**
   * The account that it is in.
   *
   * A change: refused.
   * @default the first
   */
  readonly account?: string | undefined;
  /**
   * Its durable consumers, by name.
   * @default none
   */
  readonly consumers?: Readonly<Record<string, ConsumerSettingsArgs>> | undefined;
}

/** Where a stream is to live: one of region, across and tags; and the cluster. */
export interface PlacementArgs {
  /** Servers of one region. */
  readonly region?: string | undefined;
  /**
   * One zone in each of several regions, e.g. `{ rg1: "az1", rg2: "az2" }`, or as many as a
   * number says, e.g. `{ rg1: 2, rg2: 1 }`.
   */
  readonly across?: Readonly<Record<string, number | string>> | undefined;
  /** Servers that have all of these tags; `!tag`: without it. */
  readonly tags?: readonly string[] | undefined;
  /** Name of the NATS cluster. */
  readonly cluster?: string | undefined;
}

export interface StreamSourceArgs {
  /** Name of the stream. `name` of NATS's JSON API. */
  readonly name: string;
  /**
   * Sequence of the message to begin with. `opt_start_seq` of NATS's JSON API.
   * @default the first
   */
  readonly startSequence?: number | undefined;
  /**
   * Time to begin with, RFC 3339, e.g. `2026-01-31T00:00:00Z`. `opt_start_time` of NATS's JSON
   * API.
   */
  readonly startTime?: string | undefined;
  /**
   * Messages of this subject alone, with wildcards. `filter_subject` of NATS's JSON API.
   * @default all
   */
  readonly filterSubject?: string | undefined;
  /**
   * Messages of these subjects alone, and what the subjects become. `subject_transforms` of
   * NATS's JSON API.
   */
  readonly subjectTransforms?: readonly SubjectTransformArgs[] | undefined;
  /** Where it is, in another account or domain. `external` of NATS's JSON API. */
  readonly external?: ExternalStreamArgs | undefined;
  /**
   * A consumer of it that is there. `consumer` of NATS's JSON API.
   * @default the server makes one
   */
  readonly consumer?: SourceConsumerArgs | undefined;
}

export interface SubjectTransformArgs {
  /**
   * Subjects that it is for, with wildcards. `src` of NATS's JSON API.
   * @default all
   */
  readonly src?: string | undefined;
  /**
   * What they become, e.g. `orders.{{wildcard(1)}}`. `dest` of NATS's JSON API.
   * @default as they are
   */
  readonly dest?: string | undefined;
}

export interface ExternalStreamArgs {
  /** Prefix of JetStream's API there, e.g. `$JS.hub.API`. `api` of NATS's JSON API. */
  readonly api: string;
  /** Prefix of the subjects on which messages come from there. `deliver` of NATS's JSON API. */
  readonly deliver?: string | undefined;
}

export interface SourceConsumerArgs {
  /** Its name. `name` of NATS's JSON API. */
  readonly name: string;
  /** The subject on which it delivers, without wildcards. `deliver_subject` of NATS's JSON API. */
  readonly deliverSubject: string;
}

export interface RepublishArgs {
  /**
   * Subjects that it is for, with wildcards. `src` of NATS's JSON API.
   * @default ">"
   */
  readonly src?: string | undefined;
  /** What they become, e.g. `copies.>`. `dest` of NATS's JSON API. */
  readonly dest: string;
  /**
   * Headers alone, without what messages hold. `headers_only` of NATS's JSON API.
   * @default false
   */
  readonly headersOnly?: boolean | undefined;
}

export interface ConsumerLimitsArgs {
  /**
   * How long one that nobody uses may stay. A duration, e.g. `7d`. `inactive_threshold` of
   * NATS's JSON API.
   * @default no limit
   */
  readonly inactiveThreshold?: string | number | undefined;
  /**
   * Messages that may wait for acknowledgement. `max_ack_pending` of NATS's JSON API.
   * @default no limit
   */
  readonly maxAckPending?: number | undefined;
}

/** Where a leader should be: all that is given must hold. */
export interface LeaderArgs {
  /** Name of a region. */
  readonly region?: string | undefined;
  /** Name of an availability zone. */
  readonly zone?: string | undefined;
  /** Name of a node, e.g. `rg1-az1`. */
  readonly node?: string | undefined;
}

/** A durable consumer: the fields of its config, and how an update may deal with it. */
export interface ConsumerSettingsArgs {
  /**
   * What it is for; at most 4 KiB. `description` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly description?: string | undefined;
  /**
   * Messages of these subjects alone, with wildcards. No two of them may take the same
   * message. `filter_subjects` of NATS's JSON API.
   *
   * A change: in place.
   * @default all
   */
  readonly filterSubjects?: readonly string[] | undefined;
  /**
   * As `filterSubjects`, for one subject. `filter_subject` of NATS's JSON API.
   *
   * A change: in place.
   * @default all
   */
  readonly filterSubject?: string | undefined;
  /**
   * Where it begins - `all`: at the first message, `new`: after the last, `last`: at the last,
   * `last_per_subject`: at the last of each subject, `by_start_sequence` and `by_start_time`:
   * where those say. `deliver_policy` of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "all"
   */
  readonly deliverPolicy?:
    | "all"
    | "new"
    | "last"
    | "last_per_subject"
    | "by_start_sequence"
    | "by_start_time"
    | undefined;
  /**
   * Sequence to begin with, for `deliverPolicy: by_start_sequence`. `opt_start_seq` of NATS's
   * JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default none
   */
  readonly startSequence?: number | undefined;
  /**
   * Time to begin with, RFC 3339, e.g. `2026-01-31T00:00:00Z`, for `deliverPolicy:
   * by_start_time`. `opt_start_time` of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   */
  readonly startTime?: string | undefined;
  /**
   * What clients acknowledge - `explicit`: each message, `all`: one and all before it, `none`:
   * nothing, `flow_control`: by flow control, for mirrors and sources. `ack_policy` of NATS's
   * JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "explicit"
   */
  readonly ackPolicy?: "none" | "all" | "explicit" | "flow_control" | undefined;
  /**
   * How long it waits for an acknowledgement before it delivers a message again. A duration,
   * e.g. `7d`. `ack_wait` of NATS's JSON API.
   *
   * A change: in place.
   * @default 30s
   */
  readonly ackWait?: string | number | undefined;
  /**
   * How long it waits before each further delivery, in the place of `ackWait`; the last one
   * holds for all that follow. Durations, e.g. `[1s, 5s, 1m]`. `backoff` of NATS's JSON API.
   *
   * A change: in place.
   * @default none
   */
  readonly backoff?: readonly (string | number)[] | undefined;
  /**
   * How often it delivers a message at most; with `backoff` at least as often as that has
   * entries. `max_deliver` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxDeliver?: number | undefined;
  /**
   * Messages that may wait for acknowledgement, `-1` for no limit; beyond it none is
   * delivered. `max_ack_pending` of NATS's JSON API.
   *
   * A change: in place.
   * @default 1000, or the limit of stream, account or servers
   */
  readonly maxAckPending?: number | undefined;
  /**
   * Requests of pull clients that may wait. `max_waiting` of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default 512; push consumers have none
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Messages that one request of a pull client may ask for. `max_batch` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit, or the servers' `maxRequestBatch`
   */
  readonly maxBatch?: number | undefined;
  /**
   * How long a request of a pull client may wait; at least 1ms. A duration, e.g. `7d`.
   * `max_expires` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxExpires?: string | number | undefined;
  /**
   * What one request of a pull client may ask for. A size, e.g. `512MiB`; a number is bytes.
   * `max_bytes` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxBytes?: string | number | undefined;
  /**
   * Makes it a push consumer: it sends messages to this subject. None of the stream's own
   * subjects may take it. `deliver_subject` of NATS's JSON API.
   *
   * A change: in place.
   * @default a pull consumer
   */
  readonly deliverSubject?: string | undefined;
  /**
   * Queue group among which a push consumer's messages are divided. `deliver_group` of NATS's
   * JSON API.
   *
   * A change: in place.
   */
  readonly deliverGroup?: string | undefined;
  /**
   * A push consumer waits for clients that are slow; needs `idleHeartbeat`. `flow_control` of
   * NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default false
   */
  readonly flowControl?: boolean | undefined;
  /**
   * How often a push consumer that has nothing to send says so; at least 100ms. A duration,
   * e.g. `7d`. `idle_heartbeat` of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default never
   */
  readonly idleHeartbeat?: string | number | undefined;
  /**
   * Bits per second that a push consumer sends at most. `rate_limit_bps` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly rateLimit?: number | undefined;
  /**
   * It delivers headers alone, without what messages hold. `headers_only` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly headersOnly?: boolean | undefined;
  /**
   * How fast it delivers messages that are there - `instant`: at once, `original`: as far
   * apart as they came in. `replay_policy` of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "instant"
   */
  readonly replayPolicy?: "instant" | "original" | undefined;
  /**
   * Share of acknowledgements that the servers report on, in percent, e.g. `30%`.
   * `sample_freq` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly sampleFrequency?: string | undefined;
  /**
   * How long nobody may use it before the servers delete it. A duration, e.g. `7d`.
   * `inactive_threshold` of NATS's JSON API.
   *
   * A change: in place.
   * @default it stays, unless the stream's `consumerLimits` say otherwise
   */
  readonly inactiveThreshold?: string | number | undefined;
  /**
   * Servers that keep where it stands, among those of its stream. With `retention: interest`
   * or `workqueue` it has as many as the stream. `num_replicas` of NATS's JSON API.
   *
   * A change: replicas come or go, in the background.
   * @default as many as the stream
   */
  readonly replicas?: number | undefined;
  /**
   * Where it stands is kept in memory, and lost once all its servers are down. `mem_storage`
   * of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default false
   */
  readonly memoryStorage?: boolean | undefined;
  /**
   * Labels, of names that don't begin with `_nats.` or `nats-regions.`. `metadata` of NATS's
   * JSON API.
   *
   * A change: in place.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * It delivers nothing before this time, RFC 3339, e.g. `2026-01-31T00:00:00Z`. `pause_until`
   * of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly pauseUntil?: string | undefined;
  /**
   * Which pull clients are served first - `overflow`: others only if much waits,
   * `pinned_client`: one alone until it is gone, `prioritized`: those of the lowest number.
   * `priority_policy` of NATS's JSON API.
   *
   * A change: in place.
   * @default "none"
   */
  readonly priorityPolicy?: "none" | "overflow" | "pinned_client" | "prioritized" | undefined;
  /**
   * Groups that clients name in their requests, for `priorityPolicy`. `priority_groups` of
   * NATS's JSON API.
   *
   * A change: in place.
   */
  readonly priorityGroups?: readonly string[] | undefined;
  /**
   * With `priorityPolicy: pinned_client`: how long the one client may be silent. A duration,
   * e.g. `7d`. `priority_timeout` of NATS's JSON API.
   *
   * A change: in place.
   * @default 2m
   */
  readonly priorityTimeout?: string | number | undefined;
  /**
   * It is for a mirror or a source of another stream, which names it as `consumer`. `sourcing`
   * of NATS's JSON API.
   *
   * A change: only as a new consumer, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default false
   */
  readonly sourcing?: boolean | undefined;
  /**
   * Adopt a consumer of that name that is there: it gets these settings and stays where it is.
   * @default false
   */
  readonly adopt?: boolean | undefined;
  /**
   * It may be deleted, also to be made anew, with where it stands, and with the messages that
   * a stream with `retention: interest` keeps for it alone.
   * @default false
   */
  readonly allowDataLoss?: boolean | undefined;
  /**
   * Recreate the consumer where the server can't change it: it goes on with the first message
   * that isn't acknowledged.
   * @default never
   */
  readonly recreate?: "atAckFloor" | undefined;
}

/**
 * A key-value bucket: how it keeps values, where it is to live, and how an update may deal
 * with it.
 */
export interface BucketSettingsArgs {
  /**
   * What it is for; at most 4 KiB. `description` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly description?: string | undefined;
  /**
   * Values that it keeps of each key; the oldest go. A lower number that deletes values takes
   * `allowDataLoss`. `max_msgs_per_subject` of NATS's JSON API.
   *
   * A change: in place.
   * @default 1
   */
  readonly history?: number | undefined;
  /**
   * How long a value is kept. A shorter time that deletes values takes `allowDataLoss`. A
   * duration, e.g. `7d`. `max_age` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly ttl?: string | number | undefined;
  /**
   * How long a marker stays for a key whose value was too old, so that those who watch hear of
   * it; and lets each value have a time of its own. Once set, it can't be taken out. A
   * duration, e.g. `7d`. `subject_delete_marker_ttl` of NATS's JSON API.
   *
   * A change: in place.
   * @default no markers
   */
  readonly limitMarkerTtl?: string | number | undefined;
  /**
   * What all that it holds may take, of each replica. Once it is full, it takes no more. A
   * size, e.g. `512MiB`; a number is bytes. `max_bytes` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxBytes?: string | number | undefined;
  /**
   * What a value may have. A size, e.g. `512MiB`; a number is bytes. `max_msg_size` of NATS's
   * JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxValueSize?: string | number | undefined;
  /**
   * Where values are kept; those in `memory` are gone once all replicas are down. `storage` of
   * NATS's JSON API.
   *
   * A change: only as a new bucket, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "file"
   */
  readonly storage?: "file" | "memory" | undefined;
  /**
   * What it holds is compressed on disk. `compression` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly compression?: boolean | undefined;
  /**
   * Servers that keep a copy: with 3 it goes on without one of them, with 5 without two.
   * `num_replicas` of NATS's JSON API.
   *
   * A change: replicas come or go, in the background.
   * @default 1
   */
  readonly replicas?: number | undefined;
  /**
   * Which servers may keep it: one of `region`, `across` and `tags`; and `cluster`.
   * `placement` of NATS's JSON API.
   *
   * A change: replicas move, in the background.
   * @default where the servers choose
   */
  readonly placement?: PlacementArgs | undefined;
  /**
   * Publishes values again under other subjects, once they are stored; their own are
   * `$KV.<bucket>.<key>`. `republish` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly republish?: RepublishArgs | undefined;
  /**
   * The bucket that it is a copy of: readers of that one get answers from here, where it is
   * nearer, and it takes no values of its own. What the other has of `history`, `ttl` and
   * `limitMarkerTtl` it must have, too. `mirror` of NATS's JSON API.
   *
   * A change: can be removed; set or changed only as a new bucket, by `recreate` or
   * `allowDataLoss`.
   */
  readonly mirror?: BucketSourceArgs | undefined;
  /**
   * Buckets whose values it takes, too, under the same keys. `sources` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly sources?: readonly BucketSourceArgs[] | undefined;
  /**
   * Labels, of names that don't begin with `_nats.`. `metadata` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * Its name for clients, where each account may have one of the same name.
   *
   * A change: refused.
   * @default its name here
   */
  readonly bucket?: string | undefined;
  /**
   * The account that it is in.
   *
   * A change: refused.
   * @default the first
   */
  readonly account?: string | undefined;
  /**
   * Where the leader should be.
   * @default any replica
   */
  readonly leader?: LeaderArgs | undefined;
  /**
   * Adopt one of that name that is there: it gets these settings and keeps its values.
   * @default false
   */
  readonly adopt?: boolean | undefined;
  /**
   * Values may be deleted where a change, or its removal, can't be without; those in memory
   * also by restarts.
   * @default false
   */
  readonly allowDataLoss?: boolean | undefined;
  /**
   * Recreate it where the server can't change it, and keep its values by way of a copy.
   * @default never
   */
  readonly recreate?: "viaBackup" | undefined;
  /**
   * Values that belong to the configuration, by key; any of them may be a secret. Each `up`
   * writes those that are missing or differ, and deletes none: what is taken out here stays in
   * the bucket.
   * @default none
   */
  readonly entries?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
}

export interface BucketSourceArgs {
  /** Name of the bucket. `name` of NATS's JSON API. */
  readonly name: string;
  /** Where it is, in another account or domain. `external` of NATS's JSON API. */
  readonly external?: ExternalStreamArgs | undefined;
}

/**
 * An object store: how it keeps objects, where it is to live, and how an update may deal
 * with it.
 */
export interface ObjectStoreSettingsArgs {
  /**
   * What it is for; at most 4 KiB. `description` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly description?: string | undefined;
  /**
   * How long an object is kept. A shorter time that deletes objects takes `allowDataLoss`. A
   * duration, e.g. `7d`. `max_age` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly ttl?: string | number | undefined;
  /**
   * What all that it holds may take, of each replica. Once it is full, it takes no more. A
   * size, e.g. `512MiB`; a number is bytes. `max_bytes` of NATS's JSON API.
   *
   * A change: in place.
   * @default no limit
   */
  readonly maxBytes?: string | number | undefined;
  /**
   * Where objects are kept; those in `memory` are gone once all replicas are down. `storage`
   * of NATS's JSON API.
   *
   * A change: only as a new object store, by `recreate` or `allowDataLoss`; refused otherwise.
   * @default "file"
   */
  readonly storage?: "file" | "memory" | undefined;
  /**
   * What it holds is compressed on disk. `compression` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly compression?: boolean | undefined;
  /**
   * Servers that keep a copy: with 3 it goes on without one of them, with 5 without two.
   * `num_replicas` of NATS's JSON API.
   *
   * A change: replicas come or go, in the background.
   * @default 1
   */
  readonly replicas?: number | undefined;
  /**
   * Which servers may keep it: one of `region`, `across` and `tags`; and `cluster`.
   * `placement` of NATS's JSON API.
   *
   * A change: replicas move, in the background.
   * @default where the servers choose
   */
  readonly placement?: PlacementArgs | undefined;
  /**
   * It takes no objects any more, and keeps those that it has. `sealed` of NATS's JSON API.
   *
   * A change: can be switched on; off again only as a new object store, by `recreate` or
   * `allowDataLoss`.
   * @default false
   */
  readonly sealed?: boolean | undefined;
  /**
   * Clients may put an object's parts in fast batches, see `allowBatched` of theirs.
   * `allow_batched` of NATS's JSON API.
   *
   * A change: in place.
   * @default false
   */
  readonly allowBatched?: boolean | undefined;
  /**
   * Labels, of names that don't begin with `_nats.`. `metadata` of NATS's JSON API.
   *
   * A change: in place.
   */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /**
   * Its name for clients, where each account may have one of the same name.
   *
   * A change: refused.
   * @default its name here
   */
  readonly objectStore?: string | undefined;
  /**
   * The account that it is in.
   *
   * A change: refused.
   * @default the first
   */
  readonly account?: string | undefined;
  /**
   * Where the leader should be.
   * @default any replica
   */
  readonly leader?: LeaderArgs | undefined;
  /**
   * Adopt one of that name that is there: it gets these settings and keeps its objects.
   * @default false
   */
  readonly adopt?: boolean | undefined;
  /**
   * Objects may be deleted where a change, or its removal, can't be without; those in memory
   * also by restarts.
   * @default false
   */
  readonly allowDataLoss?: boolean | undefined;
  /**
   * Recreate it where the server can't change it, and keep its objects by way of a copy.
   * @default never
   */
  readonly recreate?: "viaBackup" | undefined;
}
