/** Checks the user's own certificates before nodes use them: nodes, or their peers, would refuse invalid ones. */
import type { X509Certificate } from "node:crypto";
import type { Problem } from "../base/errors.ts";
import { describeExpiry, isDue } from "./certificate-rules.ts";
import { certificatesIn, isFor, isSigned, parseKey } from "./chains.ts";

/** A node's certificate files, as PEM text. */
export interface NodeCertificate {
  readonly node: string;
  /** The node's certificate, followed by its intermediate certificates. */
  readonly certificate: string;
  readonly key: string;
  /** Hosts that clients and other nodes are told of, to reach it. Default: none but its name. */
  readonly hosts?: readonly string[];
}

/** The authorities that running nodes trust, and the certificate that one of them presents; PEM. */
export interface RunningTls {
  readonly ca: string;
  readonly certificate: string;
}

export interface FilesVerdict {
  readonly problems: readonly Problem[];
  /** Sentences for users, not errors. */
  readonly notices: readonly string[];
}

/** In characters. Scripts get the CA in an environment variable, for which Linux allows 128 KiB. */
const LONGEST_CA = 64 * 1024;

/**
 * Checks the files of all nodes.
 *
 * @param now milliseconds since 1970.
 * @param running undefined if no node has TLS. Nodes are updated one after the other: meanwhile they must accept each
 *   other's old and new certificates.
 */
export function checkTlsFiles(
  ca: string,
  nodes: readonly NodeCertificate[],
  now: number,
  running?: RunningTls,
): FilesVerdict {
  const authorities = certificatesIn(ca);
  if (authorities.length === 0 || ca.length > LONGEST_CA) {
    const message =
      authorities.length === 0
        ? "no PEM text of certificates"
        : `${ca.length} bytes are more than the ${LONGEST_CA} that can be passed on`;
    return { problems: [{ path: "tlsFiles.ca", message }], notices: [] };
  }
  const verdicts = nodes.map((node) => checkNode(node, authorities, now));
  const problems = verdicts.flatMap(({ problem }) => problem ?? []);
  return {
    problems:
      problems.length > 0 || running === undefined
        ? problems
        : checkTransition(authorities, nodes, running),
    notices: verdicts.flatMap(({ notices }) => notices ?? []),
  };
}

interface NodeVerdict {
  readonly problem?: Problem;
  readonly notices?: readonly string[];
}

function checkNode(
  { node, certificate, key, hosts = [] }: NodeCertificate,
  authorities: readonly X509Certificate[],
  now: number,
): NodeVerdict {
  const chain = certificatesIn(certificate);
  const [own] = chain;
  const secret = parseKey(key);
  const refuse = (path: string, message: string, fix?: string): NodeVerdict => ({
    problem: { path: `tlsFiles.${path}`, message, ...(fix === undefined ? {} : { fix }) },
  });
  if (!own) return refuse("cert", `that of ${node} is no PEM text of a certificate`);
  if (!secret) {
    return refuse("key", `that of ${node} is no PEM text of a private key without a passphrase`);
  }
  if (!own.checkPrivateKey(secret)) return refuse("key", `that of ${node} is another's key`);
  if (own.checkHost(node) === undefined) {
    return refuse(
      "cert",
      `that of ${node} is for ${own.subjectAltName ?? "no name at all"}`,
      `other nodes reach it as ${node}, which has to be among its alternative names`,
    );
  }
  const lacking = Object.entries(USAGES).filter(([oid]) => own.keyUsage?.includes(oid) === false);
  if (lacking.length > 0) {
    const uses = lacking.map(([, name]) => name).join(" and ");
    return refuse(
      "cert",
      `that of ${node} isn't good for ${uses}`,
      "a node is both ends of routes: its extended key usage has to have both, or there be none",
    );
  }
  if (!isSigned(chain, authorities)) {
    return refuse(
      "cert",
      `that of ${node} is signed by nobody in tlsFiles.ca (${own.issuer.replaceAll("\n", ", ")})`,
      "put that authority into the file, or those in between behind the certificate",
    );
  }
  const until = own.validToDate.toISOString();
  if (own.validToDate.getTime() <= now || own.validFromDate.getTime() > now) {
    return refuse("cert", `that of ${node} is good from ${own.validFrom} until ${own.validTo}`);
  }
  const lifetime = own.validToDate.getTime() - own.validFromDate.getTime();
  const missing = hosts.filter((host) => !isFor(own, host));
  return {
    notices: [
      ...(isDue(until, lifetime, now)
        ? [
            `the certificate of ${node} ${describeExpiry(until, now)}: put another into its file and run "pulumi up", nodes load it without a restart`,
          ]
        : []),
      ...(missing.length > 0
        ? [
            `the certificate of ${node} isn't for ${missing.join(", ")}, where others are told that it is: those that look for the name refuse it`,
          ]
        : []),
    ],
  };
}

/** Required extended key usages by object identifier, for certificates that have any (RFC 5280, 4.2.1.12). */
const USAGES = { "1.3.6.1.5.5.7.3.1": "servers", "1.3.6.1.5.5.7.3.2": "clients" };

/**
 * Reports if nodes couldn't connect during the update: a reloaded node presents its new certificate to nodes that still
 * trust the old authorities, and the other way round.
 */
function checkTransition(
  authorities: readonly X509Certificate[],
  nodes: readonly NodeCertificate[],
  running: RunningTls,
): Problem[] {
  const before = certificatesIn(running.ca);
  const path = "tlsFiles.ca";
  const message = "nodes would no longer take each other's certificates while they are changed";
  const isKnown = nodes.every(({ certificate }) => isSigned(certificatesIn(certificate), before));
  const knows = isSigned(certificatesIn(running.certificate), authorities);
  if (isKnown && knows) return [];
  const fix =
    'put the old and the new authority into the file and keep the certificates, run "pulumi up"; then put the new certificates into place and run it again; then take the old authority out';
  return [{ path, message, fix }];
}
