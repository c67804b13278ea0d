import type { FieldChange } from "../../lib/base/field-table.ts";
import { findMisplacement, type Place } from "../../lib/placement/in-place.ts";
import {
  completeConfig,
  describeChange,
  describeRefusals,
  diffConfig,
  mergeTagOrder,
  restatePlacement,
} from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import {
  type Contents,
  dependsOnConsumers,
  dependsOnSubjects,
  describeLosses,
} from "../../lib/streams/stream-loss.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import {
  ERROR_CODES,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  type StreamInfo,
  StreamNotFound,
} from "../../live/jetstream/jetstream.ts";
import { type Pace, Patience, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import { askToHandOver, handOver, hasWrongLeader, leaderCandidates } from "./leadership.ts";
import { Progress, type Reporting } from "./progress.ts";
import {
  configBefore,
  describeDelay,
  hasExtraMembers,
  hostsOf,
  isCalm,
  isSettled,
  replicaCount,
  totalLag,
  waitsToRemove,
} from "./replicas.ts";

/** The desired state of a stream. */
export interface Goal {
  readonly stream: string;
  readonly account: string;
  readonly config: StreamConfig;
  readonly policy: StreamPolicy;
  /** Hosts of the replicas; more hosts than replicas if the server chooses among them. */
  readonly hosts: readonly string[];
  /** See {@link Place}; absent if any two hosts may hold replicas together. */
  readonly apart?: NonNullable<Place["apart"]>;
}

/** A change failed after some of it was sent; `cause` says why. */
export class HalfDone extends Error {
  override readonly name = "HalfDone";

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Consecutive looks that have to agree: right after an update a server may still report the state before it. */
const LOOKS = 2;

/** Consecutive looks at wrong hosts before a stream counts as misplaced; a move copies all its data. */
const LOOKS_WHEN_MISPLACED = 20;

/** Consecutive looks at a change that waits for a quorum before the leader is asked to step down. */
const LOOKS_WHEN_WAITING = 20;

/** Attempts to hand over the leadership: another replica may win the election. */
const HANDOVERS = 5;

/**
 * Brings a stream to its config, its hosts and its leader, one update after the other. Each update waits until the
 * previous one is complete, including one that an interrupted run has sent. A change under way that is no longer
 * desired is cancelled first.
 *
 * @throws HalfDone if it failed after something was changed.
 */
export async function converge(
  port: JetStreamPort,
  goal: Goal,
  pace: Pace & Reporting,
): Promise<StreamInfo> {
  const progress = new Progress(goal.stream, pace);
  const convergence = { port, goal, pace, progress, sent: [], cancelled: false };
  try {
    return await lead(convergence, await settle(convergence));
  } catch (error) {
    throw hasBegun(convergence) ? new HalfDone(error) : error;
  }
}

/** The reconciliation of one stream. */
interface Convergence {
  readonly port: JetStreamPort;
  readonly goal: Goal;
  readonly pace: Pace;
  readonly progress: Progress;
  readonly sent: Step[];
  cancelled: boolean;
}

function hasBegun({ sent, cancelled }: Convergence): boolean {
  return sent.length > 0 || cancelled;
}

/** Observes a stream and takes the next step, until it has its desired state. */
async function settle(convergence: Convergence): Promise<StreamInfo> {
  const { goal, pace } = convergence;
  const patience = new Patience();
  const caughtUp = new Set<string>();
  let calm = 0;
  let settled = 0;
  let waiting = 0;
  return await until<StreamInfo, StreamInfo | undefined>(
    async () => {
      const info = await look(convergence, patience);
      calm = info && isCalm(info) ? calm + 1 : 0;
      if (calm <= 1) caughtUp.clear();
      for (const { name, current } of info?.cluster?.replicas ?? []) {
        if (current) caughtUp.add(name);
      }
      settled = info && isSettled(info, caughtUp) ? settled + 1 : 0;
      waiting = info && waitsToRemove(info) ? waiting + 1 : 0;
      const step = info && calm >= LOOKS ? await nextStep(convergence, info) : undefined;
      const relocates = step?.changes.length === 0;
      if (step && (!relocates || calm >= LOOKS_WHEN_MISPLACED)) {
        await send(convergence, step);
        patience.renew();
        calm = 0;
        settled = 0;
        return { acted: true };
      }
      if (info && !convergence.cancelled && isRevoked(info, goal)) {
        await cancel(convergence, info);
        patience.renew();
        return { acted: true };
      }
      if (info && !step && settled >= LOOKS) return { done: info };
      if (info && waiting >= LOOKS_WHEN_WAITING) {
        await beginTerm(convergence, info);
        waiting = 0;
        return { acted: true };
      }
      return { shown: info };
    },
    {
      pause: pace.pause,
      limit: (info) => limitFor(convergence, info),
      lasts: (_, now) => patience.lasts(now, hasBegun(convergence)),
      giveUp: (info) => {
        throw notSettled(goal, info, limitFor(convergence, info));
      },
    },
  );
}

/** A stream that has no leader before anything is sent has lost its majority: it gets the shorter time. */
function limitFor(convergence: Convergence, info: StreamInfo | undefined): number {
  const { silence, patience } = convergence.pace;
  const isHeadless = !hasBegun(convergence) && !info?.cluster?.leader;
  return isHeadless ? Math.min(silence, patience) : patience;
}

async function look({ port, goal, progress }: Convergence, patience: Patience) {
  const { stream, account } = goal;
  try {
    const info = await port.info(stream);
    patience.record(stateOf(info), totalLag(info));
    progress.record(info);
    return info;
  } catch (error) {
    if (error instanceof JetStreamUnavailable) return undefined;
    if (!(error instanceof StreamNotFound)) throw error;
    throw new Error(
      `stream ${stream} is gone from account ${account}, with its messages; run "pulumi refresh" to take note of that, then "pulumi up" to create it again, empty`,
      { cause: error },
    );
  }
}

async function send({ port, goal, pace, sent }: Convergence, step: Step): Promise<void> {
  refuseRepetition(step, sent, goal);
  await retry(() => port.update(step.config), pace);
  sent.push(step);
}

/** Moves a settled stream's leadership to a host that its policy allows, if a replica is on one. */
async function lead(convergence: Convergence, settled: StreamInfo): Promise<StreamInfo> {
  const { port, goal, pace, progress } = convergence;
  let info = settled;
  for (let handovers = 0; hasWrongLeader(info, goal.policy); handovers++) {
    const candidates = leaderCandidates(info, goal.policy);
    const candidate = candidates[handovers % candidates.length];
    if (candidate === undefined) {
      progress.say(describeNoCandidate(info, goal));
      return info;
    }
    if (handovers === HANDOVERS) throw new Error(describeFailedHandovers(info, goal));
    await handOver(port, info, candidate, pace);
    info = await settle(convergence);
  }
  return info;
}

function describeNoCandidate(info: StreamInfo, { stream, policy }: Goal): string {
  return `stream ${stream} is led by ${info.cluster?.leader}: none of its replicas (${hostsOf(info).join(", ")}) is on ${policy.leaders?.join(" or ")}; give it a placement that has one there, or another leader`;
}

function describeFailedHandovers({ cluster }: StreamInfo, { stream, policy }: Goal): string {
  return `stream ${stream} is led by ${cluster?.leader}, not by ${policy.leaders?.join(" or ")}: ${HANDOVERS} elections went elsewhere; else it is as it should be, run "pulumi up" again`;
}

/** Whether the change under way leads away from the goal. A change that is a part of the way to it continues. */
function isRevoked({ config, cluster }: StreamInfo, goal: Goal): boolean {
  const origin = cluster?.desired?.origin;
  if (!origin) return false;
  const unwanted = new Set(diffConfig(config, goal.config).map(({ path }) => path));
  return diffConfig(configBefore(config, origin), config).some(({ path }) => unwanted.has(path));
}

/** Cancels instead of waiting: that copies less, and a server that is down can't block it. */
async function cancel(convergence: Convergence, info: StreamInfo): Promise<void> {
  const { port, goal, pace, progress } = convergence;
  progress.say(
    `taking back the change of ${goal.stream} that is under way: ${describeDelay(info)}`,
  );
  convergence.cancelled = true;
  try {
    await retry(() => port.cancelMove(goal.stream), pace);
  } catch (error) {
    const isOver = error instanceof JetStreamError && error.code === ERROR_CODES.moveNotInProgress;
    if (!isOver) throw error;
  }
}

/** Has another leader elected, because only a new leader finds out which replicas lag, see {@link waitsToRemove}. */
async function beginTerm({ port, goal, progress }: Convergence, info: StreamInfo): Promise<void> {
  const candidate = info.cluster?.replicas?.find(({ current, offline }) => current && !offline);
  if (!candidate) return;
  progress.say(`${goal.stream} gets another leader: ${describeDelay(info)}`);
  try {
    await askToHandOver(port, goal.stream, candidate.name);
  } catch (error) {
    // The change may be complete by now, or the leader busy; the next look shows which.
    if (!(error instanceof JetStreamError || error instanceof JetStreamUnavailable)) throw error;
  }
}

/** One update on the way to the goal. */
interface Step {
  readonly config: StreamConfig;
  readonly changes: readonly FieldChange[];
}

/** What users can do about a change that the server refuses. */
export const WAYS_OUT =
  "put it back, or have the stream recreated: recreate: viaBackup keeps its messages, allowDataLoss: true lets them go";

/** The next update that a calm stream needs; undefined if it has its desired state. */
async function nextStep(convergence: Convergence, info: StreamInfo): Promise<Step | undefined> {
  const { goal } = convergence;
  const { config: observed } = info;
  const changes = diffConfig(observed, goal.config);
  const refusals = describeRefusals(changes);
  if (refusals.length > 0) throw new Error(`${refusals.join("; ")}; ${WAYS_OUT}`);
  const config = mergeTagOrder(completeConfig(goal.config), observed);
  if (changes.length > 0) {
    await refuseSilentLoss(convergence, info, changes);
    return { config: oneAtATime(config, observed, changes), changes };
  }
  return isPlaced(info, goal)
    ? undefined
    : { config: { ...config, placement: restatePlacement(observed.placement) }, changes };
}

/**
 * The server accepts a move or a scale in one update, but not both (error 10123). The move is made with the smaller
 * number of replicas: if the goal can be placed, so can this, and it copies the least data.
 */
function oneAtATime(
  desired: StreamConfig,
  observed: StreamConfig,
  changes: readonly FieldChange[],
): StreamConfig {
  const moves = changes.some(({ effect }) => effect === "moves");
  const scales = changes.some(({ effect, path }) => effect === "scales" || path === "retention");
  if (!moves || !scales) return desired;
  const { num_replicas, retention, placement } = observed;
  const grows = (desired.num_replicas ?? 1) > (num_replicas ?? 1);
  if (grows) return { ...desired, ...dropAbsent({ num_replicas, retention }) };
  // A stream without a placement mustn't get one in between: an update removes what it leaves out.
  const { placement: _, ...unplaced } = desired;
  return { ...unplaced, ...dropAbsent({ placement }) };
}

/** Refuses updates that would delete messages. `check` did the same; this covers messages that came in since. */
async function refuseSilentLoss(
  { port, goal, pace }: Convergence,
  info: StreamInfo,
  changes: readonly FieldChange[],
): Promise<void> {
  if (goal.policy.allowDataLoss) return;
  const contents = await retry(() => withDetails(port, info, changes), pace);
  const losses = describeLosses(changes, goal.config, contents, Date.now());
  if (losses.length === 0) return;
  throw new Error(`${losses.join("; ")}; put it back, or set allowDataLoss: true for the stream`);
}

/** Adds a stream's consumers and subjects to its info if the losses of the changes depend on them. */
export async function withDetails(
  port: JetStreamPort,
  info: StreamInfo,
  changes: readonly FieldChange[],
): Promise<StreamInfo & Contents> {
  const { name } = info.config;
  const [consumers, subjects] = await Promise.all([
    dependsOnConsumers(changes, info.state) ? port.consumers(name) : undefined,
    dependsOnSubjects(changes, info.state) ? port.subjects(name) : undefined,
  ]);
  return { ...info, ...(consumers ? { consumers } : {}), ...(subjects ? { subjects } : {}) };
}

/** Refuses to repeat an update that had no effect. */
function refuseRepetition(step: Step, sent: readonly Step[], { stream, hosts }: Goal): void {
  if (step.changes.length > 0) {
    if (!sent.some(({ changes }) => isSameText(changes, step.changes))) return;
    const kept = step.changes.map(describeChange).join(", ");
    throw new Error(`stream ${stream}: the server accepts ${kept} but does not keep it`);
  }
  const placedAnew = ({ changes }: Step) =>
    changes.length === 0 || changes.some(({ effect }) => effect === "moves");
  if (!sent.some(placedAnew)) return;
  throw new Error(
    `stream ${stream} was placed again, but not on ${hosts.join(", ")}: the servers' tags differ from those in the plan, or one of them is down`,
  );
}

function isSameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether the replicas are on the planned hosts: on all of them, or on allowed ones if the server chooses. */
export function isPlaced(info: StreamInfo, goal: Goal): boolean {
  const actual = hostsOf(info);
  return (
    actual.length === replicaCount(goal.config) && findMisplacement(actual, goal) === undefined
  );
}

function notSettled({ stream }: Goal, info: StreamInfo | undefined, patience: number): Error {
  const wayBack = info ? describeWayBack(info) : "";
  return new Error(
    `stream ${stream} made no progress for ${patience / 1000} s: ${describeDelay(info)}; it goes on by itself, run "pulumi up" again once the servers are well${wayBack}`,
  );
}

function describeWayBack(info: StreamInfo): string {
  const { desired } = info.cluster ?? {};
  if (desired?.origin) return ", or put its old settings back to have the change cancelled";
  return desired === undefined && hasExtraMembers(info)
    ? "; servers before 2.15 can't take a move back: with its old settings it moves back once it is through"
    : "";
}

function stateOf({ cluster }: StreamInfo): string {
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

/** Removes undefined fields. */
export function dropAbsent<Value extends object>(value: Value): Partial<Value> {
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Partial<Value>;
}
