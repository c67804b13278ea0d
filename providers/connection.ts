import { z } from "zod";

/** How to reach a cluster, and as whom. */
export interface Connection {
  /** Of any of its servers, e.g. `nats://127.0.0.1:4222`. One that answers is enough. */
  readonly urls: readonly string[];
  readonly user: string;
  readonly password: string;
}

export const connectionSchema = z.object({
  urls: z.array(z.string()),
  user: z.string(),
  password: z.string(),
}) satisfies z.ZodType<Connection>;

/** Input of a provider resource, a `Connection` as JSON. The SDK takes a key without a colon for the project's. */
export const CONNECTION_KEY = "nats:connection";
