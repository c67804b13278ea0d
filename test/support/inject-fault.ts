import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { whyNotReady } from "../../lib/observed/readiness.ts";
import { placementRequest, planSeating } from "../../lib/placement/placement.ts";
import { metaSeating, survives } from "../../lib/placement/survivability.ts";
import { type ClusterPlan, type NodePlan, nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { findNodes } from "../../live/engine/own-nodes.ts";
import { askNodes } from "../../live/monitoring/monitoring.ts";
import { askWhyNotCurrent } from "../../live/monitoring/observe-cluster.ts";
import { eventually } from "./eventually.ts";
import type { Fault } from "./faults.ts";
import { monitorsOfPlan } from "./monitors.ts";
import { NatsClient } from "./nats-client.ts";
import type { TestStack } from "./stack.ts";
import type { Audit, Stretch, Traffic } from "./traffic.ts";

/**
 * Milliseconds that a raft group with a majority may be without a leader: an election begins 4,000 to 9,000 after the
 * last sign of the old one (nats-server 2.15, raft.go).
 */
const ELECTION = 10_000;
/** Milliseconds in which a meta leader without a majority steps down: `lostQuorumInterval`, and its next check. */
const STEP_DOWN = 20_000;
/** Default of milliseconds in which everything has to be healthy again. */
const RECOVERY = 60_000;
/** Milliseconds until earlier acknowledgements have arrived. */
const SETTLING = 1_000;
/** Milliseconds for which streams are observed, to see which of them accept messages. */
const WATCH = 2_000;

/** A stack under traffic. */
export interface Stage {
  readonly stack: TestStack;
  /** The plan of its settings. */
  readonly plan: ClusterPlan;
  /** To every stream in the plan. */
  readonly traffic: Traffic;
}

/** A fault and its end. */
export interface FaultCase {
  readonly name: string;
  readonly fault: Fault;
  /** Names of the affected nodes. */
  readonly nodes: (stage: Stage) => readonly string[] | Promise<readonly string[]>;
  /** Duration, milliseconds. Default: long enough to see which streams go on. */
  readonly lasts?: number;
  /** Milliseconds in which everything has to be healthy again. Default: {@link RECOVERY}. */
  readonly recovers?: number;
  /** Runs during the fault, once that was seen. */
  readonly meanwhile?: (stage: Stage, nodes: readonly NodePlan[]) => Promise<void>;
}

/** Plans a stack from its settings. */
export function planOfStack(stack: TestStack, settings: object): ClusterPlan {
  return planCluster(parseSettings(settings, { project: "nats-regions", stack: stack.name }));
}

/**
 * Injects a fault under traffic, and records the result. Exactly the streams stop that lose their majority according to
 * the plan, and afterwards every acknowledged message is there, the same on every replica.
 */
export async function injectFault(stage: Stage, faultCase: FaultCase): Promise<void> {
  const { plan, traffic } = stage;
  const names = await faultCase.nodes(stage);
  const nodes = nodesOf(plan).filter(({ name }) => names.includes(name));
  expect(nodes.map(({ name }) => name).sort()).toEqual([...names].sort());
  const lost = lostWith(plan, names);
  const lasts = faultCase.lasts ?? Number.POSITIVE_INFINITY;
  // A fault that ends before an election only shows that nothing is lost.
  const shows = lasts > SETTLING + ELECTION + WATCH;

  let recovery = Number.NaN;
  const stretches = await traffic.during(async () => {
    await goesOn(traffic, Object.keys(traffic.acknowledged), ELECTION);
    const began = performance.now();
    try {
      await faultCase.fault.inject(nodes, plan);
      if (shows) await expectStopped(traffic, lost);
      await faultCase.meanwhile?.(stage, nodes);
      if (shows) await expectMetaLeader(plan, names);
      if (faultCase.lasts) await sleep(Math.max(0, faultCase.lasts - (performance.now() - began)));
    } finally {
      await faultCase.fault.restore(nodes, plan);
    }
    recovery = await secondsUntilWell(stage, faultCase.recovers ?? RECOVERY);
  });
  const audits = await auditAll(traffic);

  console.info(row(faultCase.name, names, { lost, stretches, audits, recovery }));
  for (const [stream, audit] of Object.entries(audits)) {
    const { missing, givenTwice, storedTwice, versions } = audit;
    expect({ missing, givenTwice, storedTwice, versions }, stream).toEqual(NOTHING_LOST);
  }
  for (const [stream, { longestGap }] of Object.entries(stretches)) {
    if (!lost.includes(stream)) expect(longestGap, `gap of ${stream}`).toBeLessThan(ELECTION);
  }
}

const NOTHING_LOST: Partial<Audit> = { missing: [], givenTwice: [], storedTwice: 0, versions: 1 };

/** The streams that lose their majority with those nodes, according to the plan. */
export function lostWith({ streams, fleet }: ClusterPlan, nodes: readonly string[]): string[] {
  return streams
    .filter(({ config }) => !survives(planSeating(placementRequest(config), fleet), nodes))
    .map(({ name }) => name);
}

/** Expects the lost streams to stop, and the others to go on. */
async function expectStopped(traffic: Traffic, lost: readonly string[]): Promise<void> {
  const streams = Object.keys(traffic.acknowledged);
  await sleep(SETTLING);
  await goesOn(
    traffic,
    streams.filter((stream) => !lost.includes(stream)),
    ELECTION,
  );
  const before = traffic.acknowledged;
  await sleep(WATCH);
  const after = traffic.acknowledged;
  const stopped = streams.filter((stream) => after[stream] === before[stream]);
  expect(stopped, "streams that stopped").toEqual(lost);
}

/** Expects the API to answer if a majority of all servers is left, and not to answer otherwise. */
async function expectMetaLeader(plan: ClusterPlan, lost: readonly string[]): Promise<void> {
  const spared = nodesOf(plan).filter(({ name }) => !lost.includes(name));
  if (spared.length === 0) return;
  const isLed = survives(metaSeating(plan.fleet), lost);
  await using client = await connectTo(spared);
  await eventually(
    async () => (await client.hasMetaLeader()) === isLed,
    isLed ? ELECTION : STEP_DOWN,
  );
}

/** Expects isolated nodes to refuse writes, except to streams whose majority they have. */
export async function expectRefusal({ plan }: Stage, nodes: readonly NodePlan[]): Promise<void> {
  const others = nodesOf(plan).filter((node) => !nodes.includes(node));
  const lost = lostWith(
    plan,
    others.map(({ name }) => name),
  );
  await using client = await connectTo(nodes);
  const taken = await Promise.all(
    plan.streams.map(({ name }) => client.takes(`${name.toLowerCase()}.cut-off`, "who hears me?")),
  );
  const refusing = plan.streams.filter((_, index) => !taken[index]).map(({ name }) => name);
  expect(refusing, "streams that refuse").toEqual(lost);
  await eventually(async () => !(await client.hasMetaLeader()), STEP_DOWN);
}

function connectTo(nodes: readonly NodePlan[]): Promise<NatsClient> {
  const urls = nodes.map(({ name, clientUrl }) => [name, clientUrl]);
  return NatsClient.connect({ clientUrls: Object.fromEntries(urls) });
}

/** Waits until each of the streams has acknowledged another message. */
async function goesOn(traffic: Traffic, streams: readonly string[], limit: number): Promise<void> {
  const before = traffic.acknowledged;
  await eventually(async () => {
    const now = traffic.acknowledged;
    const silent = streams.filter((stream) => now[stream] === before[stream]);
    if (silent.length > 0) throw new Error(`nothing is acknowledged by ${silent.join(", ")}`);
    return true;
  }, limit);
}

async function secondsUntilWell(stage: Stage, limit: number): Promise<number> {
  const began = performance.now();
  await expectWell(stage, limit);
  await goesOn(stage.traffic, Object.keys(stage.traffic.acknowledged), RECOVERY);
  return (performance.now() - began) / 1_000;
}

/**
 * Waits until every node, stream and consumer is healthy.
 *
 * @param ca of the nodes' certificates, if they have any.
 */
export async function expectWell(
  { plan, ca }: Pick<Stage, "plan"> & { readonly ca?: string },
  limit: number = RECOVERY,
): Promise<void> {
  const names = nodesOf(plan).map(({ name }) => name);
  const trust = ca === undefined ? {} : { ca };
  await eventually(async () => {
    const monitors = findNodes(names, await monitorsOfPlan(plan, trust));
    const reason =
      whyNotReady(await askNodes(monitors)) ?? (await askWhyNotCurrent(monitors, true));
    if (reason) throw new Error(reason);
    return true;
  }, limit);
}

async function auditAll(traffic: Traffic): Promise<Record<string, Audit>> {
  const audits: Record<string, Audit> = {};
  for (const stream of Object.keys(traffic.acknowledged)) {
    audits[stream] = await traffic.audit(stream);
  }
  return audits;
}

interface Outcome {
  readonly lost: readonly string[];
  readonly stretches: Readonly<Record<string, Stretch>>;
  readonly audits: Readonly<Record<string, Audit>>;
  /** Seconds. */
  readonly recovery: number;
}

/** A row of a table. Numbers are for each stream; messages count since the first row. */
function row(
  name: string,
  nodes: readonly string[],
  { lost, stretches, audits, recovery }: Outcome,
): string {
  const each = <Of>(all: Readonly<Record<string, Of>>, pick: (of: Of) => number) =>
    Object.values(all).map(pick).join(" / ");
  return [
    `| ${name}`,
    nodes.join(" "),
    `stopped ${lost.join(" ") || "none"}`,
    `acknowledged ${each(audits, ({ acknowledged }) => acknowledged)}`,
    `stored ${each(audits, ({ stored }) => stored)}`,
    `lost ${each(audits, ({ missing }) => missing.length)}`,
    `longest gap ${each(stretches, ({ longestGap }) => longestGap)} ms`,
    `well after ${recovery.toFixed(1)} s |`,
  ].join(" | ");
}
