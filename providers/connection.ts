import { z } from "zod";

/** How to reach a cluster, and as whom. */
export interface Connection {
  /** Of any of its servers, e.g. `nats://127.0.0.1:4222`. One that answers is enough. */
  readonly urls: readonly string[];
  readonly user: string;
  readonly password: string;
  /** There where servers have TLS. */
  readonly tls?: Trust;
}

/** Whom to take for a server. */
export interface Trust {
  /** PEM of the authorities that certify servers; empty where there are none yet, and so no servers with TLS. */
  readonly ca: string;
  /** Names of the servers, of which a certificate has to have one: their addresses needn't be in it. */
  readonly names: readonly string[];
}

export const connectionSchema = z.object({
  urls: z.array(z.string()),
  user: z.string(),
  password: z.string(),
  tls: z.object({ ca: z.string(), names: z.array(z.string()) }).exactOptional(),
}) satisfies z.ZodType<Connection>;

/** Input of a provider resource, a `Connection` as JSON. The SDK takes a key without a colon for the project's. */
export const CONNECTION_KEY = "nats:connection";
