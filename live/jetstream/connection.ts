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

const servers = z.object({
  urls: z.array(z.string()),
  tls: z.object({ ca: z.string(), names: z.array(z.string()) }).exactOptional(),
}) satisfies z.ZodType<Servers>;

export const connectionSchema = servers.extend({
  user: z.string(),
  password: z.string(),
}) satisfies z.ZodType<Servers & UserLogin>;

/** With the key by which the stack's own users log in. */
export const systemConnectionSchema = connectionSchema.extend({ managerKey: z.string() });

/** States of earlier versions have a user of the only account that there was. */
export const streamsConnectionSchema = z.union([
  servers.extend({
    managerKey: z.string(),
    patience: z.number().exactOptional(),
  }) satisfies z.ZodType<ManagerConnection>,
  connectionSchema,
]);

/**
 * Key of a provider resource's input: a `ManagerConnection` as JSON. The SDK prefixes keys without a colon with the
 * project's name.
 */
export const CONNECTION_KEY = "nats:connection";
