/**
 * Waits until a cluster is ready, or says what it lacks: the gate behind a wave of nodes. Run by a Command,
 * with what it waits for as its only argument:
 *
 *   members   one meta group of all nodes, each of them healthy: enough for a cluster without streams
 *   replicas  also every stream and consumer with its leader and all its replicas, and all of it twice
 *
 * MONITORS: JSON object of monitoring URLs by node name, of the wave before the gate and those before it.
 * LATER: the same of later waves, whose nodes need not exist yet. OWNER: `label=value` of the containers.
 * CA: PEM of the authorities that certify nodes, where they have TLS.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import {
  findStrangers,
  mayNeverHaveBegun,
  type NodeReport,
  needsLaterNodes,
  REJOIN_MS,
  whyNotReady,
} from "../lib/readiness.ts";
import { docker } from "./docker-cli.ts";
import { askNodes, askWhyNotCurrent, type Monitor } from "./monitoring.ts";
import { givenMonitors } from "./monitoring-page.ts";
import { askEngine, type OwnNode } from "./own-nodes.ts";

const OWNER = z.string().min(1).parse(process.env.OWNER);
const DEADLINE_MS = 120_000;
/** For nodes that have left and come back: until the others take them in again. */
const REJOIN_DEADLINE_MS = REJOIN_MS + 60_000;
/** After so long without a meta leader, a group of which not all nodes run has never had one. */
const LEADERLESS_MS = 30_000;
/** Between the two looks at a cluster that is well: what flaps doesn't pass. */
const STEADY_MS = 2_000;
const POLL_MS = 100;
const PROGRESS_MS = 5_000;
/** An engine that was killed takes what it finds running when it is back for stopped by somebody, and leaves it so. */
const ALL_DOWN =
  "No node runs, and the engine starts none of them: `npx pulumi up --refresh` brings them back";

await main();

async function main(): Promise<void> {
  const purpose = z.enum(["members", "replicas"]).parse(process.argv[2]);
  const started = Date.now();
  let saidAt = started;
  let wasWell = purpose === "members";
  let fallen: readonly string[] = [];
  let wasDown = false;
  let ledAt = started;
  for (;;) {
    const { reason, isInVain, isLeaderless, deadline } = await look(purpose);
    if (!isLeaderless) ledAt = Date.now();
    const hasNeverBegun = Date.now() - ledAt > LEADERLESS_MS;
    if (reason !== undefined && (isInVain || hasNeverBegun)) {
      console.error(`${reason}; going on, as the nodes that are missing come next`);
      return;
    }
    if (reason === undefined && wasWell) return;
    if (Date.now() - started > deadline) {
      return fail(
        `The cluster isn't ready after ${deadline / 1_000} s: ${reason ?? "it doesn't stay well"}`,
      );
    }
    if (reason !== undefined && Date.now() - saidAt > PROGRESS_MS) {
      const { own } = await askEngine(OWNER);
      const falling = own
        .filter(({ state }) => state === "restarting")
        .map(({ container }) => container);
      const [hopeless] = falling.filter((container) => fallen.includes(container));
      if (hopeless) return fail(await describeFall(hopeless));
      const isDown = own.length > 0 && own.every(({ state }) => state === "down");
      if (isDown && wasDown) return fail(ALL_DOWN);
      fallen = falling;
      wasDown = isDown;
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

/** A server logs to stderr. */
async function describeFall(container: string): Promise<string> {
  const { stdout, stderr } = await docker("logs", "--tail=1", container);
  return `${container} doesn't stay up, docker logs says why: ${(stderr || stdout).trim()}`;
}

interface Look {
  /** What the cluster lacks; undefined if nothing. */
  readonly reason: string | undefined;
  /** Whether nothing gets better before later nodes are started. */
  readonly isInVain: boolean;
  /** Whether there is no meta leader, and may never have been one. */
  readonly isLeaderless: boolean;
  /** Milliseconds that it may take from the start. */
  readonly deadline: number;
}

async function look(purpose: "members" | "replicas"): Promise<Look> {
  const nodes = givenMonitors("MONITORS");
  const { own, silence } = await askEngine(OWNER);
  if (silence !== undefined) {
    return { reason: silence, isInVain: false, isLeaderless: false, deadline: DEADLINE_MS };
  }
  const laterNodes = withLeaving(nodes, givenMonitors("LATER"), own);
  const [reports, later] = await Promise.all([askNodes(nodes), askNodes(laterNodes)]);
  const reason = whyNotReady(reports, later);
  const deadline = findStrangers(reports, later).length > 0 ? REJOIN_DEADLINE_MS : DEADLINE_MS;
  if (reason !== undefined) {
    const present = addRunning(later, own);
    const isInVain = needsLaterNodes(reports, present);
    return { reason, isInVain, isLeaderless: mayNeverHaveBegun(reports, present), deadline };
  }
  const isWell = { isInVain: false, isLeaderless: false, deadline };
  if (purpose === "members") return { reason, ...isWell };
  const down = new Set(later.filter(({ health }) => health === undefined).map(({ name }) => name));
  const running = [...nodes, ...laterNodes].filter(({ name }) => !down.has(name));
  const lack = await askWhyNotCurrent(running, down.size === 0);
  return { reason: lack, ...isWell };
}

/** Nodes that the settings have no more are members until they are retired, after all waves. */
function withLeaving(
  nodes: readonly Monitor[],
  later: readonly Monitor[],
  own: readonly OwnNode[],
): Monitor[] {
  const planned = new Set([...nodes, ...later].map(({ name }) => name));
  const leaving = own.filter(({ name, state }) => !planned.has(name) && state === "running");
  return [...later, ...leaving];
}

/** A node whose ports are about to change is asked in vain, but runs. */
function addRunning(reports: readonly NodeReport[], own: readonly OwnNode[]): NodeReport[] {
  const running = new Set(own.filter(({ state }) => state !== "down").map(({ name }) => name));
  return reports.map((report) =>
    running.has(report.name) ? { metaLeader: "", ...report } : report,
  );
}
