import { z } from "zod";
import { ownValue } from "../../lib/base/records.ts";
import type { Login } from "../../lib/existing/logins.ts";

export type { Login } from "../../lib/existing/logins.ts";

/** The servers of a cluster. */
export interface Servers {
  /** URLs of some of its servers, e.g. `nats://127.0.0.1:4222`. One that answers is enough. */
  readonly urls: readonly string[];
  /** Set if servers have TLS. */
  readonly tls?: Trust;
}

export interface UserLogin {
  readonly user: string;
  readonly password: string;
}

/** How to verify a server. */
export interface Trust {
  /**
   * PEM of the authorities that certify servers; empty if there are none yet, and so no servers with TLS. Absent: the
   * system's authorities.
   */
  readonly ca?: string;
  /** Names of the servers. A certificate must have one of them; it needn't have the server's address. */
  readonly names: readonly string[];
  /** Present if these are the hosts of the servers' URLs, by which they are asked for a certificate. */
  readonly byHost?: true;
  /** What to show to servers that ask clients for a certificate; absent: nothing. */
  readonly pair?: KeyPair;
}

/** PEM of a certificate, and of its key, a secret. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a connection has to a cluster that others run. */
export interface Foreign {
  /** Path of the setting with the login, e.g. `login` or `accounts.BILLING.login`. */
  readonly setting: string;
  /** Prefix of the subjects of JetStream's API. Default: `$JS.API`. */
  readonly apiPrefix?: string;
  /** Present if the settings have no such login any more. */
  readonly isMissing?: true;
}

/** A cluster and a login. */
export type Connection = Servers & Login & { readonly foreign?: Foreign };

/** A cluster, and the key to log in as the stack's own user of any account; see `managerSeed`. */
export type ManagerConnection = Servers & {
  readonly managerKey: string;
  /** The setting `patience`, milliseconds; absent for the default. */
  readonly patience?: number;
};

/** A cluster that others run, and the logins to its accounts. */
export interface OthersConnection extends Servers {
  /** By account. */
  readonly logins: Readonly<Record<string, Login>>;
  /** The account whose login is the setting `login`; those of the others are in `accounts`. */
  readonly account: string;
  readonly apiPrefix?: string;
  /** As in {@link ManagerConnection}. */
  readonly patience?: number;
}

/** A connection to one account of a cluster that others run. */
export function othersLogin(connection: OthersConnection, account: string): Connection {
  const { logins, account: first, apiPrefix, patience: _, ...servers } = connection;
  const login = ownValue(logins, account);
  const foreign = {
    setting: account === first ? "login" : `accounts.${account}.login`,
    ...(apiPrefix === undefined ? {} : { apiPrefix }),
  };
  if (login) return { ...servers, ...login, foreign };
  return { ...servers, anonymous: true, foreign: { ...foreign, isMissing: true } };
}

const trust = z.object({
  ca: z.string().exactOptional(),
  names: z.array(z.string()),
  byHost: z.literal(true).exactOptional(),
  pair: z.object({ certificate: z.string(), key: z.string() }).exactOptional(),
});

const servers = z.object({
  urls: z.array(z.string()),
  tls: trust.exactOptional(),
}) satisfies z.ZodType<Servers>;

const userConnection = servers.extend({
  user: z.string(),
  password: z.string(),
}) satisfies z.ZodType<Servers & UserLogin>;

const seedConnection = servers.extend({ seed: z.string() });

export const connectionSchema = z.union([
  userConnection,
  seedConnection,
]) satisfies z.ZodType<Connection>;

const withKey = { managerKey: z.string() };

/** With the key by which the stack's own users log in. */
export const systemConnectionSchema = z.union([
  userConnection.extend(withKey),
  seedConnection.extend(withKey),
]) satisfies z.ZodType<Connection & ManagerConnection>;

const login = z.union([
  z.object({ user: z.string(), password: z.string() }),
  z.object({ seed: z.string() }),
  z.object({ token: z.string() }),
  z.object({ creds: z.string() }),
  z.object({ anonymous: z.literal(true) }),
]) satisfies z.ZodType<Login>;

/** States of earlier versions have a user of the only account that there was. */
export const streamsConnectionSchema = z.union([
  servers.extend({
    managerKey: z.string(),
    patience: z.number().exactOptional(),
  }) satisfies z.ZodType<ManagerConnection>,
  servers.extend({
    logins: z.record(z.string(), login),
    account: z.string(),
    apiPrefix: z.string().exactOptional(),
    patience: z.number().exactOptional(),
  }) satisfies z.ZodType<OthersConnection>,
  userConnection,
]);

/**
 * Key of a provider resource's input: a `ManagerConnection` or an `OthersConnection` as JSON. The SDK prefixes keys without a colon with the
 * project's name.
 */
export const CONNECTION_KEY = "nats:connection";
