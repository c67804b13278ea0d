import { connect, type Socket } from "node:net";
import { withoutBrackets } from "../../lib/base/addresses.ts";

/**
 * The first of some servers that greets: the nearest one. A connection that is accepted isn't enough: Docker accepts
 * them for servers that hang. Servers that nobody can talk to are given up here, because the client library leaves
 * their sockets open, and so a process alive for as long as they are (@nats-io/transport-node 3.4).
 *
 * @param urls e.g. `nats://127.0.0.1:4222` or `127.0.0.1:4222`.
 * @throws the reason of one of them if none greets within `milliseconds`.
 */
export async function firstReachable(
  urls: readonly string[],
  milliseconds: number,
): Promise<string> {
  const sockets: Socket[] = [];
  const attempts = urls.map(async (url) => {
    const { hostname, port } = new URL(url.includes("://") ? url : `nats://${url}`);
    const socket = connect({ host: withoutBrackets(hostname), port: Number(port) });
    sockets.push(socket);
    await greeted(socket, milliseconds);
    return url;
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** A server speaks first: `INFO {…}`, or `-ERR '…'` if it takes no more connections (nats-server 2.15, `createClient`). */
function greeted(socket: Socket, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("data", (words) => {
      const [, refusal] = /^-ERR '(.*)'/.exec(words.toString()) ?? [];
      if (refusal === undefined) resolve();
      else reject(new Error(`it says: ${refusal}`));
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.setTimeout(milliseconds, () =>
      socket.destroy(new Error(`no answer in ${milliseconds / 1_000} s`)),
    );
  });
}
