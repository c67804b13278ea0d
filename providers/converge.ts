import type { StreamConfig } from "../lib/stream-config.ts";
import {
  completeConfig,
  describeChange,
  describeRefusals,
  diffConfig,
  type FieldChange,
  mergeTagOrder,
  restatePlacement,
} from "../lib/stream-diff.ts";
import { describeLosses } from "../lib/stream-loss.ts";
import type { StreamPolicy } from "../lib/stream-policy.ts";
import {
  ERROR_CODES,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  type Replica,
  type StreamInfo,
  StreamNotFound,
} from "./jetstream.ts";

/** What a stream is to become. */
export interface Goal {
  readonly stream: string;
  readonly account: string;
  readonly config: StreamConfig;
  readonly policy: StreamPolicy;
  /** Hosts of the replicas; more than there are replicas where the server chooses among them. */
  readonly hosts: readonly string[];
}

export interface Pace {
  /** Milliseconds without any progress after which a stream is given up on. */
  readonly patience: number;
  /** Milliseconds to wait for a cluster that doesn't answer a request. */
  readonly silence: number;
  /** Milliseconds between two looks at a stream. */
  readonly pause: number;
}

/** An update went out, but the stream is not yet what it was to become; `cause` says why. */
export class HalfDone extends Error {
  override readonly name = "HalfDone";

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Settled is what two looks in a row agree on: right after an update a stream may show its past. */
const LOOKS = 2;

/** So often must a stream be seen calm in the wrong place to be taken for misplaced: moving it costs. */
const LOOKS_WHEN_MISPLACED = 20;

/**
 * Brings a stream to its config and its hosts, one update after the other, each only when the one before
 * is through: also one that an interrupted run left behind.
 */
export async function converge(port: JetStreamPort, goal: Goal, pace: Pace): Promise<StreamInfo> {
  const patience = new Patience(pace.pause);
  const sent: Step[] = [];
  let calm = 0;
  let settled = 0;
  try {
    for (;;) {
      const info = await look(port, goal, patience);
      calm = info && isCalm(info) ? calm + 1 : 0;
      settled = info && isSettled(info) ? settled + 1 : 0;
      const step = info && calm >= LOOKS ? nextStep(info, goal) : undefined;
      const relocates = step?.changes.length === 0;
      if (step && (!relocates || calm >= LOOKS_WHEN_MISPLACED)) {
        refuseFutility(step, sent, goal);
        await insist(() => port.update(step.config), pace);
        sent.push(step);
        patience.renew();
        calm = 0;
        settled = 0;
      } else if (info && !step && settled >= LOOKS) {
        return info;
      } else {
        // Before anything is sent, a stream that has no leader is one that its cluster has no majority for.
        const isHeadless = sent.length === 0 && !info?.cluster?.leader;
        const limit = isHeadless ? Math.min(pace.silence, pace.patience) : pace.patience;
        await patience.wait(limit, () => notSettled(goal, info, limit));
      }
    }
  } catch (error) {
    throw sent.length > 0 ? new HalfDone(error) : error;
  }
}

async function look(
  port: JetStreamPort,
  { stream, account }: Goal,
  patience: Patience,
): Promise<StreamInfo | undefined> {
  try {
    const info = await port.info(stream);
    patience.note(progressOf(info), totalLag(info));
    return info;
  } catch (error) {
    if (error instanceof JetStreamUnavailable) return undefined;
    if (!(error instanceof StreamNotFound)) throw error;
    throw new Error(
      `stream ${stream} is gone from account ${account}, with its messages; run "pulumi refresh" to take note of that, then "pulumi up" to create it anew, empty`,
      { cause: error },
    );
  }
}

/** One update on the way. */
interface Step {
  readonly config: StreamConfig;
  readonly changes: readonly FieldChange[];
}

/** What people can do about a change that the server refuses. */
export const WAYS_OUT =
  "put it back, or have the stream made anew: recreate: viaBackup keeps its messages, allowDataLoss: true lets them go";

/** The next update that a calm stream needs; none if it is what it should be. */
function nextStep(info: StreamInfo, goal: Goal): Step | undefined {
  const { config: observed } = info;
  const changes = diffConfig(observed, goal.config);
  const refusals = describeRefusals(changes);
  if (refusals.length > 0) throw new Error(`${refusals.join("; ")}; ${WAYS_OUT}`);
  const config = mergeTagOrder(completeConfig(goal.config), observed);
  if (changes.length > 0) {
    refuseSilentLoss(info, changes, goal);
    return { config: oneAtATime(config, observed, changes), changes };
  }
  return isPlaced(info, goal)
    ? undefined
    : { config: { ...config, placement: restatePlacement(observed.placement) }, changes };
}

/**
 * The server takes a move or a scale in one update, not both (error 10123). The move is made at the smaller
 * number of replicas: if the goal can be placed so can this, and the least data is copied.
 */
function oneAtATime(
  desired: StreamConfig,
  observed: StreamConfig,
  changes: readonly FieldChange[],
): StreamConfig {
  const moves = changes.some(({ effect }) => effect === "moves");
  const scales = changes.some(({ effect, path }) => effect === "scales" || path === "retention");
  if (!moves || !scales) return desired;
  const { num_replicas, retention, placement, ...rest } = observed;
  const grows = (desired.num_replicas ?? 1) > (num_replicas ?? 1);
  const held = grows ? { num_replicas, retention } : { placement };
  return { ...desired, ...dropAbsent(held), name: rest.name };
}

/** A preview said the same, unless messages have come in since. */
function refuseSilentLoss(
  { state }: StreamInfo,
  changes: readonly FieldChange[],
  { policy }: Goal,
): void {
  const losses = policy.allowDataLoss ? [] : describeLosses(changes, state, Date.now());
  if (losses.length === 0) return;
  throw new Error(`${losses.join("; ")}; put it back, or set allowDataLoss: true for the stream`);
}

/** A second update of the same kind would fare no better than the first. */
function refuseFutility(step: Step, sent: readonly Step[], { stream, hosts }: Goal): void {
  if (step.changes.length > 0) {
    if (!sent.some(({ changes }) => isSameText(changes, step.changes))) return;
    const kept = step.changes.map(describeChange).join(", ");
    throw new Error(`stream ${stream}: the server accepts ${kept} but does not keep it`);
  }
  const placedAnew = ({ changes }: Step) =>
    changes.length === 0 || changes.some(({ effect }) => effect === "moves");
  if (!sent.some(placedAnew)) return;
  throw new Error(
    `stream ${stream} was placed anew, but not on ${hosts.join(", ")}: the servers' tags differ from those in the plan, or one of them is down`,
  );
}

function isSameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** No change is under way; replicas may still be catching up. */
function isCalm({ cluster }: StreamInfo): boolean {
  return cluster?.desired === undefined && Boolean(cluster?.leader);
}

function isSettled(info: StreamInfo): boolean {
  return (
    isCalm(info) && lagging(info).length === 0 && hostsOf(info).length === replicaCount(info.config)
  );
}

/** On the planned hosts, all of them or, where the server chooses, on some of them. */
export function isPlaced(info: StreamInfo, { hosts, config }: Goal): boolean {
  const actual = hostsOf(info);
  return actual.length === replicaCount(config) && actual.every((host) => hosts.includes(host));
}

function replicaCount({ num_replicas: replicas = 1 }: StreamConfig): number {
  return replicas;
}

/** The hosts that hold a replica, sorted; those being added don't yet. */
export function hostsOf({ cluster }: StreamInfo): string[] {
  const followers = (cluster?.replicas ?? []).filter(({ pending }) => !pending);
  return [
    ...(cluster?.leader ? [cluster.leader] : []),
    ...followers.map(({ name }) => name),
  ].sort();
}

function lagging({ cluster }: StreamInfo): Replica[] {
  return (cluster?.replicas ?? []).filter(
    ({ current, offline, pending }) => !current || offline || pending,
  );
}

function notSettled({ stream }: Goal, info: StreamInfo | undefined, patience: number): Error {
  const seconds = patience / 1000;
  return new Error(
    `stream ${stream} made no progress for ${seconds} s: ${describeDelay(info)}; it goes on by itself, run "pulumi up" again once the servers are well`,
  );
}

function describeDelay(info: StreamInfo | undefined): string {
  if (!info) return "JetStream does not answer";
  const { cluster, config } = info;
  if (!cluster?.leader) return "it has no leader";
  const missing = replicaCount(config) - hostsOf(info).length;
  const reasons = [
    ...(cluster.desired?.status ? [cluster.desired.status.description] : []),
    ...lagging(info).map(describeReplica),
    ...(missing > 0 ? [`${missing} of ${replicaCount(config)} replicas have no server`] : []),
  ];
  return reasons.join(", ") || "a change is under way";
}

function describeReplica({ name, offline, pending, lag = 0 }: Replica): string {
  if (offline) return `${name} is down`;
  if (pending) return `${name} is being added`;
  return lag > 0 ? `${name} is ${lag} operations behind` : `${name} is catching up`;
}

function progressOf({ cluster }: StreamInfo): string {
  return JSON.stringify([
    cluster?.leader,
    cluster?.desired?.status?.description,
    cluster?.replicas?.map(({ name, current, offline, pending }) => [
      name,
      current,
      offline,
      pending,
    ]),
  ]);
}

function totalLag(info: StreamInfo): number {
  return lagging(info).reduce((sum, { lag = 0 }) => sum + lag, 0);
}

/** Waits between looks, and gives up when nothing has moved for too long. */
class Patience {
  readonly #pause: number;
  #since = Date.now();
  #progress = "";
  #lag = Number.POSITIVE_INFINITY;

  constructor(pause: number) {
    this.#pause = pause;
  }

  renew(): void {
    this.#since = Date.now();
    this.#lag = Number.POSITIVE_INFINITY;
  }

  /** Less lag than ever counts as progress, and so does any other news. */
  note(progress: string, lag: number): void {
    if (progress !== this.#progress || lag < this.#lag) this.#since = Date.now();
    this.#progress = progress;
    this.#lag = Math.min(lag, this.#lag);
  }

  async wait(limit: number, lament: () => Error): Promise<void> {
    if (Date.now() - this.#since > limit) throw lament();
    await sleep(this.#pause);
  }
}

/** Repeats a request that may be repeated, as long as JetStream can't or won't answer yet. */
export async function insist<Result>(request: () => Promise<Result>, pace: Pace): Promise<Result> {
  for (const start = Date.now(); ; ) {
    try {
      return await request();
    } catch (error) {
      if (Date.now() - start > patienceWith(error, pace)) throw error;
      await sleep(pace.pause);
    }
  }
}

/** A cluster without a majority is told of in seconds; a move that is under way may take its time. */
function patienceWith(error: unknown, { silence, patience }: Pace): number {
  const code = error instanceof JetStreamError ? error.code : undefined;
  const { moveInProgress, reconfigurationInProgress, createFailed } = ERROR_CODES;
  if (code === moveInProgress || code === reconfigurationInProgress) return patience;
  const passes = error instanceof JetStreamUnavailable || code === createFailed;
  return passes ? Math.min(silence, patience) : -1;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Leaves out what is undefined. */
export function dropAbsent<Value extends object>(value: Value): Partial<Value> {
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Partial<Value>;
}
