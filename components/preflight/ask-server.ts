import { z } from "zod";
import { VARIABLES } from "../../lib/observed/questions.ts";
import type { ClusterPlan, NodePlan } from "../../lib/plan/plan.ts";
import { fileReasons, hasName, issueReasons } from "../../lib/update/certificate-changes.ts";
import { clientTlsReasons } from "../../lib/update/client-tls-changes.ts";
import {
  type Reason,
  type RunningServer,
  reportedSettings,
} from "../../lib/update/node-changes.ts";
import { askAsShown } from "../../live/monitoring/ask-node.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { readShownCertificate } from "../../live/monitoring/shown-certificate.ts";
import type { Answer } from "../../live/monitoring/system-account.ts";
import type { EngineNode } from "./engine-finds.ts";
import type { EngineState } from "./inspect-engine.ts";
import { monitorOf } from "./observer.ts";
import type { CertificateTexts } from "./read-client-files.ts";

const ANSWER_MS = 500;
/** On another machine, where a connection with TLS takes six round trips. */
const FAR_ANSWER_MS = 3_000;

const varz = z.object({
  version: z.string(),
  start: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
  tags: z.array(z.string()).default([]),
  cluster: z.object({ urls: z.array(z.string()).default([]) }),
  connect_urls: z.array(z.string()).default([]),
  config_digest: z.string().optional(),
  config_load_time: z.string(),
  tls_verify: z.boolean().default(false),
  connections: z.number().default(0),
});

/** What an update knows of a cluster besides the node. */
export interface Surroundings {
  readonly plan: ClusterPlan;
  readonly access: Pick<EngineState, "tls" | "login">;
  readonly texts: CertificateTexts;
}

/** What a node's server reports about itself; undefined if it doesn't answer in time. */
export async function askServer(
  planned: NodePlan,
  container: EngineNode,
  surroundings: Surroundings,
): Promise<RunningServer | undefined> {
  const { plan, access } = surroundings;
  try {
    const node = monitorOf(planned.name, container, access);
    const patience = planned.engine === undefined ? ANSWER_MS : FAR_ANSWER_MS;
    const answer = await askAsShown(node, VARIABLES, patience);
    const unknown = plan.tls === "stack" ? unknownAddress(planned, answer) : undefined;
    const { version, start, tags, cluster, connect_urls, ...config } = varz.parse(answer.page);
    const { config_digest: configDigest, config_load_time: configLoadTime } = config;
    const isSame = container.settings?.tls === plan.tls;
    const begins = asksAll(planned) && !config.tls_verify;
    return {
      version,
      startedAt: start,
      tags,
      routes: cluster.urls,
      advertised: connect_urls,
      settings: reportedSettings(answer.page),
      configLoadTime,
      ...(configDigest === undefined ? {} : { configDigest }),
      // A change of the setting `tls` has been reported already.
      certificateReasons: isSame
        ? [
            ...whyOther(answer, planned, surroundings),
            ...(await whyOtherForClients(answer, config.tls_verify, node, planned, surroundings)),
          ]
        : [],
      // The connection by which it was asked is one of them.
      ...(begins ? { clients: Math.max(0, config.connections - 1) } : {}),
      ...(unknown === undefined ? {} : { unknownAddress: unknown }),
    };
  } catch {
    return undefined;
  }
}

/** The address of its machine in the settings, if its certificate doesn't have it. */
function unknownAddress({ engine }: NodePlan, { certificate }: Answer): string | undefined {
  if (engine === undefined || certificate === undefined) return undefined;
  return hasName(certificate, engine.address) ? undefined : engine.address;
}

/** Why a node gets a certificate that differs from the one it presents. */
function whyOther(
  { certificate }: Answer,
  { name, certificateNames }: NodePlan,
  { plan, access, texts }: Surroundings,
): Reason[] {
  const ca = access.tls?.ca;
  if (certificate === undefined || ca === undefined) return [];
  if (plan.tls === "stack") {
    const planned = { names: certificateNames, lifetime: plan.certificateLifetime };
    return issueReasons(certificate, planned, Date.now());
  }
  const own = texts.tlsTexts?.nodes.find(({ node }) => node === name);
  if (!texts.tlsTexts || !own) return [];
  return fileReasons({ ca, certificate }, { ca: texts.tlsTexts.ca, certificate: own.certificate });
}

/** Whether clients of the node's client port have to show a certificate. */
function asksAll({ conf }: NodePlan): boolean {
  return conf.verifies?.listeners.includes("clients") ?? false;
}

/** Why a node shows clients another certificate, or asks them for one. */
async function whyOtherForClients(
  { certificate: own }: Answer,
  asks: boolean,
  { address }: Monitor,
  planned: NodePlan,
  { plan, access, texts }: Surroundings,
): Promise<Reason[]> {
  if (own === undefined) return [];
  const { shown, asked } = texts.clientTexts;
  const next = shown?.nodes.find(({ node }) => node === planned.name)?.certificate;
  const stacks = plan.tls === "stack" ? (access.tls?.ca ?? "") : "";
  return clientTlsReasons(
    {
      own,
      shown: next && address ? await readShownCertificate(address, FAR_ANSWER_MS) : undefined,
      asks,
      authorities: access.login?.clientCa,
    },
    {
      shown: next,
      asks: asksAll(planned),
      authorities: asked === undefined ? undefined : `${asked}\n${stacks}`,
    },
  );
}
