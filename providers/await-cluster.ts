/**
 * Waits until a cluster is ready, or says what it lacks: the gate between two waves of nodes.
 *
 * Run by a Command. MONITORS: JSON object of monitoring URLs by node name. MEMBERS: how many servers
 * there are in all, empty if more than those may exist. DEADLINE_SECONDS: how long to wait (120).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type NodeReport, whyNotReady } from "../lib/readiness.ts";

const POLL_MS = 100;
const PROGRESS_MS = 5_000;
const REQUEST_MS = 2_000;

const jetStream = z.object({
  meta_cluster: z
    .object({
      leader: z.string().default(""),
      cluster_size: z.number(),
      replicas: z
        .array(
          z.object({
            name: z.string(),
            current: z.boolean().optional(),
            offline: z.boolean().optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});
const healthz = z.object({ status: z.string(), error: z.string().optional() });

await main();

async function main(): Promise<void> {
  const monitors = z.record(z.string(), z.url()).parse(JSON.parse(process.env.MONITORS ?? "{}"));
  const members = Number(process.env.MEMBERS) || undefined;
  const seconds = Number(process.env.DEADLINE_SECONDS ?? 120);
  const started = Date.now();
  let said = started;
  for (;;) {
    const reason = whyNotReady(await Promise.all(Object.entries(monitors).map(askNode)), members);
    if (reason === undefined) return;
    if (Date.now() - started > seconds * 1_000) {
      console.error(`The cluster isn't ready after ${seconds} s: ${reason}.`);
      process.exitCode = 1;
      return;
    }
    if (Date.now() - said > PROGRESS_MS) {
      console.error(`waiting for the cluster: ${reason}`);
      said = Date.now();
    }
    await sleep(POLL_MS);
  }
}

async function askNode([name, url]: [string, string]): Promise<NodeReport> {
  try {
    const [stats, health] = await Promise.all([getJson(`${url}/jsz`), getJson(`${url}/healthz`)]);
    const { meta_cluster: meta } = jetStream.parse(stats);
    const { status, error } = healthz.parse(health);
    return {
      name,
      metaLeader: meta?.leader ?? "",
      metaSize: meta?.cluster_size ?? 0,
      health: status === "ok" ? "" : (error ?? status),
      lagging: (meta?.replicas ?? [])
        .filter((peer) => !peer.current || peer.offline)
        .map((peer) => peer.name),
    };
  } catch {
    return { name };
  }
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_MS) });
  return await response.json();
}
