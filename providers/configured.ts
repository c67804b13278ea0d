import type { ConfigureRequest } from "@pulumi/pulumi/dynamic/index.js";
import { CONNECTION_KEY, type Connection } from "./connection.ts";
import { type JetStreamPort, openJetStream } from "./jetstream.ts";

let connection: Connection | undefined;

/** Called in the dynamic provider's process before anything else, with the inputs of its provider resource. */
export async function configure({ config }: ConfigureRequest): Promise<void> {
  connection = JSON.parse(config.require(CONNECTION_KEY));
}

/** JetStream as `account` sees it, by way of the connection that this process was configured with. */
export function openConfigured(account: string): JetStreamPort {
  if (!connection) throw new Error("streams need a JetStreamProvider as their provider");
  return openJetStream(connection, account);
}
