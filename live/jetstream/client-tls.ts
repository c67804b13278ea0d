import { checkServerIdentity, type PeerCertificate } from "node:tls";
import type { TlsOptions } from "nats";
import { STACK_SERVER_NAME } from "../../lib/tls/certificate-rules.ts";
import type { Trust } from "./connection.ts";

/**
 * TLS options for a NATS client. They verify a server by its name: the client passes these options on to `node:tls`
 * (`startTLS` in @nats-io/transport-node 3.4). Without them it would look for `localhost` in the certificate of a
 * server whose address is an IP. With them, the client refuses servers without TLS.
 *
 * Nodes that show clients another certificate show their own one to whoever asks for this name. Servers of others are
 * asked by their hosts.
 */
export function clientTls(
  { ca, names, byHost, pair }: Trust,
  note?: (certificate: Buffer) => void,
): TlsOptions {
  const verifying = {
    ...(ca === undefined ? {} : { ca }),
    ...(byHost ? {} : { servername: STACK_SERVER_NAME }),
    ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }),
    checkServerIdentity: (_: string, certificate: PeerCertificate) => {
      note?.(certificate.raw);
      return names.some((name) => checkServerIdentity(name, certificate) === undefined)
        ? undefined
        : new Error(
            `the certificate is for ${certificate.subjectaltname}, and not for ${byHost ? names.join(", ") : "a node"}`,
          );
    },
  };
  return verifying;
}
