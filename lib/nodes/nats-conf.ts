import { createHash } from "node:crypto";
import { type Accounts, accountsBlock } from "../accounts/accounts-conf.ts";
import { type ConfigBlock, encodeLikeGo, quote, renderEntries } from "../base/conf-format.ts";
import { ownValue } from "../base/records.ts";
import {
  changeCost,
  type NodeSettings,
  type SettingValues,
  settingOf,
} from "../settings/setting-values.ts";
import type { Change, SettingName } from "../settings/settings-table.ts";
import { LEAF_PORT, type Listener, MQTT_PORT, WEBSOCKET_PORT } from "./listeners.ts";
import { jetStreamLimits, limitsBlock } from "./server-block.ts";
import { mergeConfig, restartOptions } from "./server-config.ts";
import {
  CONFIG_DIR,
  listenerTls,
  mappedConnections,
  routeTls,
  TLS_FILES,
  type TlsConf,
} from "./tls-blocks.ts";
import { isOlder, type ServerVersion } from "./versions.ts";

export { CONFIG_DIR, TLS_FILES };
/** Mount point of the data volume in a node's container. */
export const DATA_DIR = "/data";
/** Ports in a node's container, the same for all nodes. */
export const CLIENT_PORT = 4222;
export const ROUTE_PORT = 6222;
export const MONITOR_PORT = 8222;
/**
 * After three missed pings a server closes a dead route and connects again. By default that takes 90 s (nats-server
 * 2.15, `routeMaxPingInterval`), during which nodes stay disconnected although the network between them works again.
 */
const ROUTE_PING_INTERVAL = "5s";
/** The server's default, which routes keep where `pingMax` gives clients another. */
const ROUTE_PING_MAX = 2;
/** File in {@link CONFIG_DIR} with the seed of the nkey by which the stack looks at its cluster. */
export const MONITOR_SEED_FILE = "monitor.nk";

/**
 * The content of a node's `nats.conf`: settings, and fields derived from them. It has no secrets; accounts are in
 * another file.
 */
export interface NodeConf extends NodeSettings, TlsConf {
  readonly serverName: string;
  readonly serverTags: readonly string[];
  /** `host:port` of **all** nodes, including this one: the number of routes is the initial size of the meta group. */
  readonly routes: readonly string[];
  /** `host:port` by which other servers reach this one. Absent: its own name with TLS, otherwise its own address. */
  readonly routeAdvertise?: string;
  /** The address that all listeners are on. Absent: the server's default, `0.0.0.0`, which is all of IPv4. */
  readonly host?: "::";
  /** `host:port` that the server advertises to clients for reconnects. Absent: the container's own address. */
  readonly clientAdvertise?: string;
  /**
   * Present if neither other servers tell clients of this one, nor it of them (`no_advertise`, nats-server 2.15,
   * server/route.go).
   */
  readonly advertisesNothing?: true;
  /** Present if it serves monitoring pages. */
  readonly hasPages?: true;
  /** `host:port` of published listeners that the server advertises. Absent: the container's own addresses. */
  readonly advertised?: Readonly<Partial<Record<Listener["setting"], string>>>;
  /** Further options, merged into the rest. Absent: none. */
  readonly config?: ConfigBlock;
}

type FollowingField = Exclude<keyof NodeConf, SettingName>;

/**
 * The kinds of change of the fields that aren't settings; the table of settings has those of settings. They follow
 * from the options that `diffOptions` in server/reload.go of nats-server 2.15 supports. A reload is all or nothing:
 * if a field changes that needs a restart, it fails with "config reload not supported".
 */
const FOLLOWING_FIELDS: Readonly<Record<FollowingField, Change>> = {
  serverName: "fixed",
  routes: "reload",
  host: "restart",
  routeAdvertise: "reload",
  // No reload brings these to clients. They follow from `bindAddress`, the ports and `advertise`, which are in the label.
  clientAdvertise: "reload",
  advertisesNothing: "reload",
  advertised: "reload",
  /** A reload applies `verify`; for `verify_and_map` see {@link restartFields}. */
  verifies: "reload",
  // No reload applies it, but it comes with the setting monitorPort, which restarts the node.
  hasPages: "reload",
};

/**
 * The fields of a config whose change needs a restart, at least in one direction. If they stay the same, a reload
 * suffices. A reload applies changes of accounts. New certificates with the same file names don't change the config,
 * and any reload applies them.
 *
 * @param version of the node's server. Default: one that reloads all that any reloads.
 */
export function restartFields(conf: NodeConf, version?: ServerVersion): SettingValues {
  const following: Readonly<Record<string, Change>> = FOLLOWING_FIELDS;
  const isReloaded = (field: string) => {
    if ((changeCost(field) ?? ownValue(following, field)) !== "reload") return false;
    const since = settingOf(field)?.node?.reloadSince;
    return version === undefined || since === undefined || !isOlder(version, since);
  };
  const fields = Object.entries(conf).filter(([field]) => field !== "config" && !isReloaded(field));
  return {
    ...Object.fromEntries(fields),
    // The server refuses to reload it: "config reload not supported for TLSMap" (2.15, `diffOptions`).
    ...(conf.verifies?.maps
      ? { "clientCertificates.map": conf.verifies.listeners.join(", ") }
      : {}),
    ...restartOptions(conf.config ?? {}, version),
  };
}

/** Renders `nats.conf` of one node. */
export function renderNodeConf(conf: NodeConf): string {
  const text = `${renderEntries(nodeBlock(conf))}\ninclude accounts.conf\n`;
  return conf.encryption === undefined
    ? text
    : text.replace(/^"jetstream": \{$/m, `$&\n  include ${ENCRYPTION_FILE}`);
}

/** Sets `pool_size`, the number of routes to each other node, in a rendered `nats.conf`. */
export function withPoolSize(conf: string, size: number): string {
  return conf.replace(/^"cluster": \{$/m, `$&\n  "pool_size": ${size}`);
}

const ACCOUNT = /^ {2}"(.+)": \{$/gm;

/** The names of the accounts in a rendered `accounts.conf`. */
function accountsIn(accountsConf: string): string[] {
  return [...accountsConf.matchAll(ACCOUNT)].map(([, name = ""]) => name);
}

/** By which listeners users by certificate get in: those that map them. */
function connectionTypes(accountsConf: string): readonly string[] {
  const lists = accountsConf.match(/(?<="allowed_connection_types": )\[[^\]]*\]/g) ?? [];
  return lists.flatMap((list) => list.match(/[A-Z]+/g) ?? []);
}

/**
 * The `accounts.conf` for a node that goes on with the `nats.conf` that it has. Users by certificate have no password, so
 * they are for nodes alone whose listeners ask for certificates: others would let in whoever knows the name of one.
 *
 * @param before the node's own `accounts.conf`.
 * @param next that of the other nodes.
 */
export function accountsBeside(conf: string, before: string, next: string): string {
  const mapped = mappedConnections(conf);
  const isSafe = connectionTypes(next).every((type) => mapped.has(type));
  if (isSafe) return next;
  return withAccounts(before, accountsIn(next));
}

/** Adds accounts without users to a rendered `accounts.conf`, except those that it has. */
export function withAccounts(accountsConf: string, names: readonly string[]): string {
  const known = new Set(accountsIn(accountsConf));
  const others = names.filter((name) => !known.has(name));
  const blocks = others.map((name) => `  ${quote(name)}: {\n    "users": []\n  }\n`).join("");
  return accountsConf.replace(/\}\n$/, `${blocks}}\n`);
}

/** What a node's config has in files of their own, all secret. */
export interface NodeSecrets extends Accounts {
  /** Absent: what JetStream stores isn't encrypted. */
  readonly encryptionKey?: string;
}

/** The file in {@link CONFIG_DIR} with the encryption key. */
export const ENCRYPTION_FILE = "encryption.conf";

/** Renders {@link ENCRYPTION_FILE}, which the block `jetstream` includes. */
export function renderEncryptionConf(encryptionKey: string): string {
  return `${renderEntries(encryptionBlock(encryptionKey))}\n`;
}

function encryptionBlock(key: string): ConfigBlock {
  return { key };
}

/** Renders `accounts.conf`. It has the hashes of passwords, and is the same on every node. */
export function renderAccountsConf(accounts: Accounts): string {
  return `${renderEntries(accountsBlock(accounts))}\n`;
}

/**
 * The digest that nats-server 2.15 computes of a config: `nats-server -t` prints it, `/varz` shows it as
 * `config_digest`. It depends on the parsed values, not on their spelling (conf/parse.go, `configDigest`).
 *
 * @returns e.g. `sha256:2c26…`, 64 hexadecimal digits.
 */
export function configDigest(conf: NodeConf, secrets: NodeSecrets): string {
  const key = secrets.encryptionKey;
  const encryption = key === undefined ? {} : { jetstream: encryptionBlock(key) };
  const block = mergeConfig(nodeBlock(conf), encryption);
  const json = encodeLikeGo({ ...block, ...accountsBlock(secrets) });
  return `sha256:${createHash("sha256").update(`${json}\n`).digest("hex")}`;
}

/**
 * There must be only one `jetstream` block: a second one would replace the first as a whole, including `unique_tag`
 * (nats-server 2.15).
 */
function nodeBlock(conf: NodeConf): ConfigBlock {
  return mergeConfig(ownBlock(conf), conf.config ?? {});
}

function ownBlock(conf: NodeConf): ConfigBlock {
  const advertise = conf.clientAdvertise;
  return {
    server_name: conf.serverName,
    server_tags: conf.serverTags,
    ...listening(conf, CLIENT_PORT),
    ...(advertise === undefined ? {} : { client_advertise: advertise }),
    ...(conf.hasPages === undefined
      ? {}
      : { [conf.tls === undefined ? "http_port" : "https_port"]: MONITOR_PORT }),
    ...listenerTls(conf, "clients"),
    ...limitsBlock(conf),
    jetstream: {
      store_dir: DATA_DIR,
      ...(conf.uniqueTag === "" ? {} : { unique_tag: conf.uniqueTag }),
      max_file_store: conf.maxFileStore,
      max_memory_store: conf.maxMemoryStore,
      sync_interval: conf.syncInterval,
      ...(conf.encryption === undefined ? {} : { cipher: conf.encryption }),
      ...jetStreamLimits(conf),
    },
    cluster: {
      name: conf.cluster,
      ...listening(conf, ROUTE_PORT),
      routes: conf.routes.map((route) => `nats-route://${route}`),
      ping_interval: ROUTE_PING_INTERVAL,
      ...(conf.pingMax === undefined ? {} : { ping_max: ROUTE_PING_MAX }),
      ...advertised(conf),
      ...withoutAdvertising(conf),
      ...routeTls(conf),
    },
    ...(conf.leafNodes
      ? {
          leafnodes: {
            ...listening(conf, LEAF_PORT),
            ...advertisedAs(conf.advertised?.leafNodePort),
            ...withoutAdvertising(conf),
            ...listenerTls(conf, "leafNodes"),
          },
        }
      : {}),
    ...(conf.websocket
      ? {
          websocket: {
            ...listening(conf, WEBSOCKET_PORT),
            ...advertisedAs(conf.advertised?.websocketPort),
            ...(conf.tls === undefined ? { no_tls: true } : listenerTls(conf, "websocket")),
          },
        }
      : {}),
    ...(conf.mqtt ? { mqtt: { ...listening(conf, MQTT_PORT), ...listenerTls(conf, "mqtt") } } : {}),
  };
}

function listening({ host }: NodeConf, port: number): ConfigBlock {
  return { ...(host === undefined ? {} : { host }), port };
}

/** @param advertise `host:port` that the server tells others of. Default: the container's own address. */
function advertisedAs(advertise: string | undefined): ConfigBlock {
  return advertise === undefined ? {} : { advertise };
}

function withoutAdvertising({ advertisesNothing }: NodeConf): ConfigBlock {
  return advertisesNothing ? { no_advertise: true } : {};
}

/** With TLS, a node advertises its name and not its own address, as certificates have names. */
function advertised({ routeAdvertise, tls, serverName }: NodeConf): ConfigBlock {
  const advertise = routeAdvertise ?? (tls && `${serverName}:${ROUTE_PORT}`);
  return advertise === undefined ? {} : { advertise };
}
