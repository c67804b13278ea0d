/**
 * Waits until a cluster is ready, or says what it lacks: the gate behind a wave of nodes. Run by a Command,
 * with what it waits for as its only argument:
 *
 *   members   one meta group of all nodes, each of them healthy: enough for a cluster without streams
 *   replicas  also every stream and consumer with its leader and all its replicas, and all of it twice
 *
 * MONITORS: JSON object of monitoring URLs by node name, of the wave before the gate and those before it.
 * LATER: the same of later waves, whose nodes need not exist yet. CONTAINER_PREFIX: what a node's name has
 * before it in the name of its container.
 */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { type NodeReport, needsLaterNodes, whyNotReady } from "../lib/readiness.ts";
import { askNodes, askWhyNotCurrent, type Monitor } from "./monitoring.ts";

const DEADLINE_MS = 120_000;
/** Between the two looks at a cluster that is well: what flaps doesn't pass. */
const STEADY_MS = 2_000;
const POLL_MS = 100;
const PROGRESS_MS = 5_000;

await main();

async function main(): Promise<void> {
  const purpose = z.enum(["members", "replicas"]).parse(process.argv[2]);
  const started = Date.now();
  let saidAt = started;
  let wasWell = purpose === "members";
  let fallen: readonly string[] = [];
  for (;;) {
    const { reason, isInVain } = await look(purpose);
    if (reason !== undefined && isInVain) {
      console.error(`${reason}; going on, as the nodes that are missing come next`);
      return;
    }
    if (reason === undefined && wasWell) return;
    if (Date.now() - started > DEADLINE_MS) {
      return fail(
        `The cluster isn't ready after ${DEADLINE_MS / 1_000} s: ${reason ?? "it doesn't stay well"}`,
      );
    }
    if (reason !== undefined && Date.now() - saidAt > PROGRESS_MS) {
      const falling = await listFalling();
      const [hopeless] = falling.filter((container) => fallen.includes(container));
      if (hopeless) return fail(await describeFall(hopeless));
      fallen = falling;
      console.error(`waiting for the cluster: ${reason}`);
      saidAt = Date.now();
    }
    wasWell = reason === undefined || purpose === "members";
    await sleep(reason === undefined ? STEADY_MS : POLL_MS);
  }
}

function fail(reason: string): void {
  console.error(
    `${reason}. Nodes of later waves are as they were; the next up goes on from here, with these settings or with those of before.`,
  );
  process.exitCode = 1;
}

/** Containers whose server ended as soon as it had started, and which the engine is about to start again. */
async function listFalling(): Promise<string[]> {
  const names = await docker("ps", "--filter=status=restarting", "--format={{.Names}}");
  return names.split("\n").filter((name) => name.startsWith(`${process.env.CONTAINER_PREFIX}`));
}

async function describeFall(container: string): Promise<string> {
  const last = await docker("logs", "--tail=1", container);
  return `${container} doesn't stay up, docker logs says why: ${last.trim()}`;
}

/** What a docker command says on either stream: a server logs to stderr. */
async function docker(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)("docker", args);
  return stdout + stderr;
}

interface Look {
  /** What the cluster lacks; undefined if nothing. */
  readonly reason: string | undefined;
  /** Whether nothing gets better before later nodes are started. */
  readonly isInVain: boolean;
}

async function look(purpose: "members" | "replicas"): Promise<Look> {
  const nodes = readMonitors("MONITORS");
  const laterNodes = readMonitors("LATER");
  const [reports, later] = await Promise.all([askNodes(nodes), askNodes(laterNodes)]);
  const reason = whyNotReady(reports, later);
  if (reason !== undefined) {
    return { reason, isInVain: needsLaterNodes(reports, await addRunning(later)) };
  }
  if (purpose === "members") return { reason, isInVain: false };
  const down = new Set(later.filter(({ health }) => health === undefined).map(({ name }) => name));
  const running = [...nodes, ...laterNodes].filter(({ name }) => !down.has(name));
  return { reason: await askWhyNotCurrent(running, down.size === 0), isInVain: false };
}

function readMonitors(variable: string): Monitor[] {
  const text = process.env[variable] ?? "{}";
  const urls = z.record(z.string(), z.url()).parse(JSON.parse(text));
  return Object.entries(urls).map(([name, url]) => ({ name, url }));
}

/** A node whose ports are about to change is asked in vain, but runs. */
async function addRunning(reports: readonly NodeReport[]): Promise<NodeReport[]> {
  const running = new Set((await docker("ps", "--format={{.Names}}")).split("\n"));
  const runs = ({ name }: NodeReport) => running.has(`${process.env.CONTAINER_PREFIX}${name}`);
  return reports.map((report) => (runs(report) ? { metaLeader: "", ...report } : report));
}
