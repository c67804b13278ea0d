import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { checkServerIdentity, type PeerCertificate, TLSSocket } from "node:tls";
import { STACK_SERVER_NAME } from "../../lib/tls/certificate-rules.ts";
import type { Monitor } from "./monitor.ts";

// An import would read all properties of the module, one of which loads node's WebSocket: 15 ms.
const require = createRequire(import.meta.url);
const { get: getPlain } = require("node:http") as typeof import("node:http");
const { get: getSecure } = require("node:https") as typeof import("node:https");

/** A node whose monitoring port is published. */
export type PageMonitor = Monitor & Required<Pick<Monitor, "url">>;

export interface Page {
  readonly text: string;
  /** PEM of the node's certificate; absent without TLS. */
  readonly certificate?: string;
}

/**
 * Reads a page of a node's monitoring port, and the certificate that it presents. It uses `node:http`, because `fetch`
 * doesn't accept a custom CA. The certificate must have the node's name, whatever address the port is published on.
 *
 * @throws Error if there is no trusted answer within `milliseconds`.
 */
export function readPageAsShown(
  { name, url, ca }: PageMonitor,
  path: string,
  milliseconds: number,
): Promise<Page> {
  const signal = AbortSignal.timeout(milliseconds);
  const options = { agent: false, signal } as const;
  const trust = {
    servername: STACK_SERVER_NAME,
    checkServerIdentity: (_: string, shown: PeerCertificate) => checkServerIdentity(name, shown),
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const page = `${url}/${path}`;
    const request = url.startsWith("https:")
      ? getSecure(page, { ...options, ...trust })
      : getPlain(page, options);
    request
      .on("response", (response) => {
        const shown = certificateOf(response.socket);
        response.setEncoding("utf8").on("error", reject);
        response.toArray().then((chunks) => resolve({ text: chunks.join(""), ...shown }), reject);
      })
      .on("error", reject);
  });
}

function certificateOf(socket: Socket): Pick<Page, "certificate"> {
  const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  return shown ? { certificate: shown.toString() } : {};
}
