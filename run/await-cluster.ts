/**
 * Waits until a cluster is ready, or says what it lacks: the gate behind a wave of nodes. Run by a Command,
 * with what it waits for as its only argument:
 *
 *   members   one meta group of all nodes, each of them healthy: enough for a cluster without streams
 *   replicas  also every stream and consumer with its leader and all its replicas, and all of it twice
 *
 * It waits as long as something moves: see PATIENCE.
 *
 * MONITORS: JSON object of monitoring URLs by node name, of the wave before the gate and those before it.
 * LATER: the same of later waves, whose nodes need not exist yet. OWNER: `label=value` of the containers.
 * LACKED: JSON array of what the cluster lacked before nodes were restarted, see `lacksOf`: no gate waits for it.
 * PATIENCE: milliseconds after which waiting is given up if nothing has moved, where that was set.
 * CA: PEM of the authorities that certify nodes, where they have TLS.
 */
import { z } from "zod";
import { describeSight } from "../lib/observed/waiting.ts";
import {
  type GateVerdict,
  judgeMembers,
  judgeReplicas,
  WaveGate,
  type WaveSight,
} from "../lib/update/wave-gate.ts";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { FallWatch } from "../live/engine/falls.ts";
import { askMemoryKills } from "../live/engine/memory-kills.ts";
import { askEngine, type OwnNode } from "../live/engine/own-nodes.ts";
import { askNodes, LONG_REQUEST_MS, type Monitor } from "../live/monitoring/monitoring.ts";
import { givenMonitors, givenPatience } from "../live/monitoring/monitoring-page.ts";
import { behindIn, observeCluster } from "../live/monitoring/observe-cluster.ts";
import { until } from "../live/until.ts";

const engine = engineFromEnvironment();
const OWNER = z.string().min(1).parse(process.env.OWNER);
const LACKED = new Set(z.array(z.string()).parse(JSON.parse(process.env.LACKED ?? "[]")));
const MEASURE_MS = 2_000;
/** An engine that was killed takes what it finds running when it is back for stopped by somebody, and leaves it so. */
const ALL_DOWN =
  "No node runs, and the engine starts none of them: `npx pulumi up --refresh` brings them back";

type GateEnd = Exclude<GateVerdict, { readonly kind: "wait" }>;

interface GateWait extends WaveSight {
  /** Milliseconds until the next look. */
  readonly pause: number;
}

let measured = { at: 0, behind: 0 };

await main();

async function main(): Promise<void> {
  const purpose = z.enum(["members", "replicas"]).parse(process.argv.at(-1));
  const gate = new WaveGate(Date.now(), givenPatience(), purpose === "members");
  const falls = new FallWatch(engine, ALL_DOWN);
  const verdict = await until<GateEnd, GateWait>(
    async () => {
      const { sight, own } = await look(purpose);
      const now = Date.now();
      const verdict = gate.judge(sight, now);
      if (verdict.kind !== "wait") return { done: verdict };
      const { reason } = sight;
      const fallen = reason === undefined ? undefined : await falls.look(own, now);
      if (fallen !== undefined) return { done: { kind: "shut", word: fallen } };
      return { shown: { ...sight, pause: verdict.milliseconds } };
    },
    {
      // The gate itself says when it gives up.
      pause: ({ pause }) => pause,
      describe: ({ reason, ...sight }) =>
        reason && `waiting for the cluster: ${describeSight({ ...sight, reason })}`,
      say: console.error,
    },
  );
  if (verdict.kind === "shut") await fail(verdict.word);
  else if (verdict.word !== undefined) console.error(verdict.word);
}

async function fail(reason: string): Promise<void> {
  const kills = await askMemoryKills(engine, OWNER);
  console.error(
    `${reason}${kills === undefined ? "" : `; ${kills}`}. Nodes of later waves are as they were; the next up goes on from here, with these settings or with those of before.`,
  );
  process.exitCode = 1;
}

interface Look {
  readonly sight: WaveSight;
  readonly own: readonly OwnNode[];
}

async function look(purpose: "members" | "replicas"): Promise<Look> {
  const { own, silence } = await askEngine(engine, OWNER);
  if (silence !== undefined) {
    const sight = { reason: silence, isInVain: false, isLeaderless: false, isRejoining: false };
    return { sight, own };
  }
  const nodes = asTheyAre(givenMonitors("MONITORS"), own);
  const laterNodes = withLeaving(nodes, asTheyAre(givenMonitors("LATER"), own), own);
  const [reports, later] = await Promise.all([askNodes(nodes), askNodes(laterNodes)]);
  const running = new Set(own.filter(({ state }) => state !== "down").map(({ name }) => name));
  const sight = judgeMembers({ reports, later, running, lacked: LACKED });
  if (purpose === "members") return { sight, own };
  const silent = [...reports, ...later].filter(({ health }) => health === undefined);
  const names = new Set(silent.map(({ name }) => name));
  const answering = [...nodes, ...laterNodes].filter(({ name }) => !names.has(name));
  if (sight.reason !== undefined) {
    return { sight: { ...sight, behind: await measure(answering) }, own };
  }
  const observed = await observeCluster(answering, LONG_REQUEST_MS);
  const reason = judgeReplicas(observed, names.size === 0, LACKED);
  const behind = behindIn(observed);
  return { sight: { ...sight, ...(reason === undefined ? {} : { reason }), behind }, own };
}

/** Not at each look: nodes that have just restarted have other things to do. */
async function measure(nodes: readonly Monitor[]): Promise<number> {
  if (Date.now() - measured.at > MEASURE_MS) {
    const behind = behindIn(await observeCluster(nodes, LONG_REQUEST_MS));
    measured = { at: Date.now(), behind };
  }
  return measured.behind;
}

/** A node that is yet to be changed, after those of later waves, may have other ports. */
function asTheyAre(nodes: readonly Monitor[], own: readonly OwnNode[]): Monitor[] {
  const running = new Map(
    own.filter(({ state }) => state === "running").map((node) => [node.name, node.url]),
  );
  return nodes.map((node) => ({ ...node, url: running.get(node.name) ?? node.url }));
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
