import type { ConfigureRequest } from "@pulumi/pulumi/dynamic/index.js";
import type { z } from "zod";
import {
  CONNECTION_KEY,
  type Connection,
  othersLogin,
  streamsConnectionSchema,
} from "../../live/jetstream/connection.ts";
import { type ConsumerPort, openConsumers } from "../../live/jetstream/consumers.ts";
import { type EntriesPort, openEntries } from "../../live/jetstream/entries.ts";
import { type JetStreamPort, openJetStream } from "../../live/jetstream/jetstream.ts";
import { managerLogin } from "../../live/jetstream/manager.ts";

let connection: z.output<typeof streamsConnectionSchema> | undefined;

/** Configures the dynamic provider's process with the inputs of its provider resource. Pulumi calls it first. */
export async function configure({ config }: ConfigureRequest): Promise<void> {
  connection = streamsConnectionSchema.parse(JSON.parse(config.require(CONNECTION_KEY)));
}

/**
 * Opens JetStream in `account` with the connection that this process was configured with: as the stack's own user, or
 * with the login that the settings have for a cluster that others run.
 */
export function openConfigured(account: string): JetStreamPort {
  return openJetStream(connectionTo(account), account);
}

/** As {@link openConfigured}, for consumers. */
export function openConfiguredConsumers(account: string): ConsumerPort {
  return openConsumers(connectionTo(account), account);
}

/** As {@link openConfigured}, for the entries of buckets. */
export function openConfiguredEntries(account: string): EntriesPort {
  return openEntries(connectionTo(account), account);
}

function connectionTo(account: string): Connection {
  if (!connection) throw new Error("streams need a JetStreamProvider as their provider");
  if ("managerKey" in connection) return managerLogin(connection, account);
  return "logins" in connection ? othersLogin(connection, account) : connection;
}

/** Least patience for a stream without progress, milliseconds: elections take their time. */
const STREAM_PATIENCE_MS = 60_000;

/**
 * Milliseconds without progress after which waiting for a stream fails: the setting `patience`, at least {@link
 * STREAM_PATIENCE_MS}.
 */
export function configuredPatience(): number {
  const given = connection && "patience" in connection ? connection.patience : undefined;
  return Math.max(given ?? 0, STREAM_PATIENCE_MS);
}
