import type { FieldChange } from "../base/field-table.ts";
import { formatDuration, sumOf } from "../base/quantities.ts";
import { countOf, formatCount, formatSize } from "../base/wording.ts";
import { describeChange } from "./stream-diff.ts";
import type { StreamConfig } from "./stream-fields.ts";

/** What a stream holds (`StreamState` of nats-server, as `$JS.API.STREAM.INFO` shows it). */
export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly consumer_count: number;
  /** RFC 3339, of the oldest message. */
  readonly first_ts?: string;
  readonly first_seq?: number;
  readonly num_subjects?: number;
  /** Messages deleted between its first and its last. */
  readonly num_deleted?: number;
}

/** Writes what a stream holds for people, e.g. `1,204 messages (3 MiB)`. */
export function describeContents({
  messages,
  bytes,
}: Pick<StreamState, "messages" | "bytes">): string {
  return `${countOf(messages, "message")} (${formatSize(bytes)})`;
}

/** How far a consumer of a stream has come (`ConsumerInfo` of nats-server). */
export interface ConsumerProgress {
  readonly name: string;
  readonly config?: {
    /** Nanoseconds. */
    readonly inactive_threshold?: number;
    readonly max_ack_pending?: number;
  };
  /** Messages that match its filter and that it hasn't been given yet. */
  readonly num_pending: number;
  /** Messages that it has been given and hasn't acknowledged. */
  readonly num_ack_pending: number;
  /** The last message of the stream that it has been given. */
  readonly delivered: { readonly stream_seq: number };
  /** The last message of the stream up to which it has acknowledged all. */
  readonly ack_floor: { readonly stream_seq: number };
}

/** A stream that is to be changed, as it is. */
export interface Contents {
  readonly config: StreamConfig;
  readonly state: StreamState;
  /** Of all its consumers; absent where nobody says, or none was asked as no change hangs on them. */
  readonly consumers?: readonly ConsumerProgress[];
  /** How many messages each of its subjects has; absent likewise. */
  readonly subjects?: readonly number[];
}

/** Whether what a change does depends on what consumers there are, and on how far each has come. */
export function dependsOnConsumers(
  changes: readonly FieldChange[],
  { messages, consumer_count: consumers }: StreamState,
): boolean {
  const matters = (change: FieldChange) =>
    (messages > 0 && turnsToInterest(change)) || change.path === "consumerLimits";
  return consumers > 0 && changes.some(matters);
}

/**
 * Says of each consumer that has more than new limits for consumers grant: the server refuses these then (error
 * 10069, `jsClusteredStreamUpdateRequestLocked` in nats-server 2.15).
 */
export function describeExcesses(
  changes: readonly FieldChange[],
  { consumer_limits: limits = {} }: StreamConfig,
  consumers: readonly ConsumerProgress[] = [],
): string[] {
  if (!changes.some(({ path }) => path === "consumerLimits")) return [];
  const { max_ack_pending: acks = 0, inactive_threshold: idle = 0 } = limits;
  const wayOut = "raise the limit, or change the consumer first";
  return consumers.flatMap(
    ({ name, config: { max_ack_pending = 0, inactive_threshold = 0 } = {} }) => [
      ...(acks > 0 && max_ack_pending > acks
        ? [
            `consumerLimits: consumer ${name} has maxAckPending ${max_ack_pending}, above ${acks}; ${wayOut}`,
          ]
        : []),
      ...(idle > 0 && inactive_threshold > idle
        ? [
            `consumerLimits: consumer ${name} has inactiveThreshold ${formatDuration(inactive_threshold)}, above ${formatDuration(idle)}; ${wayOut}`,
          ]
        : []),
    ],
  );
}

/** nats-server's `JSMaxSubjectDetails`: subjects that a stream tells of in one answer. */
const SUBJECTS_TOLD = 100_000;

/** Whether what a change deletes depends on how many messages each subject has, and that can be asked for. */
export function dependsOnSubjects(changes: readonly FieldChange[], state: StreamState): boolean {
  const limit = changes.find(({ path }) => path === "maxMsgsPerSubject")?.to;
  const { num_subjects: subjects = SUBJECTS_TOLD + 1 } = state;
  return typeof limit === "number" && mostOfOneSubject(state) > limit && subjects <= SUBJECTS_TOLD;
}

/** Every other subject has one message at least, so that none can have more than this. */
function mostOfOneSubject({ messages, num_subjects: subjects = 1 }: StreamState): number {
  return messages - (subjects - 1);
}

/**
 * Says of each change that the server makes at once, and that deletes messages which are there, how many
 * it deletes. Where the server doesn't show what it takes to tell, the answer errs on the side of a loss.
 * Held to what nats-server 2.15.2 deletes by test/server/stream-contents.test.ts.
 *
 * @param desired the config that the changes lead to.
 * @param now milliseconds since 1970, for what is older than a new `maxAge`.
 */
export function describeLosses(
  changes: readonly FieldChange[],
  desired: StreamConfig,
  contents: Contents,
  now: number,
): string[] {
  if (contents.state.messages === 0) return [];
  return changes.flatMap((change) => {
    const lost = lossOf(change, desired, contents, now);
    return lost === undefined ? [] : [`${describeChange(change)}: ${lost} would be deleted`];
  });
}

const NANOSECONDS_PER_MS = 1e6;

/** How much of it goes, for people; undefined where nothing does. */
function lossOf(
  change: FieldChange,
  desired: StreamConfig,
  contents: Contents,
  now: number,
): string | undefined {
  const { first_ts: oldest } = contents.state;
  const { path, to } = change;
  const some = `some of its ${describeContents(contents.state)}`;
  switch (path) {
    case "retention":
      return turnsToInterest(change) ? lossByInterest(contents) : undefined;
    case "maxMsgs":
      return lossByCount(desired, contents);
    case "maxBytes":
      return lossBySize(desired, contents);
    case "discard":
      // A stream that refused messages may hold more than its limits, once they were lowered.
      return lossByCount(desired, contents) ?? lossBySize(desired, contents);
    case "maxAge": {
      if (typeof to !== "number" || to === 0) return undefined;
      const expired = oldest === undefined || Date.parse(oldest) < now - to / NANOSECONDS_PER_MS;
      return expired ? some : undefined;
    }
    case "maxMsgsPerSubject": {
      if (typeof to !== "number") return undefined;
      return contents.subjects
        ? describeLost(sumOf(contents.subjects.map((count) => Math.max(0, count - to))), contents)
        : mostOfOneSubject(contents.state) > to
          ? some
          : undefined;
    }
    case "allowMsgTtl": {
      // What comes from another stream brings its lifetime along, whether or not that counts here.
      const { mirror, sources = [] } = contents.config;
      return mirror || sources.length > 0
        ? `those whose own lifetime is over, of its ${describeContents(contents.state)},`
        : undefined;
    }
    default:
      return undefined;
  }
}

function turnsToInterest({ path, to }: FieldChange): boolean {
  return path === "retention" && to === "interest";
}

/** A stream that refuses what it has no room for deletes nothing of what is there; a sealed one is such a one. */
function deletesWhatIsOver({ discard = "old", sealed = false }: StreamConfig): boolean {
  return discard === "old" && !sealed;
}

function lossByCount(desired: StreamConfig, { state }: Contents): string | undefined {
  const { max_msgs: limit = -1 } = desired;
  if (!deletesWhatIsOver(desired) || limit < 1) return undefined;
  return describeLost(state.messages - limit, { state });
}

function describeLost(lost: number, { state }: Pick<Contents, "state">): string | undefined {
  return lost > 0 ? `${formatCount(lost)} of its ${describeContents(state)}` : undefined;
}

function lossBySize(desired: StreamConfig, { state }: Contents): string | undefined {
  const { max_bytes: limit = -1 } = desired;
  if (!deletesWhatIsOver(desired) || limit < 1 || state.bytes <= limit) return undefined;
  return `some of its ${describeContents(state)}`;
}

/** For interest a stream keeps what at least one consumer still waits for, and no more. */
function lossByInterest({ state, consumers }: Contents): string | undefined {
  const all = `all of its ${describeContents(state)}`;
  if (state.consumer_count === 0) return all;
  if (!consumers) return `what its consumers have acknowledged, of its ${describeContents(state)},`;
  // Two consumers may wait for the same messages: one of them is counted, that which waits for the most.
  const kept = Math.max(0, ...consumers.map((consumer) => awaitedBy(consumer, state)));
  const lost = state.messages - kept;
  if (lost <= 0) return undefined;
  return kept === 0 ? all : `up to ${formatCount(lost)} of its ${describeContents(state)}`;
}

/**
 * Messages that a consumer waits for, at least: of those that it hasn't acknowledged, some may have been deleted
 * since it was given them.
 */
function awaitedBy(
  { num_pending, num_ack_pending, ack_floor }: ConsumerProgress,
  { first_seq = 1, num_deleted = 0 }: StreamState,
): number {
  const before = Math.max(0, first_seq - 1 - ack_floor.stream_seq);
  return num_pending + Math.max(0, num_ack_pending - before - num_deleted);
}
