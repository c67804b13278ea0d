import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { TlsOptions } from "nats";
import type { Trust } from "./connection.ts";

/**
 * How a client of NATS verifies servers: by name, as `node:tls` is handed whatever else is in these options
 * (`startTLS` in @nats-io/transport-node 3.4). By itself it would look for `localhost` in the certificate of a
 * server whose address is an IP. With it, a client doesn't take a server without TLS.
 */
export function clientTls({ ca, names }: Trust): TlsOptions {
  const verifying = {
    ca,
    checkServerIdentity: (_: string, certificate: PeerCertificate) =>
      names.some((name) => checkServerIdentity(name, certificate) === undefined)
        ? undefined
        : new Error(`the certificate is for ${certificate.subjectaltname}, and not for a node`),
  };
  return verifying;
}
