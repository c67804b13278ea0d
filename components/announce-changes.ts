import { get } from "node:http";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Accounts } from "../lib/accounts-conf.ts";
import { configDigest } from "../lib/nats-conf.ts";
import {
  changeOf,
  describeChanges,
  type NodeChange,
  type RunningServer,
} from "../lib/node-changes.ts";
import { type ClusterPlan, nodesOf } from "../lib/plan.ts";
import type { EngineNode, EngineState } from "./preflight.ts";

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
  { containers, bereft }: EngineState,
): Promise<NodeChange[]> {
  const told = nodesOf(plan).filter(({ name }) => !bereft.has(name));
  return await Promise.all(
    told.map(async (node) => {
      const container = containers.get(node.containerName);
      const running = container && { ...container, ...(await askServer(container)) };
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
});

/** What a node's server says of itself; nothing where it doesn't answer within {@link ANSWER_MS}. */
async function askServer({
  monitoringUrl,
}: EngineNode): Promise<{ readonly server?: RunningServer }> {
  if (monitoringUrl === undefined) return {};
  try {
    const { version, tags, cluster, ...config } = varz.parse(
      JSON.parse(await readPage(`${monitoringUrl}/varz`)),
    );
    const { config_digest: configDigest, config_load_time: configLoadTime } = config;
    const routes = cluster.urls.map((hostAndPort) => hostAndPort.replace(/:\d+$/, ""));
    const digest = configDigest === undefined ? {} : { configDigest };
    return { server: { version, tags, routes, configLoadTime, ...digest } };
  } catch {
    return {};
  }
}

/** By `node:http`, which the SDK has loaded; `fetch` would be loaded for this alone. */
function readPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS);
    get(url, { agent: false, signal }, (response) => {
      response.setEncoding("utf8").on("error", reject);
      response.toArray().then((chunks) => resolve(chunks.join("")), reject);
    }).on("error", reject);
  });
}
