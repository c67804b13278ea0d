import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import { type Fleet, planPlacement } from "../lib/placement.ts";
import type { StreamConfig } from "../lib/stream-config.ts";
import {
  adoptObserved,
  completeConfig,
  describeChange,
  diffConfig,
  type FieldChange,
  mergeTagOrder,
  restatePlacement,
} from "../lib/stream-diff.ts";
import { validateConfig } from "../lib/stream-rules.ts";
import {
  ClusterUnreachable,
  type Connection,
  ERROR_CODES,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  openJetStream,
  type Replica,
  type StreamInfo,
  StreamNotFound,
} from "./jetstream.ts";

interface StreamIdentity {
  readonly stream: string;
  readonly account: string;
  /** Secret: goes out under the same key as it came in, for the engine to mark it again. */
  readonly connection: Connection;
}

/** What the program passes. */
export interface ProgramInputs extends StreamIdentity {
  readonly config: StreamConfig;
  readonly fleet: Fleet;
}

/** What `check` makes of it, and the state keeps. */
export interface StreamInputs extends StreamIdentity {
  readonly config: StreamConfig;
  /** Hosts of the replicas; more than there are replicas where the server chooses among them. */
  readonly hosts: readonly string[];
}

export interface StreamOutputs extends StreamInputs {
  readonly leader: string;
  /** The hosts that hold a replica, the leader's among them, sorted. */
  readonly replicas: readonly string[];
  /** RFC 3339. */
  readonly created: string;
}

/** The methods of a Pulumi dynamic provider, typed; see `ResourceProvider` in @pulumi/pulumi/dynamic. */
export interface StreamLifecycle {
  check(olds: Partial<StreamInputs>, news: ProgramInputs): Promise<CheckResult>;
  diff(id: string, olds: StreamOutputs, news: StreamInputs): Promise<DiffResult>;
  create(inputs: StreamInputs): Promise<{ readonly id: string; readonly outs: StreamOutputs }>;
  read(id: string, props: StreamOutputs): Promise<ReadResult>;
  update(id: string, olds: StreamOutputs, news: StreamInputs): Promise<UpdateResult>;
  delete(id: string, props: StreamOutputs): Promise<void>;
}

export interface LifecycleOptions {
  /** Milliseconds without any progress after which a stream is given up on. Default: 60,000. */
  readonly patience?: number;
  /** Milliseconds between two looks at a stream. Default: 100. */
  readonly pause?: number;
}

/** How long a refresh waits for a cluster that doesn't answer: an election may take that long. */
const SILENCE_MS = 10_000;

/** Runs in the dynamic provider's process; components/stream.ts loads it by this name. */
export const streamProvider: StreamLifecycle = streamLifecycle(openJetStream);

/** The lifecycle of a stream over any JetStream. */
export function streamLifecycle(
  open: (connection: Connection, account: string) => JetStreamPort,
  { patience = 60_000, pause = 100 }: LifecycleOptions = {},
): StreamLifecycle {
  const pace = { patience, pause };
  const briefly = { patience: Math.min(patience, SILENCE_MS), pause };
  const portOf = ({ connection, account }: StreamIdentity) => open(connection, account);
  return {
    check: async (olds, news) => checkInputs(olds, news),
    diff: async (_id, olds, news) => diffInputs(olds, news),

    async create(inputs) {
      const port = portOf(inputs);
      await createOrTakeUp(port, inputs, pace);
      return { id: inputs.stream, outs: await convergeSent(port, inputs, pace) };
    },

    async read(_id, props) {
      try {
        const info = await insist(() => portOf(props).info(props.stream), briefly);
        return { id: props.stream, ...describeObserved(props, info) };
      } catch (error) {
        if (error instanceof StreamNotFound) return { id: "" };
        if (!isSilence(error)) throw error;
        // A refresh must get past a silent cluster, or no `up --refresh` could ever start its nodes.
        console.error(`stream ${props.stream} is taken to be as it was: ${error.message}`);
        return { id: props.stream, props, inputs: inputsOf(props) };
      }
    },

    async update(_id, _olds, news) {
      return { outs: await converge(portOf(news), news, pace) };
    },

    async delete(_id, props) {
      try {
        await insist(() => portOf(props).delete(props.stream), pace);
      } catch (error) {
        if (error instanceof StreamNotFound) return;
        if (!(error instanceof ClusterUnreachable)) throw error;
        throw new Error(
          `stream ${props.stream} can't be deleted: ${error.message}; if the cluster is gone for good, let Pulumi forget the stream with "pulumi state delete"`,
          { cause: error },
        );
      }
    },
  };
}

/** How Pulumi writes a value that is not known yet (`unknownValue` in its runtime/rpc.ts). */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function hasUnknown(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === UNKNOWN;
  return Object.values(value).some(hasUnknown);
}

/**
 * Plans where the stream goes and refuses what the server would, and what would lose messages. Failures
 * name no property: the engine would print its value.
 */
function checkInputs(olds: Partial<StreamInputs>, news: ProgramInputs): CheckResult {
  const { fleet, ...inputs } = news;
  if (hasUnknown([news.stream, news.account, news.config, fleet])) {
    return { inputs: { ...inputs, hosts: UNKNOWN } };
  }
  const placement = planPlacement(placementRequest(news.config), fleet);
  const reasons = [
    ...validateConfig(news.config).map(
      ({ path, message, fix }) => `${path}: ${message}${fix ? `; ${fix}` : ""}`,
    ),
    ...refusedIdentity(olds, news),
    ...(olds.config ? refusedChanges(olds.config, news.config) : refusedAtBirth(news.config)),
  ];
  if (placement.kind === "impossible") {
    const nearest = placement.nearest.map(({ name, lacks }) => `${name} (${lacks})`).join(", ");
    reasons.push(
      `placement: ${placement.summary}${nearest ? `; nearest: ${nearest}` : ""}; nats-server would say "${placement.serverError}"`,
    );
    return { inputs, failures: reasons.map(toFailure) };
  }
  const hosts = placement.kind === "exact" ? placement.hosts : placement.candidates;
  return { inputs: { ...inputs, hosts }, failures: reasons.map(toFailure) };
}

function toFailure(reason: string) {
  return { property: "", reason };
}

function placementRequest({ num_replicas: replicas = 1, placement }: StreamConfig) {
  const { tags = [], cluster } = placement ?? {};
  return { replicas, tags, ...(cluster ? { cluster } : {}) };
}

function refusedIdentity(olds: Partial<StreamInputs>, news: ProgramInputs): string[] {
  return (["stream", "account"] as const)
    .filter((key) => olds[key] !== undefined && olds[key] !== news[key])
    .map(
      (key) =>
        `${key}: "${olds[key]}" can't become "${news[key]}" without losing the messages; add a new stream that sources the old one, then remove the old one`,
    );
}

function refusedChanges(from: StreamConfig, to: StreamConfig): string[] {
  return diffConfig(from, to).filter(isRefused).map(explainRefusal);
}

function refusedAtBirth({ sealed }: StreamConfig): string[] {
  return sealed ? ["sealed: a new stream can't be sealed, it would stay empty; seal it later"] : [];
}

function isRefused({ effect }: FieldChange): boolean {
  return effect === "refused";
}

function explainRefusal(change: FieldChange): string {
  return `${describeChange(change)}: ${change.reason}; put it back, or add a new stream that sources this one`;
}

/** Looks at the inputs alone: neither the provider's own text nor the order of tags is a change. */
function diffInputs(olds: StreamOutputs, news: StreamInputs): DiffResult {
  if (hasUnknown(news)) return { changes: true };
  const replaces = (["stream", "account"] as const).filter((key) => olds[key] !== news[key]);
  const changes =
    replaces.length > 0 ||
    diffConfig(olds.config, news.config).length > 0 ||
    !isSameSet(olds.hosts, news.hosts) ||
    !isSameConnection(olds.connection, news.connection);
  return { changes, replaces };
}

function isSameConnection(a: Connection, b: Connection): boolean {
  return a.user === b.user && a.password === b.password && isSameSet(a.urls, b.urls);
}

interface Pace {
  readonly patience: number;
  readonly pause: number;
}

async function createOrTakeUp(
  port: JetStreamPort,
  inputs: StreamInputs,
  pace: Pace,
): Promise<void> {
  const { config, stream, account } = inputs;
  try {
    await insist(() => port.create(completeConfig(config)), pace);
  } catch (error) {
    if (!(error instanceof JetStreamError) || error.code !== ERROR_CODES.nameInUse) throw error;
    const changes = diffConfig((await port.info(stream)).config, config);
    if (changes.length === 0) return;
    throw new Error(
      `stream ${stream} exists in account ${account} already, and differs (${changes.map(describeChange).join(", ")}); give the settings its values to take it up, or give the stream another name`,
      { cause: error },
    );
  }
}

/** The request went out, but the stream is not yet what was asked for. Pulumi keeps it in its state. */
class StreamNotReady extends Error {
  override readonly name = "StreamNotReady";
  readonly id: string;
  readonly properties: StreamOutputs;
  readonly reasons: readonly string[];

  constructor(inputs: StreamInputs, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(reason, { cause });
    this.id = inputs.stream;
    this.properties = { ...inputs, leader: "", replicas: [], created: "" };
    this.reasons = [reason];
  }
}

async function convergeSent(
  port: JetStreamPort,
  inputs: StreamInputs,
  pace: Pace,
): Promise<StreamOutputs> {
  try {
    return await converge(port, inputs, pace);
  } catch (error) {
    throw error instanceof StreamNotReady ? error : new StreamNotReady(inputs, error);
  }
}

/** Settled is what two looks in a row agree on: right after an update a stream may show its past. */
const LOOKS = 2;

/** So often must a stream be seen calm in the wrong place, after an update, to be taken for misplaced. */
const LOOKS_WHEN_MISPLACED = 20;

/**
 * Brings a stream to its config and its hosts, one update after the other, each only when the one before
 * is through: also one that an interrupted run left behind.
 */
async function converge(
  port: JetStreamPort,
  inputs: StreamInputs,
  pace: Pace,
): Promise<StreamOutputs> {
  const patience = new Patience(pace);
  const sent: Step[] = [];
  let calm = 0;
  let settled = 0;
  try {
    for (;;) {
      const info = await look(port, inputs, patience);
      calm = info && isCalm(info) ? calm + 1 : 0;
      settled = info && isSettled(info) ? settled + 1 : 0;
      const step = info && calm >= LOOKS ? nextStep(info, inputs) : undefined;
      const relocates = step?.changes.length === 0;
      if (step && (!relocates || sent.length === 0 || calm >= LOOKS_WHEN_MISPLACED)) {
        refuseFutility(step, sent, inputs);
        await insist(() => port.update(step.config), pace);
        sent.push(step);
        patience.renew();
        calm = 0;
        settled = 0;
      } else if (info && !step && settled >= LOOKS) {
        return { ...inputs, ...describeReplicas(info) };
      } else {
        await patience.wait(() => notSettled(inputs, info, pace));
      }
    }
  } catch (error) {
    throw sent.length > 0 ? new StreamNotReady(inputs, error) : error;
  }
}

async function look(
  port: JetStreamPort,
  { stream, account }: StreamInputs,
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

/** The next update that a calm stream needs; none if it is what it should be. */
function nextStep(info: StreamInfo, inputs: StreamInputs): Step | undefined {
  const { config: observed } = info;
  const changes = diffConfig(observed, inputs.config);
  const refused = changes.filter(isRefused);
  if (refused.length > 0) throw new Error(refused.map(explainRefusal).join("; "));
  const config = mergeTagOrder(completeConfig(inputs.config), observed);
  if (changes.length > 0) {
    refuseSilentLoss(info, changes);
    return { config: oneAtATime(config, observed, changes), changes };
  }
  return isPlaced(info, inputs)
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

function refuseSilentLoss({ state }: StreamInfo, changes: readonly FieldChange[]): void {
  const change = changes.find(({ path, to }) => path === "retention" && to === "interest");
  if (!change || state.consumer_count > 0 || state.messages === 0) return;
  throw new Error(
    `${describeChange(change)}: ${state.messages} messages would be deleted, since no consumer waits for them; create the consumers first`,
  );
}

/** A second update of the same kind would fare no better than the first. */
function refuseFutility(step: Step, sent: readonly Step[], { stream, hosts }: StreamInputs): void {
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
function isPlaced(info: StreamInfo, { hosts, config }: StreamInputs): boolean {
  const actual = hostsOf(info);
  return actual.length === replicaCount(config) && actual.every((host) => hosts.includes(host));
}

function replicaCount({ num_replicas: replicas = 1 }: StreamConfig): number {
  return replicas;
}

/** The hosts that hold a replica, sorted; those being added don't yet. */
function hostsOf({ cluster }: StreamInfo): string[] {
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

function describeReplicas(info: StreamInfo) {
  return { leader: info.cluster?.leader ?? "", replicas: hostsOf(info), created: info.created };
}

/** The state as it is, written as before wherever it means the same, for `refresh` to show what drifted. */
function inputsOf(props: StreamOutputs) {
  const { leader: _leader, replicas: _replicas, created: _created, ...inputs } = props;
  return inputs;
}

/** Nobody answers, or nobody who could know. */
function isSilence(error: unknown): error is Error {
  return error instanceof ClusterUnreachable || error instanceof JetStreamUnavailable;
}

function describeObserved(props: StreamOutputs, info: StreamInfo) {
  const inputs = {
    ...inputsOf(props),
    config: adoptObserved(props.config, info.config),
    hosts: isPlaced(info, props) ? props.hosts : hostsOf(info),
  };
  return { inputs, props: { ...inputs, ...describeReplicas(info) } };
}

function notSettled({ stream }: StreamInputs, info: StreamInfo | undefined, pace: Pace): Error {
  const seconds = pace.patience / 1000;
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
  readonly #pace: Pace;
  #since = Date.now();
  #progress = "";
  #lag = Number.POSITIVE_INFINITY;

  constructor(pace: Pace) {
    this.#pace = pace;
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

  async wait(lament: () => Error): Promise<void> {
    if (Date.now() - this.#since > this.#pace.patience) throw lament();
    await sleep(this.#pace.pause);
  }
}

/** Repeats a request that may be repeated, as long as JetStream can't or won't answer yet. */
async function insist<Result>(request: () => Promise<Result>, pace: Pace): Promise<Result> {
  for (const start = Date.now(); ; ) {
    try {
      return await request();
    } catch (error) {
      if (!isTransient(error) || Date.now() - start > pace.patience) throw error;
      await sleep(pace.pause);
    }
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof JetStreamUnavailable) return true;
  const { moveInProgress, reconfigurationInProgress } = ERROR_CODES;
  return (
    error instanceof JetStreamError &&
    (error.code === moveInProgress || error.code === reconfigurationInProgress)
  );
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return isSameText([...new Set(a)].sort(), [...new Set(b)].sort());
}

function dropAbsent<Value extends object>(value: Value): Partial<Value> {
  return Object.fromEntries(
    Object.entries(value).filter(([, field]) => field !== undefined),
  ) as Partial<Value>;
}
