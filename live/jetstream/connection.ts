import { z } from "zod";

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
  /** PEM of the authorities that certify servers; empty if there are none yet, and so no servers with TLS. */
  readonly ca: string;
  /** Names of the servers. A certificate must have one of them; it needn't have the server's address. */
  readonly names: readonly string[];
  /** What to show to servers that ask clients for a certificate; absent: nothing. */
  readonly pair?: KeyPair;
}

/** PEM of a certificate, and of its key, a secret. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** A login: a user with a password, or the seed of an nkey, `SU…`. */
export type Login = UserLogin | { readonly seed: string };

/** A cluster and a login. */
export type Connection = Servers & Login;

/** A cluster, and the key to log in as the stack's own user of any account; see `managerSeed`. */
export type ManagerConnection = Servers & {
  readonly managerKey: string;
  /** The setting `patience`, milliseconds; absent for the default. */
  readonly patience?: number;
};

const trust = z.object({
  ca: z.string(),
  names: z.array(z.string()),
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

/** States of earlier versions have a user of the only account that there was. */
export const streamsConnectionSchema = z.union([
  servers.extend({
    managerKey: z.string(),
    patience: z.number().exactOptional(),
  }) satisfies z.ZodType<ManagerConnection>,
  userConnection,
]);

/**
 * Key of a provider resource's input: a `ManagerConnection` as JSON. The SDK prefixes keys without a colon with the
 * project's name.
 */
export const CONNECTION_KEY = "nats:connection";
