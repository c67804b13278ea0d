import { connect, type Socket } from "node:net";

/**
 * The first of some servers that accepts a connection: the nearest one. Connections to addresses that nobody answers
 * at are given up here, because the client library leaves their sockets open, and so a process alive for two minutes
 * (@nats-io/transport-node 3.4).
 *
 * @param urls e.g. `nats://127.0.0.1:4222` or `127.0.0.1:4222`.
 * @throws the reason of one of them if none accepts within `milliseconds`.
 */
export async function firstReachable(
  urls: readonly string[],
  milliseconds: number,
): Promise<string> {
  const sockets: Socket[] = [];
  const attempts = urls.map(async (url) => {
    const { hostname, port } = new URL(url.includes("://") ? url : `nats://${url}`);
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) });
    sockets.push(socket);
    await accepted(socket, milliseconds);
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

function accepted(socket: Socket, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("another server was nearer")));
    socket.setTimeout(milliseconds, () =>
      socket.destroy(new Error(`no answer in ${milliseconds / 1_000} s`)),
    );
  });
}
