import "reflect-metadata";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { validityFrom } from "../../lib/tls/certificate-rules.ts";
import type { TlsFiles } from "../../lib/tls/tls-settings.ts";
import {
  issueAuthority,
  issueCertificate,
  type KeyedCertificate,
} from "../../providers/certificates/issue-certificates.ts";

const DAY = 86_400_000;
const NAME = "an authority elsewhere";

/** An authority that isn't a stack's own. */
export async function makeAuthority(): Promise<KeyedCertificate> {
  return await issueAuthority(NAME, validityFrom(Date.now(), 100 * DAY));
}

/** A certificate and its key, issued by that authority for a node's name only. */
export async function makeCertificate(
  node: string,
  { key }: KeyedCertificate,
  names: readonly string[] = [node],
): Promise<KeyedCertificate> {
  return await issueCertificate(node, names, validityFrom(Date.now(), 90 * DAY), {
    name: NAME,
    key,
  });
}

/** A certificate as many authorities issue it: for servers only, not for clients. */
export async function makeServerCertificate(
  node: string,
  { key }: KeyedCertificate,
): Promise<KeyedCertificate> {
  const purpose = new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]);
  return await sign(key, {
    subject: `CN=${node}`,
    notBefore: new Date(),
    extensions: [purpose, new SubjectAlternativeNameExtension([{ type: "dns", value: node }])],
  });
}

/** @param key of the authority, as PEM. */
async function sign(
  key: string,
  contents: {
    /** In the order of the certificate: the most general part first. */
    readonly subject: string;
    readonly notBefore: Date;
    readonly extensions: Extension[];
  },
): Promise<KeyedCertificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const [der = new ArrayBuffer()] = PemConverter.decode(key);
  const signingKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.create({
    ...contents,
    issuer: `CN=${NAME}`,
    notAfter: new Date(Date.now() + 90 * DAY),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
  });
  const own = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { certificate: certificate.toString("pem"), key: PemConverter.encode(own, "PRIVATE KEY") };
}

/** Writes the files that a user gets from an authority: a certificate and a key for each node, and a CA bundle. */
export async function writeCertificates(
  folder: string,
  nodes: readonly string[],
  authority: KeyedCertificate,
  trusted: readonly KeyedCertificate[] = [authority],
): Promise<TlsFiles> {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);
  write("ca.pem", trusted.map(({ certificate }) => certificate).join(""));
  for (const node of nodes) {
    const { certificate, key } = await makeCertificate(node, authority);
    write(`${node}.pem`, certificate);
    write(`${node}.key`, key);
  }
  const file = (name: string) => path.join(folder, name);
  return { ca: file("ca.pem"), cert: file("{node}.pem"), key: file("{node}.key") };
}

/** What a certificate of a client has in it. */
export interface ClientSubject {
  /** As RFC 4514 writes it, the most special part first. */
  readonly subject: string;
  readonly names?: readonly { readonly type: "dns" | "email" | "url"; readonly value: string }[];
}

/** A client's certificate and its key. */
export async function makeClientCertificate(
  { subject, names = [] }: ClientSubject,
  { key }: KeyedCertificate,
): Promise<KeyedCertificate> {
  const purpose = new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]);
  const alternatives = names.length > 0 ? [new SubjectAlternativeNameExtension([...names])] : [];
  // A certificate has the most general part first.
  const parts = subject.split(/(?<!\\),/).reverse();
  return await sign(key, {
    subject: parts.join(","),
    notBefore: new Date(Date.now() - DAY),
    extensions: [purpose, ...alternatives],
  });
}
