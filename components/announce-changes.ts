import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { describeExpiry, isDue } from "../lib/certificate-rules.ts";
import { type Accounts, configDigest } from "../lib/nats-conf.ts";
import { changeOf, describeChanges, type RunningServer } from "../lib/node-changes.ts";
import { type ClusterPlan, nodesOf } from "../lib/plan.ts";
import { type Monitor, readPage } from "../providers/monitoring-page.ts";
import type { EngineState } from "./preflight.ts";

/**
 * Says of each node, before anything happens, whether it will be reloaded or restarted, and why; nothing
 * where all stays as it is, nor of a node that lost its container: only the state knows what becomes of it.
 */
export function announceChanges(
  plan: ClusterPlan,
  accounts: pulumi.Output<Accounts>,
  engine: EngineState,
): Promise<void> {
  return new Promise((resolve, reject) => {
    accounts.apply((known) => describe(plan, known, engine).then(announce).then(resolve, reject));
  });
}

async function announce(lines: readonly string[]): Promise<void> {
  await Promise.all(lines.map((line) => pulumi.log.info(line)));
}

async function describe(
  plan: ClusterPlan,
  accounts: Accounts,
  { containers, bereft, tls }: EngineState,
): Promise<string[]> {
  const trust = tls === undefined ? {} : { ca: tls.ca };
  const told = nodesOf(plan).filter(({ name }) => !bereft.has(name));
  const changes = await Promise.all(
    told.map(async (node) => {
      const container = containers.get(node.containerName);
      const url = container?.monitoringUrl;
      const server = url && (await askServer({ name: node.name, url, ...trust }, plan));
      const running = container && { ...container, ...(server ? { server } : {}) };
      return changeOf(running, node, configDigest(node.conf, accounts));
    }),
  );
  return describeChanges(changes, plan.waves);
}

const ANSWER_MS = 500;

const varz = z.object({
  version: z.string(),
  tags: z.array(z.string()).default([]),
  cluster: z.object({ urls: z.array(z.string()).default([]) }),
  config_digest: z.string().optional(),
  tls_cert_not_after: z.string().optional(),
});

/** What a node's server says of itself; nothing where it doesn't answer within {@link ANSWER_MS}. */
async function askServer(node: Monitor, plan: ClusterPlan): Promise<RunningServer | undefined> {
  try {
    const page = await readPage(node, "varz", ANSWER_MS);
    const { version, tags, cluster, config_digest, tls_cert_not_after } = varz.parse(
      JSON.parse(page),
    );
    const routes = cluster.urls.map((hostAndPort) => hostAndPort.replace(/:\d+$/, ""));
    return {
      version,
      tags,
      routes,
      ...(config_digest === undefined ? {} : { configDigest: config_digest }),
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
