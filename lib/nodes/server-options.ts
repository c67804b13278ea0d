/** What is known of the options of nats-server 2.15 that may be in the setting `config`. */
import type { ServerVersion } from "./versions.ts";

const ANY: ServerVersion = [0, 0, 0];

/**
 * The options that a reload applies, with the first version that does (`diffOptions` in server/reload.go). All others
 * need a restart, or aren't known to need none.
 */
export const RELOADED: ReadonlyMap<string, ServerVersion> = new Map([
  ...[
    "trace_verbose",
    "trace_headers",
    "logtime_utc",
    "max_traced_msg_len",
    "connect_error_reports",
    "reconnect_error_reports",
    "server_metadata",
    "no_fast_producer_stall",
    "cluster.compression",
    "cluster.connect_retries",
    "cluster.connect_backoff",
    "cluster.permissions",
    "jetstream.meta_compact",
    "jetstream.meta_compact_size",
    "jetstream.meta_compact_sync",
  ].map((path): [string, ServerVersion] => [path, ANY]),
  ["jetstream.limits.batch", [2, 15, 0]],
]);

/** Options by other names that the server takes for the same. */
export const ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    port: ["listen", "host", "net"],
    http_port: ["http", "https", "https_port", "monitor_port"],
    accounts: ["mappings", "maps", "authorization", "default_sentinel"],
    system_account: ["system", "no_system_account", "no_system", "no_sys_acc"],
    operator: ["operators", "roots", "root", "root_operators", "root_operator", "trusted"],
    resolver: [
      "account_resolver",
      "accounts_resolver",
      "resolver_tls",
      "resolver_preload",
      "resolver_pinned_accounts",
      "trusted_keys",
    ],
    log_file: [
      "logfile",
      "logfile_size_limit",
      "log_size_limit",
      "logfile_max_num",
      "log_max_num",
      "syslog",
      "remote_syslog",
    ],
    pid_file: ["pidfile", "ports_file_dir"],
    max_connections: ["max_conn"],
    max_subscriptions: ["max_subs"],
    max_sub_tokens: ["max_subscription_tokens"],
    disable_sublist_cache: ["no_sublist_cache"],
    leafnodes: ["leaf"],
    websocket: ["ws"],
    "cluster.port": ["cluster.listen", "cluster.host", "cluster.net"],
    "cluster.advertise": ["cluster.cluster_advertise"],
    "jetstream.store_dir": ["jetstream.store", "jetstream.storedir", "store_dir", "storedir"],
    "jetstream.max_memory_store": ["jetstream.max_mem_store", "jetstream.max_mem"],
    "jetstream.max_file_store": ["jetstream.max_file"],
    "jetstream.sync_interval": ["jetstream.sync"],
    "jetstream.enabled": ["jetstream.enable"],
    "jetstream.key": ["jetstream.ek", "jetstream.encryption_key"],
    "jetstream.prev_key": ["jetstream.prev_ek", "jetstream.prev_encryption_key"],
  }).flatMap(([name, others]) => others.map((other) => [other, name] as const)),
);

const setting = (name: string) => `use the setting ${name}`;
const KEY = "use the settings encryption and encryptionKey";

/** What the program sets of a listener: its address, its certificate, and who logs in. */
function listener(block: string, port: string): Readonly<Record<string, string>> {
  const all: readonly (readonly [string, string])[] = [
    ...["port", "listen", "host", "net"].map((key) => [key, setting(port)] as const),
    ...["advertise", "leafnode_advertise", "no_advertise"].map(
      (key) => [key, setting("advertise")] as const,
    ),
    ...["tls", "no_tls"].map((key) => [key, setting("tls")] as const),
    ...["authorization", "authentication"].map((key) => [key, setting("accounts")] as const),
  ];
  return Object.fromEntries(all.map(([key, fix]) => [`${block}.${key}`, fix]));
}

/** The options that the program sets itself, or that break what it does, each with what to do instead. */
export const TAKEN: ReadonlyMap<string, string> = new Map(
  Object.entries({
    port: "use the settings clientPort and bindAddress",
    client_advertise: setting("advertise"),
    http_port: "use the settings monitorPort and monitorAddress",
    http_base_path: "leave it out: the program reads the monitoring pages at /",
    server_name: "use the settings regions and availabilityZones",
    server_tags: setting("serverTags"),
    accounts: setting("accounts"),
    system_account: "leave it out: it is $SYS",
    operator: setting("accounts"),
    resolver: setting("accounts"),
    tls: setting("tls"),
    allow_non_tls: setting("tls"),
    include: "write the options themselves",
    log_file: "leave it out: `docker logs` has the log, and an update reads it there",
    pid_file: "leave it out: a container's file system can't be written",
    gateway: "link clusters by leaf nodes: with gateways they would share one meta group",
    proxy_protocol: "leave it out: the program's own connections don't speak it",
    max_connections: setting("maxConnections"),
    max_pending: setting("maxPending"),
    max_payload: setting("maxPayload"),
    max_subscriptions: setting("maxSubscriptions"),
    max_control_line: setting("maxControlLine"),
    write_deadline: setting("writeDeadline"),
    ping_interval: setting("pingInterval"),
    ping_max: setting("pingMax"),
    debug: setting("debug"),
    trace: setting("trace"),
    logtime: setting("logtime"),
    "cluster.name": setting("cluster"),
    "cluster.port": "leave it out: routes have port 6222 of the stack's network",
    "cluster.routes": "use the settings regions and availabilityZones",
    "cluster.advertise": "leave it out: a node advertises its name where that matters",
    "cluster.no_advertise": setting("advertise"),
    "cluster.tls": setting("tls"),
    "cluster.authorization": "use the setting tls: routes then verify each other's certificates",
    "cluster.pool_size": "leave it out: an update changes it to renew routes",
    "cluster.ping_interval": "leave it out: it is 5 s, so that a dead route is soon given up",
    "cluster.ping_max": "leave it out: it is 2, so that a dead route is soon given up",
    "jetstream.store_dir": "leave it out: it is the data volume",
    "jetstream.max_memory_store": setting("maxMemoryStore"),
    "jetstream.max_file_store": setting("maxFileStore"),
    "jetstream.unique_tag": setting("uniqueTag"),
    "jetstream.sync_interval": setting("syncInterval"),
    "jetstream.enabled": "leave it out: every node has JetStream",
    "jetstream.key": KEY,
    "jetstream.prev_key": "leave it out: in a cluster, no server starts with another key",
    "jetstream.cipher": KEY,
    "jetstream.tpm": "leave it out: a container has no TPM",
    "jetstream.max_outstanding_catchup": setting("maxOutstandingCatchup"),
    "jetstream.limits.max_ack_pending": setting("maxAckPending"),
    "jetstream.limits.max_request_batch": setting("maxRequestBatch"),
    "jetstream.limits.max_ha_assets": setting("maxHaAssets"),
    "jetstream.limits.default_max_consumers": setting("defaultMaxConsumers"),
    "jetstream.limits.duplicate_window": setting("duplicateWindow"),
    ...listener("leafnodes", "leafNodePort"),
    ...listener("websocket", "websocketPort"),
    ...listener("mqtt", "mqttPort"),
  }),
);
