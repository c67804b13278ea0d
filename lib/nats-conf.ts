import { createHash } from "node:crypto";

/** Paths within a node's container; the config volume and the data volume are mounted there. */
export const CONFIG_DIR = "/etc/nats";
export const DATA_DIR = "/data";
/** Ports within a node's container, the same for every node. */
export const CLIENT_PORT = 4222;
export const ROUTE_PORT = 6222;
export const MONITOR_PORT = 8222;

/** What the config of one node is rendered from. Holds no secret: accounts lie in a file of their own. */
export interface NodeConf {
  readonly serverName: string;
  readonly serverTags: readonly string[];
  readonly cluster: string;
  /** Server names of **all** nodes, this one too: the count of routes is the size that the meta group boots with. */
  readonly routes: readonly string[];
  /** `host:port` that clients are told to reconnect to; without it, the container's own address. */
  readonly clientAdvertise?: string;
  /** Prefix of the tags that replicas of a stream must differ in, `""` for none. */
  readonly uniqueTag: string;
  /** Bytes. Explicit, as the server's own default is 75% of the disk for each server on it. */
  readonly maxFileStore: number;
  /** Bytes. */
  readonly maxMemoryStore: number;
  /** `always`, or the longest time that an acknowledged message may wait for the disk, e.g. `1s`. */
  readonly syncInterval: string;
}

/** Name and password of somebody who may connect. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** The accounts of a cluster: the system account, and one with JetStream for everything else. */
export interface Accounts {
  readonly system: Credentials;
  /** Name of the application account, e.g. `APP`. */
  readonly name: string;
  readonly application: Credentials;
}

/**
 * Renders `nats.conf` of one node.
 *
 * One `jetstream` block only: a second one replaces the first whole, and `unique_tag` with it
 * (nats-server 2.15).
 */
export function renderNodeConf(conf: NodeConf): string {
  const advertise = conf.clientAdvertise;
  const uniqueTag = conf.uniqueTag === "" ? [] : [`  unique_tag: ${quote(conf.uniqueTag)}`];
  return lines(
    `server_name: ${quote(conf.serverName)}`,
    `server_tags: [${conf.serverTags.map(quote).join(", ")}]`,
    `port: ${CLIENT_PORT}`,
    ...(advertise === undefined ? [] : [`client_advertise: ${quote(advertise)}`]),
    `http_port: ${MONITOR_PORT}`,
    "",
    "jetstream: {",
    `  store_dir: ${quote(DATA_DIR)}`,
    ...uniqueTag,
    `  max_file_store: ${conf.maxFileStore}`,
    `  max_memory_store: ${conf.maxMemoryStore}`,
    `  sync_interval: ${quote(conf.syncInterval)}`,
    "}",
    "",
    "cluster: {",
    `  name: ${quote(conf.cluster)}`,
    `  port: ${ROUTE_PORT}`,
    "  routes: [",
    ...conf.routes.map((node) => `    ${quote(`nats-route://${node}:${ROUTE_PORT}`)}`),
    "  ]",
    "}",
    "",
    "include accounts.conf",
  );
}

/** Renders `accounts.conf`, which holds the passwords and is the same on every node. */
export function renderAccountsConf({ system, name, application }: Accounts): string {
  const user = (who: Credentials) =>
    `users: [{ user: ${quote(who.user)}, password: ${quote(who.password)} }]`;
  return lines(
    "accounts: {",
    `  $SYS: { ${user(system)} }`,
    `  ${quote(name)}: { jetstream: enabled, ${user(application)} }`,
    "}",
  );
}

/**
 * A digest of the settings that a running server doesn't take up by a reload (nats-server 2.15 answers
 * "config reload not supported"): while it stays the same, a changed config needs no restart. Tags,
 * routes, accounts and the advertised address reload.
 */
export function restartDigest(conf: NodeConf): string {
  const { serverTags, routes, clientAdvertise, ...needRestart } = conf;
  return digestOf(needRestart);
}

/** 16 hex digits, the same for values whose JSON is the same. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}

/** Quotes a string for nats-server's config format, which knows JSON's escapes except `\u`. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function lines(...text: string[]): string {
  return `${text.join("\n")}\n`;
}
