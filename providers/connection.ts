import { z } from "zod";

/** Where a cluster is reached. */
export interface Servers {
  /** Of any of its servers, e.g. `nats://127.0.0.1:4222`. One that answers is enough. */
  readonly urls: readonly string[];
}

export interface UserLogin {
  readonly user: string;
  readonly password: string;
}

/** Who somebody is: a user with a password, or whoever has the seed of an nkey, `SU…`. */
export type Login = UserLogin | { readonly seed: string };

/** How to reach a cluster, and as whom. */
export type Connection = Servers & Login;

/** How to reach a cluster as the stack's own user in any of its accounts; see `managerSeed`. */
export type ManagerConnection = Servers & { readonly managerKey: string };

const servers = z.object({ urls: z.array(z.string()) });

export const connectionSchema = servers.extend({
  user: z.string(),
  password: z.string(),
}) satisfies z.ZodType<Servers & UserLogin>;

/** State that earlier versions wrote has a user of the one account that there was. */
export const streamsConnectionSchema = z.union([
  servers.extend({ managerKey: z.string() }) satisfies z.ZodType<ManagerConnection>,
  connectionSchema,
]);

/** Input of a provider resource, a `ManagerConnection` as JSON. The SDK takes a key without a colon for the project's. */
export const CONNECTION_KEY = "nats:connection";
