import { get } from "node:http";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Accounts } from "../lib/accounts-conf.ts";
import { configDigest } from "../lib/nats-conf.ts";
import { changeOf, describeChanges, type RunningServer } from "../lib/node-changes.ts";
import { type ClusterPlan, nodesOf } from "../lib/plan.ts";
import type { EngineNode, EngineState } from "./preflight.ts";

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
  { containers, bereft }: EngineState,
): Promise<string[]> {
  const told = nodesOf(plan).filter(({ name }) => !bereft.has(name));
  const changes = await Promise.all(
    told.map(async (node) => {
      const container = containers.get(node.containerName);
      const running = container && { ...container, ...(await askServer(container)) };
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
});

/** What a node's server says of itself; nothing where it doesn't answer within {@link ANSWER_MS}. */
async function askServer({
  monitoringUrl,
}: EngineNode): Promise<{ readonly server?: RunningServer }> {
  if (monitoringUrl === undefined) return {};
  try {
    const { version, tags, cluster, config_digest } = varz.parse(
      JSON.parse(await readPage(`${monitoringUrl}/varz`)),
    );
    const routes = cluster.urls.map((hostAndPort) => hostAndPort.replace(/:\d+$/, ""));
    const digest = config_digest === undefined ? {} : { configDigest: config_digest };
    return { server: { version, tags, routes, ...digest } };
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
