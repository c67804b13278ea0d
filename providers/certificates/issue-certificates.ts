import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isAddress } from "../../lib/base/addresses.ts";
import type { Validity } from "../../lib/tls/certificate-rules.ts";

/** Supported by every TLS implementation, and small: the state holds a key for each node. */
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** PEM of a certificate, and of its key (PKCS #8). */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** A signing authority: its common name and the PEM of its key. */
export interface Issuer {
  readonly name: string;
  readonly key: string;
}

/**
 * Issues an authority's certificate.
 *
 * @param key PEM of its existing key, with which everything that it signed stays valid. Default: a new key.
 */
export async function issueAuthority(
  name: string,
  { validFrom, validUntil }: Validity,
  key?: string,
): Promise<KeyedCertificate> {
  const keys = key === undefined ? await generateKeys() : await importKeys(key);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: distinguished(name),
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(validFrom),
    notAfter: new Date(validUntil),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: toText(certificate.toString("pem")), key: key ?? (await exportKey(keys)) };
}

/** Issues a node's certificate with a new key, for servers and clients: one end of each route is a TLS client. */
export async function issueCertificate(
  node: string,
  names: readonly string[],
  { validFrom, validUntil }: Validity,
  issuer: Issuer,
): Promise<KeyedCertificate> {
  const [keys, authority] = await Promise.all([generateKeys(), importKeys(issuer.key)]);
  const { serverAuth, clientAuth } = ExtendedKeyUsage;
  const certificate = await X509CertificateGenerator.create({
    subject: distinguished(node),
    issuer: distinguished(issuer.name),
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(validFrom),
    notAfter: new Date(validUntil),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([serverAuth, clientAuth]),
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isAddress(value) ? "ip" : "dns", value })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return { certificate: toText(certificate.toString("pem")), key: await exportKey(keys) };
}

/** A distinguished name with one part; the library escapes the value. */
function distinguished(name: string) {
  return [{ CN: [name] }];
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function exportKey({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", privateKey);
  return toText(PemConverter.encode(bytes, "PRIVATE KEY"));
}

/** Imports the private key and derives the public one from it. */
async function importKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const [bytes] = PemConverter.decode(pem);
  if (!bytes) throw new Error("the authority's key is no PEM text");
  const privateKey = await crypto.subtle.importKey("pkcs8", bytes, ALGORITHM, true, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const point = { kty, crv, x, y } as webcrypto.JsonWebKey;
  const publicKey = await crypto.subtle.importKey("jwk", point, ALGORITHM, true, ["verify"]);
  return { privateKey, publicKey };
}

/** Ends the PEM text with a newline. */
function toText(pem: string): string {
  return `${pem.trimEnd()}\n`;
}
