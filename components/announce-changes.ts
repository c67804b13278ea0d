import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Accounts } from "../lib/accounts-conf.ts";
import { describeExpiry, isDue } from "../lib/certificate-rules.ts";
import { configDigest } from "../lib/nats-conf.ts";
import {
  changeOf,
  describeChanges,
  type NodeChange,
  type RunningServer,
} from "../lib/node-changes.ts";
import { type ClusterPlan, nodesOf } from "../lib/plan.ts";
import { type Monitor, readPage } from "../providers/monitoring-page.ts";
import type { EngineState } from "./preflight.ts";

/** When nodes took up the config that they run with, by name, RFC 3339: of those where it isn't the planned one. */
export type Strays = ReadonlyMap<string, string>;

/**
 * Says of each node, before anything happens, whether it will be reloaded or restarted, and why; nothing
 * where all stays as it is, nor of a node that lost its container: only the state knows what becomes of it.
 */
export async function announceChanges(
  plan: ClusterPlan,
  accounts: pulumi.Output<Accounts>,
  engine: EngineState,
): Promise<Strays> {
  const changes = await new Promise<NodeChange[]>((resolve, reject) => {
    accounts.apply((known) => findChanges(plan, known, engine).then(resolve, reject));
  });
  for (const line of describeChanges(changes, plan.waves)) void pulumi.log.info(line);
  return new Map(
    changes.flatMap(({ node, strayedAt }) => (strayedAt ? [[node, strayedAt] as const] : [])),
  );
}

async function findChanges(
  plan: ClusterPlan,
  accounts: Accounts,
  { containers, bereft, tls }: EngineState,
): Promise<NodeChange[]> {
  const trust = tls === undefined ? {} : { ca: tls.ca };
  const told = nodesOf(plan).filter(({ name }) => !bereft.has(name));
  return await Promise.all(
    told.map(async (node) => {
      const container = containers.get(node.containerName);
      const url = container?.monitoringUrl;
      const server = url && (await askServer({ name: node.name, url, ...trust }, plan));
      const running = container && { ...container, ...(server ? { server } : {}) };
      return changeOf(running, node, configDigest(node.conf, accounts));
    }),
  );
}

const ANSWER_MS = 500;

const varz = z.object({
  version: z.string(),
  tags: z.array(z.string()).default([]),
  cluster: z.object({ urls: z.array(z.string()).default([]) }),
  config_digest: z.string().optional(),
  config_load_time: z.string(),
  tls_cert_not_after: z.string().optional(),
});

/** What a node's server says of itself; nothing where it doesn't answer within {@link ANSWER_MS}. */
async function askServer(node: Monitor, plan: ClusterPlan): Promise<RunningServer | undefined> {
  try {
    const page = await readPage(node, "varz", ANSWER_MS);
    const { version, tags, cluster, tls_cert_not_after, ...config } = varz.parse(JSON.parse(page));
    const { config_digest: configDigest, config_load_time: configLoadTime } = config;
    const routes = cluster.urls.map((hostAndPort) => hostAndPort.replace(/:\d+$/, ""));
    return {
      version,
      tags,
      routes,
      configLoadTime,
      ...(configDigest === undefined ? {} : { configDigest }),
      ...describeDue(tls_cert_not_after, plan),
    };
  } catch {
    return undefined;
  }
}

/** A certificate that the user is to renew is none of ours. */
function describeDue(
  until: string | undefined,
  { tls, certificateLifetime }: ClusterPlan,
): Pick<RunningServer, "dueCertificate"> {
  const now = Date.now();
  const lifetime = certificateLifetime / 1e6;
  if (until === undefined || tls !== "stack" || !isDue(until, lifetime, now)) return {};
  return { dueCertificate: describeExpiry(until, now) };
}
