/** JetStream as the stack's own users see it. */
import { managerSeed } from "../../lib/accounts/nkeys.ts";
import type { StreamName } from "../../lib/streams/stream-name.ts";
import type { Connection, ManagerConnection } from "./connection.ts";
import { AccessDenied, type JetStreamPort, openJetStream } from "./jetstream.ts";
import { type Pace, retry } from "./patience.ts";

/** The connection of the stack's own user of an account. */
export function managerLogin(connection: ManagerConnection, account: string): Connection {
  const { managerKey, patience: _, ...servers } = connection;
  return { ...servers, seed: managerSeed(managerKey, account) };
}

/** Opens JetStream as the stack's own user of an account. */
export function openManaged(connection: ManagerConnection, account: string): JetStreamPort {
  return openJetStream(managerLogin(connection, account), account);
}

/**
 * All streams that the meta group knows, whether a server has a replica of them or not.
 *
 * @param accounts those with JetStream.
 * @throws Error if the servers don't know the login; what {@link JetStreamPort} throws.
 */
export async function allStreams(
  connection: ManagerConnection,
  accounts: readonly string[],
  pace: Pace,
): Promise<StreamName[]> {
  const lists = accounts.map(async (account) => {
    try {
      const names = await retry(() => openManaged(connection, account).names(), pace);
      return names.map((name) => ({ account, name }));
    } catch (error) {
      if (!(error instanceof AccessDenied)) throw error;
      throw new Error(
        `lost: the nodes don't know the login that shows which streams account ${account} has. Add accounts, and change systemPassword, by an up of its own, once the lost nodes are gone`,
        { cause: error },
      );
    }
  });
  return (await Promise.all(lists)).flat();
}
