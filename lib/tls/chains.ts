/** Certificates and keys as PEM text. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { isAddress } from "../base/addresses.ts";

/** Whether a chain leads to an authority: each certificate is signed by the next, and one of them by an authority. */
export function isSigned(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  return chain.some((certificate, index) => {
    const linked = chain
      .slice(0, index)
      .every((each, position) => isSignedBy(each, chain[position + 1]));
    return linked && authorities.some((authority) => isSignedBy(certificate, authority));
  });
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate | undefined): boolean {
  return (
    issuer !== undefined && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  );
}

/** Whether clients that reach a server by a host name or an IP address take the certificate. */
export function isFor(certificate: X509Certificate, host: string): boolean {
  return isAddress(host)
    ? certificate.checkIP(host) !== undefined
    : // Go's clients, unlike others, don't look for names in the subject.
      certificate.checkHost(host, { subject: "never" }) !== undefined;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text; none if one of them is invalid. */
export function certificatesIn(text: string): X509Certificate[] {
  try {
    return [...text.matchAll(BLOCK)].map(([block]) => new X509Certificate(block));
  } catch {
    return [];
  }
}

/** Swallows the error, so that no message can quote the key. */
export function parseKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}
