import { isDeepStrictEqual } from "node:util";
import type {
  CheckResult,
  DiffResult,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/dynamic/index.js";
import { inBucketWords } from "../../lib/buckets/bucket-words.ts";
import { findMisplacement } from "../../lib/placement/in-place.ts";
import { adoptObserved, completeConfig, diffConfig } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import {
  type Contents,
  describeContents,
  type StreamState,
} from "../../lib/streams/stream-loss.ts";
import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import { isParked } from "../../lib/streams/subject-handover.ts";
import {
  ERROR_CODES,
  isSilence,
  JetStreamError,
  type JetStreamPort,
  type StreamInfo,
  StreamNotFound,
} from "../../live/jetstream/jetstream.ts";
import { find, findAtOnce, type Pace, retry } from "../../live/jetstream/patience.ts";
import { configure, configuredPatience, openConfigured } from "../process/configured.ts";
import { hasUnknown, toFailures, UNKNOWN } from "../process/unknown.ts";
import { awaitConsumers } from "./await-consumers.ts";
import {
  awaitOrigins,
  type Contact,
  judgeMirrors,
  judgeOrigins,
  troublesOf,
} from "./await-origins.ts";
import { converge, HalfDone, isPlaced, withDetails } from "./converge.ts";
import { HANDOVERS, type Handovers } from "./handovers.ts";
import { hasWrongLeader, leaderCandidates } from "./leadership.ts";
import { ProgramRun } from "./program-run.ts";
import type { Reporting } from "./progress.ts";
import {
  backupOf,
  dropBackup,
  dropUnneededBackup,
  isRestoring,
  recreate,
  refuseForgottenBackup,
} from "./recreate.ts";
import { hostsOf, isCalm } from "./replicas.ts";
import { changesBy, describeUnmanaged, judge, needsLook, planInputs } from "./stream-check.ts";
import {
  type CheckVerdict,
  type ProgramInputs,
  type ResourceInputs,
  readResourceInputs,
  type StreamIdentity,
  type StreamInputs,
  type StreamOutputs,
} from "./stream-inputs.ts";

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
  /**
   * Milliseconds without progress after which waiting for a stream fails. Default: that of the process's configuration.
   */
  readonly patience?: number;
  /** Milliseconds to wait for a cluster that doesn't answer. Default: 15,000; an election takes up to 9,000. */
  readonly silence?: number;
  /** Milliseconds between two looks at a stream. Default: 100. */
  readonly pause?: number;
  /** Milliseconds between two lines about what a change is waiting for. Default: 5,000. */
  readonly interval?: number;
  /** Receives those lines. Default: stderr, which Pulumi shows. */
  readonly say?: (line: string) => void;
  /**
   * Milliseconds to wait for the first contact with an origin. Default: 15,000; a server retries after ten seconds.
   */
  readonly contact?: number;
  /** The handovers of subjects. Default: those of the process. */
  readonly handovers?: Handovers;
}

const lifecycle = streamLifecycle(openConfigured);

/** Used by the dynamic provider's process; components/stream.ts refers to this name. */
export const streamProvider = {
  ...lifecycle,
  configure,
  check: (olds: Partial<StreamInputs>, news: ResourceInputs) =>
    lifecycle.check(olds, readResourceInputs(news)),
};

/** The lifecycle of a stream, over any implementation of JetStream's API. */
export function streamLifecycle(
  open: (account: string) => JetStreamPort,
  {
    patience,
    silence = 15_000,
    pause = 100,
    interval = 5_000,
    say = console.error,
    contact = 15_000,
    handovers = HANDOVERS,
  }: LifecycleOptions = {},
): StreamLifecycle {
  const pace = {
    // The process is configured only after this function has run.
    get patience() {
      return patience ?? configuredPatience();
    },
    silence,
    pause,
    interval,
    say,
    contact,
    handovers,
  };
  const portOf = ({ account }: StreamIdentity) => open(account);
  const program = new ProgramRun(open);
  return {
    async check(olds, news) {
      const port = () => portOf(news);
      if (hasUnknown(news)) return await checkInputs(olds, news, port, handovers);
      if (olds.config !== undefined && !needsLook(olds, news)) {
        const names = await program.namesIn(news.account);
        if (names?.has(news.stream) === false) tellVanished(news);
      }
      const known = program.register(olds, news);
      const checked = await checkInputs(known, news, port, handovers);
      if (!isKnown(known) || !handovers.isUnfinished(news, known.config)) return checked;
      if (await isAsKnown(port(), known)) return checked;
      console.error(
        `stream ${news.stream}: the last up began to change it, and didn't come to an end; the next one brings it to what the settings say`,
      );
      return { ...checked, inputs: { ...checked.inputs, unfinished: true } };
    },
    diff: async (_id, olds, news) => diffInputs(olds, news),

    async create(inputs) {
      const port = portOf(inputs);
      const isOwn =
        program.isReplacing(inputs) ||
        handovers.renamingOf(inputs) !== undefined ||
        (await isLost(port, inputs, pace));
      await createOrTakeUp(port, inputs, pace, isOwn);
      try {
        return { id: inputs.stream, outs: await settle(port, inputs, pace) };
      } catch (error) {
        throw new StreamNotReady(inputs, error);
      }
    },

    async read(_id, props) {
      try {
        const info = await retry(() => portOf(props).info(props.stream), pace);
        for (const trouble of troublesOf(info)) say(`stream ${props.stream}: ${trouble}`);
        return { id: props.stream, ...describeObserved(props, info) };
      } catch (error) {
        if (error instanceof StreamNotFound) return { id: "" };
        if (!isSilence(error)) throw error;
        // A refresh has to succeed without JetStream, or `up --refresh` could never start the nodes again.
        console.error(`stream ${props.stream} is taken to be as it was: ${error.message}`);
        return { id: props.stream, props, inputs: inputsOf(props) };
      }
    },

    async update(_id, _olds, news) {
      const port = portOf(news);
      // Only a silent cluster matters here, so the wait is shorter than for a move.
      const found = await find(port, news.stream, pace);
      try {
        if (news.unfinished) await dropUnneededBackup(port, news, found, pace);
        if (found) await takeOver(port, news, found, pace);
        await recreate(port, news, pace);
        return { outs: await settle(port, news, pace) };
      } catch (error) {
        const hasBegun = error instanceof HalfDone || handovers.hasTouched(news);
        throw hasBegun ? new StreamNotReady(news, error) : error;
      }
    },

    async delete(_id, props) {
      if (program.has(props)) {
        console.error(
          `stream ${props.stream} is in the settings, and stays with what it holds: only an older note of it in the state is deleted`,
        );
        return;
      }
      const port = portOf(props);
      try {
        const { state } = await retry(() => port.info(props.stream), pace);
        if (!props.policy.allowDataLoss) refuseLoss(props.stream, state);
        await retry(() => port.delete(props.stream), pace);
      } catch (error) {
        if (error instanceof StreamNotFound) return;
        if (!isSilence(error)) throw error;
        throw new Error(
          `stream ${props.stream} can't be deleted: ${error.message}; if it is gone for good, let Pulumi forget it (pulumi state delete)`,
          { cause: error },
        );
      }
    },
  };
}

/** How to say of a stream what it is: a bucket, maybe. */
function wordsFor({
  stream,
  policy: { declaredAs },
}: Pick<StreamInputs, "stream" | "policy">): (text: string) => string {
  return (text) => (declaredAs === undefined ? text : inBucketWords(declaredAs, stream, text));
}

function isKnown(olds: Partial<StreamInputs>): olds is StreamInputs {
  return olds.config !== undefined;
}

/** Whether a stream still is as in the state: nothing was sent, or it was undone. */
async function isAsKnown(port: JetStreamPort, known: StreamInputs): Promise<boolean> {
  try {
    const [info, copy] = await Promise.all([
      findAtOnce(port, known.stream),
      findAtOnce(port, backupOf(known.stream)),
    ]);
    if (!info || copy) return false;
    return isCalm(info) && isPlaced(info, known) && !diffConfig(info.config, known.config).length;
  } catch (error) {
    if (!isSilence(error)) throw error;
    return false;
  }
}

/** Only for a stream that is in the state: one whose creation failed never existed. */
function tellVanished(stream: Pick<StreamInputs, "stream" | "policy">): void {
  const say = wordsFor(stream);
  console.error(
    say(
      `stream ${stream.stream} was there after the last up, and is gone with its messages: "pulumi up --refresh" creates it again, empty`,
    ),
  );
}

function refuseLoss(stream: string, state: StreamState): void {
  if (state.messages === 0) return;
  throw new Error(
    `stream ${stream} holds ${describeContents(state)}, which would be lost; put it back into the settings, empty it first (nats stream purge ${stream}), or let the messages go: allowDataLoss: true and "pulumi up" before it is removed`,
  );
}

async function checkInputs(
  olds: Partial<StreamInputs>,
  news: ProgramInputs,
  port: () => JetStreamPort,
  handovers: Handovers,
): Promise<CheckResult> {
  if (hasUnknown([news.stream, news.account, news.config, news.policy, news.fleet])) {
    const { fleet: _, ...inputs } = news;
    return { inputs: { ...inputs, hosts: UNKNOWN } };
  }
  const { inputs, refusals } = planInputs(
    olds,
    news,
    ({ account, stream }) => handovers.isPlanned(account, stream) === true,
  );
  const say = wordsFor(news);
  if (refusals.length > 0) return { inputs, failures: toFailures(refusals.map(say)) };
  const seen = needsLook(olds, news) ? await observeOnce(port(), olds, news) : undefined;
  const verdicts = [
    judge(
      olds,
      news,
      seen?.found,
      handovers.renamingOf(news),
      seen?.found && handovers.isLost(news, seen.found),
    ),
    ...(seen ? await judgeNeighbours(port(), olds, news, seen.found, handovers) : []),
  ];
  const refused = verdicts.flatMap(({ refusals }) => refusals).map(say);
  for (const notice of verdicts.flatMap(({ notices }) => notices)) console.error(say(notice));
  if (refused.length === 0) handovers.addChecked(inputs as StreamInputs);
  return { inputs, failures: toFailures(refused) };
}

/** Checks the streams that share something with a stream: its new subjects, its origins, and its mirrors. */
async function judgeNeighbours(
  port: JetStreamPort,
  olds: Partial<StreamInputs>,
  news: ProgramInputs,
  found: StreamInfo | undefined,
  handovers: Handovers,
): Promise<CheckVerdict[]> {
  const gains = !found || takesOther(found.config, news.config);
  const mirrors = handovers.mirrorsOf(news);
  const isPlanned = (name: string) => handovers.isPlanned(news.account, name) ?? false;
  try {
    return await Promise.all([
      ...(gains ? [handovers.judge(port, news)] : []),
      judgeOrigins(port, found, news, isPlanned),
      ...(mirrors.length > 0 && (await beginsAnew(port, olds, news, found))
        ? [judgeMirrors(port, news.stream, mirrors)]
        : []),
    ]);
  } catch (error) {
    if (!isSilence(error)) throw error;
    return [];
  }
}

/** Whether a new stream of this name starts without the messages of an earlier one. */
async function beginsAnew(
  port: JetStreamPort,
  olds: Partial<StreamInputs>,
  news: ProgramInputs,
  found: StreamInfo | undefined,
): Promise<boolean> {
  if (found) {
    const isRefused = changesBy(olds, news, found).some(({ effect }) => effect === "refused");
    return isRefused && news.policy.recreate !== "viaBackup" && news.policy.allowDataLoss === true;
  }
  return olds.config === undefined && !(await findAtOnce(port, backupOf(news.stream)));
}

function takesOther(base: StreamConfig, desired: StreamConfig): boolean {
  return diffConfig(base, desired).some(({ path }) => path === "subjects");
}

/**
 * Observes a stream once. Undefined if JetStream doesn't answer at once, which is reported for a known stream only.
 */
async function observeOnce(
  port: JetStreamPort,
  olds: Partial<StreamInputs>,
  news: ProgramInputs,
): Promise<{ readonly found: (StreamInfo & Contents) | undefined } | undefined> {
  const { stream } = news;
  const isKnown = olds.config !== undefined;
  try {
    const info = await port.info(stream);
    return { found: await withDetails(port, info, changesBy(olds, news, info)) };
  } catch (error) {
    if (error instanceof StreamNotFound) {
      if (isKnown) tellVanished(news);
      return { found: undefined };
    }
    if (!isSilence(error)) throw error;
    if (isKnown) console.error(`what stream ${stream} holds is unknown: ${error.message}`);
    return undefined;
  }
}

/** Compares the inputs only: the provider's own text and the order of tags don't count. */
function diffInputs(olds: StreamOutputs, news: StreamInputs): DiffResult {
  if (hasUnknown(news)) return { changes: true };
  const replaces = (["stream", "account"] as const).filter((key) => olds[key] !== news[key]);
  const changes =
    replaces.length > 0 ||
    news.unfinished === true ||
    diffConfig(olds.config, news.config).length > 0 ||
    !isSameSet(olds.hosts, news.hosts) ||
    // The observed replicas: after a change of the servers' tags, two of them may violate the placement.
    findMisplacement(olds.replicas, { ...news, hosts: olds.replicas }) !== undefined ||
    !isDeepStrictEqual(olds.policy, news.policy);
  return { changes, replaces };
}

/** Has the current owners of a stream's new subjects hand them over. */
async function takeOver(
  port: JetStreamPort,
  news: StreamInputs,
  { config }: StreamInfo,
  { handovers, ...pace }: Pace & Reporting & HandingOver,
): Promise<void> {
  if (takesOther(config, news.config)) await handovers.run(port, news, pace);
}

interface HandingOver {
  readonly handovers: Handovers;
}

/** Whether a killed `up` has made a stream, without the state having it. */
async function isLost(
  port: JetStreamPort,
  inputs: StreamInputs,
  { handovers, ...pace }: Pace & HandingOver,
): Promise<boolean> {
  if (!handovers.mayBeLost(inputs)) return false;
  const found = await find(port, inputs.stream, pace);
  return found !== undefined && handovers.isLost(inputs, found);
}

/** @param isOwn whether a stream of that name belongs to this stack already. */
async function createOrTakeUp(
  port: JetStreamPort,
  inputs: StreamInputs,
  pace: Pace & Reporting & HandingOver,
  isOwn: boolean,
): Promise<void> {
  const { config, stream, policy } = inputs;
  const mayTakeUp = policy.adopt || isOwn;
  await refuseForgottenBackup(port, inputs, pace);
  if (policy.recreate || mayTakeUp) await recreate(port, inputs, pace);
  try {
    await retry(() => port.create(completeConfig(config)), pace);
  } catch (error) {
    if (!(error instanceof JetStreamError)) throw error;
    if (error.code === ERROR_CODES.subjectsOverlap) {
      await pace.handovers.run(port, inputs, pace);
      return;
    }
    if (error.code !== ERROR_CODES.nameInUse) throw error;
    const found = await port.info(stream);
    const changes = diffConfig(found.config, config);
    const isOurs = isRestoring(found) || isParked(found.config.subjects);
    if (changes.length === 0 || mayTakeUp || isOurs) {
      await takeOver(port, inputs, found, pace);
      return;
    }
    const why = wordsFor(inputs)(describeUnmanaged(inputs, changes, found));
    throw new Error(why, { cause: error });
  }
}

/** The request was sent, but the stream isn't in its desired state yet. Pulumi keeps it in its state. */
class StreamNotReady extends Error {
  override readonly name = "StreamNotReady";
  readonly id: string;
  readonly properties: StreamOutputs;
  readonly reasons: readonly string[];

  constructor(inputs: StreamInputs, cause: unknown) {
    const reason = wordsFor(inputs)(cause instanceof Error ? cause.message : String(cause));
    super(reason, { cause });
    this.id = inputs.stream;
    this.properties = { ...inputs, leader: "", replicas: [], created: "" };
    this.reasons = [reason];
  }
}

async function settle(
  port: JetStreamPort,
  inputs: StreamInputs,
  pace: Pace & Reporting & Contact,
): Promise<StreamOutputs> {
  const info = await converge(port, inputs, pace);
  await dropBackup(port, inputs, pace);
  await awaitConsumers(port, info, pace);
  await awaitOrigins(port, inputs, pace);
  const { unfinished: _, ...kept } = inputs;
  return { ...kept, ...describeReplicas(info) };
}

function describeReplicas(info: StreamInfo) {
  return { leader: info.cluster?.leader ?? "", replicas: hostsOf(info), created: info.created };
}

function inputsOf(props: StreamOutputs) {
  const { leader: _leader, replicas: _replicas, created: _created, ...inputs } = props;
  return inputs;
}

/**
 * The observed state. Values that mean the same as before keep their old spelling, so that `refresh` shows only drift.
 */
function describeObserved(props: StreamOutputs, info: StreamInfo) {
  const inputs = {
    ...inputsOf(props),
    config: adoptObserved(props.config, info.config),
    hosts: isPlaced(info, props) ? props.hosts : hostsOf(info),
    policy: observedPolicy(props, info),
  };
  return { inputs, props: { ...inputs, ...describeReplicas(info) } };
}

/** Reports another leader as drift only if the policy names leaders and one of them could lead. */
function observedPolicy({ policy }: StreamOutputs, info: StreamInfo): StreamPolicy {
  const hasDrifted = hasWrongLeader(info, policy) && leaderCandidates(info, policy).length > 0;
  return hasDrifted ? { ...policy, leaders: [info.cluster?.leader ?? ""] } : policy;
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return isSameText([...new Set(a)].sort(), [...new Set(b)].sort());
}

function isSameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
