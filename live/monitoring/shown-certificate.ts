import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { withoutBrackets } from "../../lib/base/addresses.ts";

/**
 * The certificate that a node shows to a client which asks for no name. Nothing is verified, and nobody logs in: a
 * preview only compares it.
 *
 * @param address `host:port` for clients.
 * @returns PEM; undefined if there is no answer in time, or no TLS.
 */
export async function readShownCertificate(
  address: string,
  milliseconds: number,
): Promise<string | undefined> {
  const { hostname, port } = new URL(`nats://${address}`);
  const signal = AbortSignal.timeout(milliseconds);
  const socket = connectPlain({ host: withoutBrackets(hostname), port: Number(port) });
  try {
    // The server speaks first, in the clear: INFO.
    await once(socket, "data", { signal });
    const secured = connectTls({ socket, rejectUnauthorized: false });
    try {
      await once(secured, "secureConnect", { signal });
      const shown: X509Certificate | undefined = secured.getPeerX509Certificate();
      return shown?.toString();
    } finally {
      secured.destroy();
    }
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
