/**
 * Waits until a cluster is ready, or says what it lacks: the gate behind a wave of nodes.
 *
 * Run by a Command. MONITORS: JSON object of monitoring URLs by node name, of the wave before the gate and
 * those before it. LATER: the same of later waves, whose nodes need not exist yet. CONTAINER_PREFIX: what a
 * node's name has before it in the name of its container.
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { type NodeReport, needsLaterNodes, whyNotReady } from "../lib/readiness.ts";
import { getPages, viewOf } from "./monitoring.ts";

const DEADLINE_MS = 120_000;
const POLL_MS = 100;
const PROGRESS_MS = 5_000;

await main();

async function main(): Promise<void> {
  const nodes = readMonitors("MONITORS");
  const laterNodes = readMonitors("LATER");
  const started = Date.now();
  let said = started;
  for (;;) {
    const [reports, later] = await Promise.all([askAll(nodes), askAll(laterNodes)]);
    const reason = whyNotReady(reports, later);
    if (reason !== undefined && needsLaterNodes(reports, await addRunning(later))) {
      console.error(`${reason}; going on, as the nodes that are missing come next`);
      return;
    }
    if (reason === undefined) return;
    if (Date.now() - started > DEADLINE_MS) {
      console.error(`The cluster isn't ready after ${DEADLINE_MS / 1_000} s: ${reason}.`);
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

type Monitor = readonly [name: string, url: string];

function readMonitors(variable: string): Monitor[] {
  const text = process.env[variable] ?? "{}";
  return Object.entries(z.record(z.string(), z.url()).parse(JSON.parse(text)));
}

function askAll(monitors: readonly Monitor[]): Promise<NodeReport[]> {
  return Promise.all(monitors.map(askNode));
}

/** A node whose ports are about to change is asked in vain, but runs. */
async function addRunning(reports: readonly NodeReport[]): Promise<NodeReport[]> {
  const { stdout } = await promisify(execFile)("docker", ["ps", "--format={{.Names}}"]);
  const running = new Set(stdout.split("\n"));
  const runs = ({ name }: NodeReport) => running.has(`${process.env.CONTAINER_PREFIX}${name}`);
  return reports.map((report) => (runs(report) ? { metaLeader: "", ...report } : report));
}

async function askNode([name, url]: Monitor): Promise<NodeReport> {
  try {
    const [stats, health] = await getPages(url, ["jsz", "healthz"]);
    return { name, ...viewOf(stats, health) };
  } catch {
    return { name };
  }
}
