import { createHash } from "node:crypto";
import { type Accounts, accountsBlock } from "../accounts/accounts-conf.ts";
import { type ConfigBlock, encodeLikeGo, quote, renderEntries } from "../base/conf-format.ts";
import { ownValue } from "../base/records.ts";
import { changeCost, type NodeSettings, type SettingValues } from "../settings/setting-values.ts";
import type { Change, SettingName } from "../settings/settings-table.ts";

/** Paths within a node's container; the config volume and the data volume are mounted there. */
export const CONFIG_DIR = "/etc/nats";
export const DATA_DIR = "/data";
/** Ports within a node's container, the same for every node. */
export const CLIENT_PORT = 4222;
export const ROUTE_PORT = 6222;
export const MONITOR_PORT = 8222;
export const LEAF_PORT = 7422;
/**
 * A route that has gone dead, as the network between two nodes was down, is noticed after three of these, and made
 * anew. By default that is 90 s (nats-server 2.15, `routeMaxPingInterval`), for which nodes that can reach each other
 * again stay apart.
 */
const ROUTE_PING_INTERVAL = "5s";
/** Files in {@link CONFIG_DIR} of a node with TLS, PEM each. */
export const TLS_FILES = { ca: "ca.pem", certificate: "certificate.pem", key: "key.pem" } as const;

/** What the config of one node is rendered from: settings, and what follows from them. Holds no secret: accounts lie in a file of their own. */
export interface NodeConf extends NodeSettings {
  readonly serverName: string;
  readonly serverTags: readonly string[];
  /** Server names of **all** nodes, this one too: the count of routes is the size that the meta group boots with. */
  readonly routes: readonly string[];
  /** `host:port` that clients are told to reconnect to; without it, the container's own address. */
  readonly clientAdvertise?: string;
  /** Who certifies nodes; without it everything is in the clear. */
  readonly tls?: "stack" | "files";
}

type FollowingField = Exclude<keyof NodeConf, SettingName>;

/**
 * What nats-server 2.15 does about a change of the fields that are no settings, by the options that `diffOptions` in its
 * server/reload.go takes up: a reload is all or nothing, and refused with "config reload not supported" for the fields
 * that need a restart. Of settings, the table says it.
 */
const FOLLOWING_FIELDS: Readonly<Record<FollowingField, Change>> = {
  serverName: "fixed",
  serverTags: "reload",
  routes: "reload",
  clientAdvertise: "reload",
};

/**
 * The fields of a config that no reload changes, or not either way: while they stay the same, a changed config needs no
 * restart. Accounts reload. New certificates under the same names are no change of the config, and are taken up by any
 * reload.
 */
export function restartFields(conf: NodeConf): SettingValues {
  const following: Readonly<Record<string, Change>> = FOLLOWING_FIELDS;
  return Object.fromEntries(
    Object.entries(conf).filter(
      ([field]) => (changeCost(field) ?? ownValue(following, field)) !== "reload",
    ),
  );
}

/** Renders `nats.conf` of one node. */
export function renderNodeConf(conf: NodeConf): string {
  return `${renderEntries(nodeBlock(conf))}\ninclude accounts.conf\n`;
}

/** Gives a rendered `nats.conf` another number of routes to each other node. */
export function withPoolSize(conf: string, size: number): string {
  return conf.replace(/^"cluster": \{$/m, `$&\n  "pool_size": ${size}`);
}

/** Adds accounts without users to a rendered `accounts.conf`, where it doesn't have them. */
export function withAccounts(accountsConf: string, names: readonly string[]): string {
  const known = new Set([...accountsConf.matchAll(/^ {2}"(.+)": \{$/gm)].map(([, name]) => name));
  const others = names.filter((name) => !known.has(name));
  const blocks = others.map((name) => `  ${quote(name)}: {\n    "users": []\n  }\n`).join("");
  return accountsConf.replace(/\}\n$/, `${blocks}}\n`);
}

/** Renders `accounts.conf`, which holds the hashes of passwords and is the same on every node. */
export function renderAccountsConf(accounts: Accounts): string {
  return `${renderEntries(accountsBlock(accounts))}\n`;
}

/**
 * The digest that nats-server 2.15 has of a config: `nats-server -t` prints it, `/varz` shows it as
 * `config_digest`. It is one of the values (conf/parse.go, `configDigest`), however they are written.
 *
 * @returns e.g. `sha256:2c26…`, 64 hexadecimal digits.
 */
export function configDigest(conf: NodeConf, accounts: Accounts): string {
  const json = encodeLikeGo({ ...nodeBlock(conf), ...accountsBlock(accounts) });
  return `sha256:${createHash("sha256").update(`${json}\n`).digest("hex")}`;
}

/**
 * One `jetstream` block only: a second one replaces the first whole, and `unique_tag` with it
 * (nats-server 2.15).
 */
function nodeBlock(conf: NodeConf): ConfigBlock {
  const advertise = conf.clientAdvertise;
  return {
    server_name: conf.serverName,
    server_tags: conf.serverTags,
    port: CLIENT_PORT,
    ...(advertise === undefined ? {} : { client_advertise: advertise }),
    ...(conf.tls === undefined
      ? { http_port: MONITOR_PORT }
      : { https_port: MONITOR_PORT, tls: ownCertificate() }),
    ...(conf.maxPayload === undefined ? {} : { max_payload: conf.maxPayload }),
    jetstream: {
      store_dir: DATA_DIR,
      ...(conf.uniqueTag === "" ? {} : { unique_tag: conf.uniqueTag }),
      max_file_store: conf.maxFileStore,
      max_memory_store: conf.maxMemoryStore,
      sync_interval: conf.syncInterval,
    },
    cluster: {
      name: conf.cluster,
      port: ROUTE_PORT,
      routes: conf.routes.map((node) => `nats-route://${node}:${ROUTE_PORT}`),
      ping_interval: ROUTE_PING_INTERVAL,
      ...(conf.tls === undefined ? {} : routeTls(conf.serverName)),
    },
    ...(conf.leafNodes
      ? {
          leafnodes: {
            port: LEAF_PORT,
            ...(conf.tls === undefined ? {} : { tls: ownCertificate() }),
          },
        }
      : {}),
  };
}

/** Seconds for a handshake; the server's own 2 are short where many clients come back to a busy machine at once. */
const HANDSHAKE_SECONDS = 5;

/** What a node shows to clients, whom passwords tell apart, and on its monitoring port. */
function ownCertificate() {
  return {
    cert_file: `${CONFIG_DIR}/${TLS_FILES.certificate}`,
    key_file: `${CONFIG_DIR}/${TLS_FILES.key}`,
    timeout: HANDSHAKE_SECONDS,
  };
}

/** Both ends of a route verify the other. Nodes tell each other names to connect to, as certificates have them. */
function routeTls(name: string) {
  return {
    advertise: `${name}:${ROUTE_PORT}`,
    tls: { ...ownCertificate(), ca_file: `${CONFIG_DIR}/${TLS_FILES.ca}`, verify: true },
  };
}
