import { rootCertificates } from "node:tls";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import {
  checkClientAuthorities,
  checkShownFiles,
  type ShownFiles,
} from "../../lib/tls/client-files.ts";
import { fillIn } from "../../lib/tls/client-tls.ts";
import { loggerOf } from "../logger.ts";
import { PemFiles, refuse, type TlsTexts } from "./read-tls-files.ts";

/** The files of `clientTls` and `clientCertificates`, PEM; each is absent if the settings name none. */
export interface ClientTexts {
  readonly shown?: ShownFiles;
  /** The authorities of clients' certificates, those of the settings alone. */
  readonly asked?: string;
}

/** The user's certificates. */
export interface CertificateTexts {
  /** Those of nodes; absent for the stack's own. */
  readonly tlsTexts?: TlsTexts | undefined;
  readonly clientTexts: ClientTexts;
}

/**
 * Reads and checks what nodes show to clients, and whose certificates they ask clients for.
 *
 * @param texts the user's own certificates of nodes, if the settings name any.
 * @throws PlanError naming every file that can't be used, but never its contents.
 */
export function readClientFiles(
  plan: ClusterPlan,
  texts: TlsTexts | undefined,
  log = loggerOf(),
): ClientTexts {
  const files = new PemFiles();
  const shown = readShown(plan, files);
  const ca = plan.clientCertificates?.ca;
  const asked = ca === undefined ? undefined : files.read("clientCertificates.ca", ca);
  files.refuse();
  const now = Date.now();
  const verdicts = [
    ...(shown ? [checkShownFiles(shown, rootCertificates, now)] : []),
    ...(asked === undefined ? [] : [checkClientAuthorities(asked, texts?.nodes, now)]),
  ];
  refuse(verdicts.flatMap(({ problems }) => problems));
  for (const notice of verdicts.flatMap(({ notices }) => notices)) log.warn(notice);
  return { ...(shown ? { shown } : {}), ...(asked === undefined ? {} : { asked }) };
}

function readShown(plan: ClusterPlan, files: PemFiles): ShownFiles | undefined {
  const { clientTls } = plan;
  if (!clientTls) return undefined;
  const { cert, key, ca } = clientTls;
  const nodes = nodesOf(plan).map((node) => ({
    node: node.name,
    certificate: files.read("clientTls.cert", fillIn(cert, node)),
    key: files.read("clientTls.key", fillIn(key, node)),
    ...(node.toldHost === undefined ? {} : { host: node.toldHost }),
  }));
  return {
    nodes,
    ...(ca === undefined ? {} : { ca: files.read("clientTls.ca", ca) }),
  };
}
