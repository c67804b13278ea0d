import { isDeepStrictEqual } from "node:util";
import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import { type Fleet, placementRequest, plannedHosts, planPlacement } from "../lib/placement.ts";
import type { StreamConfig } from "../lib/stream-config.ts";
import {
  adoptObserved,
  completeConfig,
  describeChange,
  describeRefusals,
  diffConfig,
} from "../lib/stream-diff.ts";
import type { StreamPolicy } from "../lib/stream-policy.ts";
import { validateConfig } from "../lib/stream-rules.ts";
import { converge, type Goal, HalfDone, isPlaced } from "./converge.ts";
import {
  AccessDenied,
  ClusterUnreachable,
  type Connection,
  ERROR_CODES,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  openJetStream,
  type StreamInfo,
  StreamNotFound,
} from "./jetstream.ts";
import { heirsOf, isMisled } from "./leadership.ts";
import { insist, type Pace } from "./patience.ts";
import type { Reporting } from "./progress.ts";
import { hostsOf } from "./replicas.ts";

interface StreamIdentity {
  readonly stream: string;
  readonly account: string;
  /** Secret: goes out under the same key as it came in, for the engine to mark it again. */
  readonly connection: Connection;
}

/** What the program passes. */
export interface ProgramInputs extends StreamIdentity {
  readonly config: StreamConfig;
  readonly policy: StreamPolicy;
  readonly fleet: Fleet;
}

/** What `check` makes of it, and the state keeps. */
export interface StreamInputs extends StreamIdentity, Goal {}

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
  /** Milliseconds to wait for a cluster that doesn't answer. Default: 15,000; an election takes up to 9,000. */
  readonly silence?: number;
  /** Milliseconds between two looks at a stream. Default: 100. */
  readonly pause?: number;
  /** Milliseconds between two lines on what a change is waiting for. Default: 5,000. */
  readonly interval?: number;
  /** Where those lines go. Default: stderr, which the engine shows. */
  readonly say?: (line: string) => void;
}

/** Runs in the dynamic provider's process; components/stream.ts loads it by this name. */
export const streamProvider: StreamLifecycle = streamLifecycle(openJetStream);

/** The lifecycle of a stream over any JetStream. */
export function streamLifecycle(
  open: (connection: Connection, account: string) => JetStreamPort,
  {
    patience = 60_000,
    silence = 15_000,
    pause = 100,
    interval = 5_000,
    say = console.error,
  }: LifecycleOptions = {},
): StreamLifecycle {
  const pace = { patience, silence, pause, interval, say };
  const portOf = ({ connection, account }: StreamIdentity) => open(connection, account);
  return {
    check: async (olds, news) => checkInputs(olds, news),
    diff: async (_id, olds, news) => diffInputs(olds, news),

    async create(inputs) {
      const port = portOf(inputs);
      await createOrTakeUp(port, inputs, pace);
      try {
        return { id: inputs.stream, outs: await settle(port, inputs, pace) };
      } catch (error) {
        throw new StreamNotReady(inputs, error);
      }
    },

    async read(_id, props) {
      try {
        const info = await insist(() => portOf(props).info(props.stream), pace);
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
      const port = portOf(news);
      await awaitAnswer(port, news.stream, pace);
      try {
        return { outs: await settle(port, news, pace) };
      } catch (error) {
        throw error instanceof HalfDone ? new StreamNotReady(news, error) : error;
      }
    },

    async delete(_id, props) {
      const port = portOf(props);
      try {
        const { state } = await insist(() => port.info(props.stream), pace);
        refuseLoss(props.stream, state.messages);
        await insist(() => port.delete(props.stream), pace);
      } catch (error) {
        if (error instanceof StreamNotFound) return;
        if (!isSilence(error)) throw error;
        throw new Error(
          `stream ${props.stream} can't be deleted: ${error.message}; if it is gone for good, let Pulumi forget it: npx pulumi state delete`,
          { cause: error },
        );
      }
    },
  };
}

/** Emptying it by hand is the one way to say that its messages may go. */
function refuseLoss(stream: string, messages: number): void {
  if (messages === 0) return;
  throw new Error(
    `stream ${stream} holds ${messages} ${messages === 1 ? "message" : "messages"}, which would be lost; put it back into the settings, or empty it first: nats stream purge ${stream}`,
  );
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
  return {
    inputs: { ...inputs, hosts: plannedHosts(placement) },
    failures: reasons.map(toFailure),
  };
}

function toFailure(reason: string) {
  return { property: "", reason };
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
  return describeRefusals(diffConfig(from, to));
}

function refusedAtBirth({ sealed }: StreamConfig): string[] {
  return sealed ? ["sealed: a new stream can't be sealed, it would stay empty; seal it later"] : [];
}

/** Looks at the inputs alone: neither the provider's own text nor the order of tags is a change. */
function diffInputs(olds: StreamOutputs, news: StreamInputs): DiffResult {
  if (hasUnknown(news)) return { changes: true };
  const replaces = (["stream", "account"] as const).filter((key) => olds[key] !== news[key]);
  const changes =
    replaces.length > 0 ||
    diffConfig(olds.config, news.config).length > 0 ||
    !isSameSet(olds.hosts, news.hosts) ||
    !isDeepStrictEqual(olds.policy, news.policy) ||
    !isSameConnection(olds.connection, news.connection);
  return { changes, replaces };
}

function isSameConnection(a: Connection, b: Connection): boolean {
  return a.user === b.user && a.password === b.password && isSameSet(a.urls, b.urls);
}

/** Whether the stream is there is for later; whether anybody answers is not worth a move's patience. */
async function awaitAnswer(port: JetStreamPort, stream: string, pace: Pace): Promise<void> {
  try {
    await insist(() => port.info(stream), pace);
  } catch (error) {
    if (!(error instanceof StreamNotFound)) throw error;
  }
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

async function settle(
  port: JetStreamPort,
  inputs: StreamInputs,
  pace: Pace & Reporting,
): Promise<StreamOutputs> {
  return { ...inputs, ...describeReplicas(await converge(port, inputs, pace)) };
}

function describeReplicas(info: StreamInfo) {
  return { leader: info.cluster?.leader ?? "", replicas: hostsOf(info), created: info.created };
}

function inputsOf(props: StreamOutputs) {
  const { leader: _leader, replicas: _replicas, created: _created, ...inputs } = props;
  return inputs;
}

/** Nobody answers, or nobody who could know, or not to the user that the state remembers. */
function isSilence(error: unknown): error is Error {
  return [ClusterUnreachable, JetStreamUnavailable, AccessDenied].some(
    (kind) => error instanceof kind,
  );
}

/** The state as it is, written as before wherever it means the same, for `refresh` to show what drifted. */
function describeObserved(props: StreamOutputs, info: StreamInfo) {
  const inputs = {
    ...inputsOf(props),
    config: adoptObserved(props.config, info.config),
    hosts: isPlaced(info, props) ? props.hosts : hostsOf(info),
    policy: observedPolicy(props, info),
  };
  return { inputs, props: { ...inputs, ...describeReplicas(info) } };
}

/** Who leads is of interest where the policy says who should, and somebody who could does not. */
function observedPolicy({ policy }: StreamOutputs, info: StreamInfo): StreamPolicy {
  const strayed = isMisled(info, policy) && heirsOf(info, policy).length > 0;
  return strayed ? { ...policy, leaders: [info.cluster?.leader ?? ""] } : policy;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return isSameText([...new Set(a)].sort(), [...new Set(b)].sort());
}

function isSameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
