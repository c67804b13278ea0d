import { connect, type NatsConnection } from "nats";
import {
  closeConnections,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { startCluster, type TestCluster } from "./nats-cluster.ts";

/** A cluster, its account's streams through the product's port, and a client of that account. */
export interface OpenCluster {
  readonly cluster: TestCluster;
  readonly port: JetStreamPort;
  readonly client: NatsConnection;
  /** Closes all connections of the process, and stops the servers. */
  close(): Promise<void>;
}

/** Starts a cluster and connects to it. @param servers as for `startCluster`. */
export async function openCluster(
  ...servers: Parameters<typeof startCluster>
): Promise<OpenCluster> {
  const cluster = await startCluster(...servers);
  const port = openJetStream(cluster.connection, cluster.account);
  const { urls, user, password } = cluster.connection;
  const client = await connect({ servers: [...urls], user, pass: password });
  return {
    cluster,
    port,
    client,
    async close() {
      await client.close();
      await closeConnections();
      await cluster.stop();
    },
  };
}
