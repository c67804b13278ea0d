import { z } from "zod";

/** Where a cluster is reached. */
export interface Servers {
  /** Of any of its servers, e.g. `nats://127.0.0.1:4222`. One that answers is enough. */
  readonly urls: readonly string[];
  /** There where servers have TLS. */
  readonly tls?: Trust;
}

export interface UserLogin {
  readonly user: string;
  readonly password: string;
}

/** Whom to take for a server. */
export interface Trust {
  /** PEM of the authorities that certify servers; empty where there are none yet, and so no servers with TLS. */
  readonly ca: string;
  /** Names of the servers, of which a certificate has to have one: their addresses needn't be in it. */
  readonly names: readonly string[];
}

/** Who somebody is: a user with a password, or whoever has the seed of an nkey, `SU…`. */
export type Login = UserLogin | { readonly seed: string };

/** How to reach a cluster, and as whom. */
export type Connection = Servers & Login;

/** How to reach a cluster as the stack's own user in any of its accounts; see `managerSeed`. */
export type ManagerConnection = Servers & {
  readonly managerKey: string;
  /** Milliseconds that `patience` was set to; absent: its default. */
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

/** State that earlier versions wrote has a user of the one account that there was. */
export const streamsConnectionSchema = z.union([
  servers.extend({
    managerKey: z.string(),
    patience: z.number().exactOptional(),
  }) satisfies z.ZodType<ManagerConnection>,
  connectionSchema,
]);

/** Input of a provider resource, a `ManagerConnection` as JSON. The SDK takes a key without a colon for the project's. */
export const CONNECTION_KEY = "nats:connection";
