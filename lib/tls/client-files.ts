/** Checks the certificates that nodes show to clients, and the authorities of clients, before nodes use them. */
import type { X509Certificate } from "node:crypto";
import type { Problem } from "../base/errors.ts";
import { describeExpiry, isDue } from "./certificate-rules.ts";
import { certificatesIn, isFor, isSigned, parseKey } from "./chains.ts";
import type { FilesVerdict, NodeCertificate } from "./own-certificates.ts";

/** What a node shows to clients, as PEM text. */
export interface ShownCertificate extends NodeCertificate {
  /** Host by which clients are told to reach the node. Absent: they are told none. */
  readonly host?: string;
}

/** The files of `clientTls`. */
export interface ShownFiles {
  /** PEM of the authorities that clients trust; absent: those that every system knows. */
  readonly ca?: string;
  readonly nodes: readonly ShownCertificate[];
}

/**
 * Checks what nodes are to show to clients.
 *
 * @param known PEM of the authorities that every system knows.
 * @param now milliseconds since 1970.
 */
export function checkShownFiles(
  { ca, nodes }: ShownFiles,
  known: readonly string[],
  now: number,
): FilesVerdict {
  const authorities = certificatesIn(ca ?? known.join("\n"));
  if (authorities.length === 0) {
    return { problems: [{ path: "clientTls.ca", message: NO_CERTIFICATES }], notices: [] };
  }
  const trust = { authorities, whose: ca === undefined ? "systems know" : "clientTls.ca has" };
  // Nodes that share a pair share its problems; only names are those of each.
  const verdicts = nodes.map((node) => checkShown(node, trust, now));
  return {
    problems: verdicts.flatMap(({ problem }) => problem ?? []),
    notices: [...Map.groupBy(verdicts, ({ notice }) => notice)].flatMap(([notice, alike]) =>
      notice === undefined
        ? []
        : [
            `clientTls.cert: the certificate of ${alike.map(({ node }) => node).join(", ")} ${notice}: put another into its file and run "pulumi up", nodes load it without a restart`,
          ],
    ),
  };
}

const NO_CERTIFICATES = "no PEM text of certificates";

interface Trusted {
  readonly authorities: readonly X509Certificate[];
  /** What they are, after "an authority that". */
  readonly whose: string;
}

interface Verdict {
  readonly node: string;
  readonly problem?: Problem;
  /** E.g. `expires in 20 days`. */
  readonly notice?: string;
}

function checkShown(shown: ShownCertificate, trusted: Trusted, now: number): Verdict {
  const { node, certificate, key } = shown;
  const chain = certificatesIn(certificate);
  const [own] = chain;
  const secret = parseKey(key);
  const refuse = (path: string, message: string, fix?: string): Verdict => ({
    node,
    problem: { path: `clientTls.${path}`, message, ...(fix === undefined ? {} : { fix }) },
  });
  if (!own) return refuse("cert", `that of ${node} is no PEM text of a certificate`);
  if (!secret) {
    return refuse("key", `that of ${node} is no PEM text of a private key without a passphrase`);
  }
  if (!own.checkPrivateKey(secret)) return refuse("key", `that of ${node} is another's key`);
  const stale = chain.find(
    ({ validFromDate, validToDate }) =>
      validToDate.getTime() <= now || validFromDate.getTime() > now,
  );
  if (stale) {
    const what = stale === own ? "that" : `${oneLine(stale.subject)} in that`;
    return refuse(
      "cert",
      `${what} of ${node} is good from ${stale.validFrom} until ${stale.validTo}`,
    );
  }
  if (own.keyUsage?.includes(SERVER_AUTH) === false) {
    return refuse("cert", `that of ${node} isn't good for servers`);
  }
  if (!isSigned(chain, trusted.authorities)) {
    return refuse(
      "cert",
      `that of ${node} is signed by no authority that ${trusted.whose} (${oneLine(chain.at(-1)?.issuer ?? "")})`,
      "put the certificates between it and the authority behind it, or name its authority by clientTls.ca",
    );
  }
  return checkNames(shown, own) ?? { node, ...dueIn(own, now) };
}

/** Extended key usage (RFC 5280, 4.2.1.12). Clients' usage isn't needed: routes have other certificates. */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ");
}

/** Clients that get to know a node by another one verify it by the address that they were told. */
function checkNames({ node, host }: ShownCertificate, own: X509Certificate): Verdict | undefined {
  if (host === undefined || isFor(own, host)) return undefined;
  return {
    node,
    problem: {
      path: "advertise",
      message: `clients are told to reach ${node} at ${host}, and clientTls.cert of it is for ${own.subjectAltName ?? "no name at all"}`,
      fix: `set it to one of those by which clients reach it, e.g. {node}.nats.example.com, or to none; or have a certificate with ${host} among its alternative names`,
    },
  };
}

function dueIn(own: X509Certificate, now: number): Pick<Verdict, "notice"> {
  const until = own.validToDate.toISOString();
  const lifetime = own.validToDate.getTime() - own.validFromDate.getTime();
  return isDue(until, lifetime, now) ? { notice: describeExpiry(until, now) } : {};
}

/**
 * Checks the authorities of clients' certificates. The stack itself is a client, with the certificate of a node: the
 * stack's own authority is added to these, but a user's isn't, as others may have certificates of it.
 *
 * @param ca PEM.
 * @param nodes the users' own certificates of nodes; undefined if the stack's authority issues them.
 */
export function checkClientAuthorities(
  ca: string,
  nodes: readonly NodeCertificate[] | undefined,
  now: number,
): FilesVerdict {
  const path = "clientCertificates.ca";
  const authorities = certificatesIn(ca);
  if (authorities.length === 0) {
    return { problems: [{ path, message: NO_CERTIFICATES }], notices: [] };
  }
  const valid = authorities.filter(({ validToDate }) => validToDate.getTime() > now);
  if (valid.length === 0) {
    const last = authorities.map(({ validTo }) => validTo).join(", ");
    return { problems: [{ path, message: `no authority in it is valid: ${last}` }], notices: [] };
  }
  const strange = nodes?.find(({ certificate }) => !isSigned(certificatesIn(certificate), valid));
  if (strange) {
    return {
      problems: [
        {
          path,
          message: `has no authority of tlsFiles.cert of ${strange.node}, with which the stack itself logs in`,
          fix: "put that authority into it, if all who have a certificate of it may be clients; or use tls: stack, whose authority certifies nodes alone",
        },
      ],
      notices: [],
    };
  }
  const expired = authorities.filter((each) => !valid.includes(each));
  return {
    problems: [],
    notices: expired.map(
      ({ subject, validTo }) =>
        `${path}: ${oneLine(subject)} was valid until ${validTo}: clients with its certificates are refused`,
    ),
  };
}
