/**
 * The gate behind a wave of nodes: waits until the cluster is ready, or says what it lacks. Run by a Command, whose
 * only argument says what to wait for:
 *
 *   members   one meta group of all nodes, each of them healthy: enough for a cluster without streams
 *   replicas  also every stream and consumer with its leader and all its replicas, at two consecutive looks
 *
 * It waits as long as there is progress: see PATIENCE.
 */
import { z } from "zod";
import { describeWaitStatus } from "../lib/observed/waiting.ts";
import {
  type GateVerdict,
  judgeMembers,
  judgeReplicas,
  WaveGate,
  type WaveStatus,
} from "../lib/update/wave-gate.ts";
import { findNodes, type OwnNode } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";
import { behindIn } from "../live/monitoring/observe-cluster.ts";
import { until } from "../live/until.ts";
import { type ClusterPort, openCluster } from "./cluster-port.ts";
import { scriptVariables, trustOf } from "./variables.ts";

const MEASURE_MS = 2_000;

const variables = scriptVariables.pick({
  SO_FAR: true,
  LATER: true,
  OWNER: true,
  LACKED: true,
  PATIENCE: true,
  CA: true,
  SETTINGS_IN: true,
});
const purpose = z.enum(["members", "replicas"]);

export async function main(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  const { SO_FAR, LATER, OWNER, LACKED, PATIENCE, CA, SETTINGS_IN } = variables.parse(env);
  const trust = trustOf(CA);
  const wave = {
    purpose: purpose.parse(args.at(-1)),
    nodes: SO_FAR,
    later: LATER,
    lacked: new Set(LACKED),
    patience: PATIENCE,
  };
  const cluster = openCluster(enginesFromEnvironment(env), OWNER, trust, SETTINGS_IN);
  if (!(await mayGoOn(wave, cluster, console.error))) process.exitCode = 1;
}

/** The nodes before a gate, and what the gate waits for. */
export interface Wave {
  readonly purpose: z.infer<typeof purpose>;
  /** Names of the nodes of the wave before the gate, and of earlier ones. */
  readonly nodes: readonly string[];
  /** Names of the nodes of later waves. They may not exist yet. */
  readonly later: readonly string[];
  /** Keys of what the cluster lacked before nodes were restarted, see `lacksOf`. */
  readonly lacked: ReadonlySet<string>;
  /** Milliseconds. */
  readonly patience: number;
}

type GateEnd = Exclude<GateVerdict, { readonly kind: "wait" }>;

interface GateWait extends WaveStatus {
  /** Milliseconds until the next look. */
  readonly pause: number;
}

/** Waits until the cluster is ready, or says why waiting doesn't help. @returns whether the next wave may begin. */
export async function mayGoOn(
  wave: Wave,
  cluster: ClusterPort,
  say: (line: string) => void,
): Promise<boolean> {
  const gate = new WaveGate(performance.now(), wave.patience, wave.purpose === "members");
  const measure = seldom(MEASURE_MS, async (nodes: readonly Monitor[]) =>
    behindIn(await cluster.observe(nodes)),
  );
  const verdict = await until<GateEnd, GateWait>(
    async () => {
      const { sight, own } = await look(wave, cluster, measure);
      const now = performance.now();
      const verdict = gate.judge(sight, now);
      if (verdict.kind !== "wait") return { done: verdict };
      const { reason } = sight;
      const crash = reason === undefined ? undefined : await cluster.explainCrashes(own, now);
      if (crash !== undefined) return { done: { kind: "shut", word: crash } };
      return { shown: { ...sight, pause: verdict.milliseconds } };
    },
    {
      // No limit: the gate itself decides when to give up.
      pause: ({ pause }) => pause,
      describe: ({ reason, ...sight }) =>
        reason && `waiting for the cluster: ${describeWaitStatus({ ...sight, reason })}`,
      say,
    },
  );
  if (verdict.kind === "shut") say(await describeEnd(verdict.word, cluster));
  else if (verdict.word !== undefined) say(verdict.word);
  return verdict.kind === "open";
}

async function describeEnd(reason: string, cluster: ClusterPort): Promise<string> {
  const kills = await cluster.explainKills();
  return `${reason}${kills === undefined ? "" : `; ${kills}`}. Nodes of later waves are as they were; the next up goes on from here, with these settings or with those of before.`;
}

type Measure = (nodes: readonly Monitor[]) => Promise<number>;

/** Limits how often a measurement runs: nodes that have just restarted are busy. */
function seldom(interval: number, measure: Measure): Measure {
  let last = { at: Number.NEGATIVE_INFINITY, behind: 0 };
  return async (nodes) => {
    if (performance.now() - last.at > interval) {
      const behind = await measure(nodes);
      last = { at: performance.now(), behind };
    }
    return last.behind;
  };
}

interface Look {
  readonly sight: WaveStatus;
  readonly own: readonly OwnNode[];
}

async function look(
  { purpose, lacked, ...wave }: Wave,
  cluster: ClusterPort,
  measure: Measure,
): Promise<Look> {
  const { own, silence } = await cluster.list();
  if (silence !== undefined && own.length === 0) {
    const sight = { reason: silence, isInVain: false, isLeaderless: false, isRejoining: false };
    return { sight, own };
  }
  const away = silence === undefined ? new Set<string>() : unlisted(wave.nodes, own);
  const awaited = wave.nodes.filter((name) => !away.has(name));
  const nodes = findNodes(awaited, own);
  const laterNodes = withLeaving(nodes, findNodes([...wave.later, ...away], own), own);
  const [reports, later] = await Promise.all([cluster.report(nodes), cluster.report(laterNodes)]);
  const running = new Set(own.filter(({ state }) => state !== "down").map(({ name }) => name));
  const sight = judgeMembers({ reports, later, running, lacked });
  if (purpose === "members") return { sight, own };
  const silent = [...reports, ...later].filter(({ health }) => health === undefined);
  const names = new Set(silent.map(({ name }) => name));
  const answering = [...nodes, ...laterNodes].filter(({ name }) => !names.has(name));
  if (sight.reason !== undefined) {
    return { sight: { ...sight, behind: await measure(answering) }, own };
  }
  const observed = await cluster.observe(answering);
  const reason = judgeReplicas(observed, names.size === 0, lacked);
  const behind = behindIn(observed);
  return { sight: { ...sight, ...(reason === undefined ? {} : { reason }), behind }, own };
}

/**
 * The nodes that no engine lists. While one of several engines doesn't answer, those are beyond reach: what comes after
 * the gate doesn't wait for their return, but goes by the majorities that are left without them.
 */
function unlisted(names: readonly string[], own: readonly OwnNode[]): ReadonlySet<string> {
  const listed = new Set(own.map(({ name }) => name));
  return new Set(names.filter((name) => !listed.has(name)));
}

/** Adds nodes that are no longer in the settings: they stay members until they are retired, after all waves. */
function withLeaving(
  nodes: readonly Monitor[],
  later: readonly Monitor[],
  own: readonly OwnNode[],
): Monitor[] {
  const planned = new Set([...nodes, ...later].map(({ name }) => name));
  const leaving = own.filter(({ name, state }) => !planned.has(name) && state === "running");
  return [...later, ...leaving];
}
