import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { whyNotReady } from "../../lib/observed/readiness.ts";
import { placementRequest, planSeating } from "../../lib/placement/placement.ts";
import { metaSeating, survives } from "../../lib/placement/survivability.ts";
import { type ClusterPlan, type NodePlan, nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { askNodes } from "../../live/monitoring/monitoring.ts";
import { askWhyNotCurrent } from "../../live/monitoring/observe-cluster.ts";
import { eventually } from "./eventually.ts";
import type { Fault } from "./faults.ts";
import { NatsClient } from "./nats-client.ts";
import type { TestStack } from "./stack.ts";
import type { Audit, Stretch, Traffic } from "./traffic.ts";

/**
 * Milliseconds that a group of replicas may be without a leader while it has a majority: an election begins 4,000 to
 * 9,000 after the last sign of the old one (nats-server 2.15, raft.go).
 */
const ELECTION = 10_000;
/** Milliseconds within which a meta leader without a majority steps down: `lostQuorumInterval`, and its next look. */
const STEP_DOWN = 20_000;
/** Milliseconds within which all has to be well again, if nothing else is known. */
const RECOVERY = 60_000;
/** Milliseconds until acknowledgements of before have arrived. */
const SETTLING = 1_000;
/** Milliseconds that a stream is watched for, to tell whether it is written to. */
const WATCH = 2_000;

/** A stack that things happen to, under traffic. */
export interface Stage {
  readonly stack: TestStack;
  /** Of the settings that it has. */
  readonly plan: ClusterPlan;
  /** To every stream of the plan. */
  readonly traffic: Traffic;
}

/** Something that happens, and is over again. */
export interface Ordeal {
  readonly name: string;
  readonly fault: Fault;
  /** The names of the nodes that it happens to. */
  readonly nodes: (stage: Stage) => readonly string[] | Promise<readonly string[]>;
  /** Milliseconds. Default: until it has shown which streams go on. */
  readonly lasts?: number;
  /** Milliseconds within which all has to be well again. Default: {@link RECOVERY}. */
  readonly recovers?: number;
  /** To be done while it lasts, once that has shown. */
  readonly meanwhile?: (stage: Stage, nodes: readonly NodePlan[]) => Promise<void>;
}

/** Plans what a stack's settings ask for. */
export function planOfStack(stack: TestStack, settings: object): ClusterPlan {
  return planCluster(parseSettings(settings, { project: "nats-regions", stack: stack.name }));
}

/**
 * Lets something happen under traffic, and writes down how it went. Those streams stop, and only those, of which the
 * plan says that they lose their majority; whatever was acknowledged is there afterwards, the same on every replica.
 */
export async function endure(stage: Stage, ordeal: Ordeal): Promise<void> {
  const { plan, traffic } = stage;
  const names = await ordeal.nodes(stage);
  const nodes = nodesOf(plan).filter(({ name }) => names.includes(name));
  expect(nodes.map(({ name }) => name).sort()).toEqual([...names].sort());
  const lost = lostWith(plan, names);
  const lasts = ordeal.lasts ?? Number.POSITIVE_INFINITY;
  // What is over before an election would be shows nothing but that nothing is lost.
  const shows = lasts > SETTLING + ELECTION + WATCH;

  let recovery = Number.NaN;
  const stretches = await traffic.during(async () => {
    await goesOn(traffic, Object.keys(traffic.acknowledged), ELECTION);
    const began = performance.now();
    try {
      await ordeal.fault.inject(nodes, plan);
      if (shows) await expectStopped(traffic, lost);
      await ordeal.meanwhile?.(stage, nodes);
      if (shows) await expectMetaLeader(plan, names);
      if (ordeal.lasts) await sleep(Math.max(0, ordeal.lasts - (performance.now() - began)));
    } finally {
      await ordeal.fault.restore(nodes, plan);
    }
    recovery = await secondsUntilWell(stage, ordeal.recovers ?? RECOVERY);
  });
  const audits = await auditAll(traffic);

  console.info(row(ordeal.name, names, { lost, stretches, audits, recovery }));
  for (const [stream, audit] of Object.entries(audits)) {
    const { missing, givenTwice, storedTwice, versions } = audit;
    expect({ missing, givenTwice, storedTwice, versions }, stream).toEqual(NOTHING_LOST);
  }
  for (const [stream, { longestGap }] of Object.entries(stretches)) {
    if (!lost.includes(stream)) expect(longestGap, `gap of ${stream}`).toBeLessThan(ELECTION);
  }
}

const NOTHING_LOST: Partial<Audit> = { missing: [], givenTwice: [], storedTwice: 0, versions: 1 };

/** The streams that lose their majority with those nodes, as planned. */
function lostWith({ streams, fleet }: ClusterPlan, nodes: readonly string[]): string[] {
  return streams
    .filter(({ config }) => !survives(planSeating(placementRequest(config), fleet), nodes))
    .map(({ name }) => name);
}

/** Sees the lost streams stop and the others go on. */
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

/** Sees the API answer where a majority of all servers is left, and not where there is none. */
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

/** Sees nodes that reach none of the others take no writes, but to streams that have their majority there. */
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

/** Waits until each of the streams has acknowledged something from now on. */
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

/** Waits until every node, stream and consumer is well. */
export async function expectWell(
  { plan }: Pick<Stage, "plan">,
  limit: number = RECOVERY,
): Promise<void> {
  const monitors = nodesOf(plan).map(({ name, monitoringUrl: url }) => ({ name, url }));
  await eventually(async () => {
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

/** A row of a table; numbers are of each stream, and messages are all since the first row. */
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
