import type { FieldChange } from "../base/field-table.ts";
import { formatDuration, sumOf } from "../base/quantities.ts";
import { countOf, formatCount, formatSize } from "../base/wording.ts";
import { describeChange } from "./stream-diff.ts";
import type { StreamConfig } from "./stream-fields.ts";

/** A stream's contents (`StreamState` of nats-server, as `$JS.API.STREAM.INFO` returns it). */
export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly consumer_count: number;
  /** Time of the oldest message, RFC 3339. */
  readonly first_ts?: string;
  readonly first_seq?: number;
  readonly num_subjects?: number;
  /** Number of messages deleted between the first and the last. */
  readonly num_deleted?: number;
}

/** Describes a stream's contents to users, e.g. `1,204 messages (3.0 MiB)`. */
export function describeContents({
  messages,
  bytes,
}: Pick<StreamState, "messages" | "bytes">): string {
  return `${countOf(messages, "message")} (${formatSize(bytes)})`;
}

/** Progress of a consumer (`ConsumerInfo` of nats-server). */
export interface ConsumerProgress {
  readonly name: string;
  /** Its leader and the others; absent without a cluster. */
  readonly cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly {
      readonly name: string;
      readonly current: boolean;
      readonly offline?: boolean;
      readonly pending?: boolean;
    }[];
    readonly desired?: { readonly status?: { readonly description: string } };
  };
  readonly config?: {
    /** Nanoseconds. */
    readonly inactive_threshold?: number;
    readonly max_ack_pending?: number;
    readonly durable_name?: string;
    readonly num_replicas?: number;
  };
  /** Number of messages that match its filter and haven't been delivered. */
  readonly num_pending: number;
  /** Number of messages that have been delivered, but not acknowledged. */
  readonly num_ack_pending: number;
  /** Sequence, in the stream, of the last delivered message. */
  readonly delivered: { readonly stream_seq: number };
  /** Sequence, in the stream, up to which all messages are acknowledged. */
  readonly ack_floor: { readonly stream_seq: number };
}

/** The current config and contents of a stream that is to be changed. */
export interface Contents {
  readonly config: StreamConfig;
  readonly state: StreamState;
  /** All its consumers; absent if they are unknown, or weren't asked for because no change depends on them. */
  readonly consumers?: readonly ConsumerProgress[];
  /** Number of messages of each subject; absent for the same reasons. */
  readonly subjects?: readonly number[];
}

/** Whether the effect of a change depends on the stream's consumers and their progress. */
export function dependsOnConsumers(
  changes: readonly FieldChange[],
  { messages, consumer_count: consumers }: StreamState,
): boolean {
  const matters = (change: FieldChange) =>
    (messages > 0 && turnsToInterest(change)) || change.path === "consumerLimits";
  return consumers > 0 && changes.some(matters);
}

/**
 * Describes each consumer that exceeds new `consumerLimits`. The server refuses limits that an existing consumer
 * exceeds (error 10069, `jsClusteredStreamUpdateRequestLocked` in nats-server 2.15).
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

/** nats-server's `JSMaxSubjectDetails`: the most subjects in one answer of `STREAM.INFO`. */
const SUBJECTS_TOLD = 100_000;

/** Whether a change deletes messages depending on the count of each subject, and one request returns all counts. */
export function dependsOnSubjects(changes: readonly FieldChange[], state: StreamState): boolean {
  const limit = changes.find(({ path }) => path === "maxMsgsPerSubject")?.to;
  const { num_subjects: subjects = SUBJECTS_TOLD + 1 } = state;
  return typeof limit === "number" && mostOfOneSubject(state) > limit && subjects <= SUBJECTS_TOLD;
}

/** The most messages that one subject can have, as each other subject has at least one. */
function mostOfOneSubject({ messages, num_subjects: subjects = 1 }: StreamState): number {
  return messages - (subjects - 1);
}

/**
 * Describes each change that makes the server delete existing messages at once, with their number. Where the server
 * doesn't provide the numbers, a loss is assumed. test/server/stream-contents.test.ts compares this with what
 * nats-server 2.15.2 deletes.
 *
 * @param desired the config after the changes.
 * @param now milliseconds since 1970; messages are older than a new `maxAge` as of then.
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

/** Describes which messages a change deletes; undefined if it deletes none. */
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
      // With discard: new the stream may hold more than its limits, if these were lowered after it filled up.
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
      // Messages from an origin keep their own TTL, even if it had no effect in this stream until now.
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

/** Whether a stream deletes messages that exceed its limits. With `discard: new`, or sealed, it keeps them. */
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

/** With interest retention, a stream keeps only messages that at least one consumer still waits for. */
function lossByInterest({ state, consumers }: Contents): string | undefined {
  const all = `all of its ${describeContents(state)}`;
  if (state.consumer_count === 0) return all;
  if (!consumers) return `what its consumers have acknowledged, of its ${describeContents(state)},`;
  // Consumers may wait for the same messages, so count only the consumer that waits for the most.
  const kept = Math.max(0, ...consumers.map((consumer) => awaitedBy(consumer, state)));
  const lost = state.messages - kept;
  if (lost <= 0) return undefined;
  return kept === 0 ? all : `up to ${formatCount(lost)} of its ${describeContents(state)}`;
}

/**
 * The least number of messages that a consumer waits for. Of its unacknowledged messages, some may have been deleted
 * since their delivery.
 */
function awaitedBy(
  { num_pending, num_ack_pending, ack_floor }: ConsumerProgress,
  { first_seq = 1, num_deleted = 0 }: StreamState,
): number {
  const before = Math.max(0, first_seq - 1 - ack_floor.stream_seq);
  return num_pending + Math.max(0, num_ack_pending - before - num_deleted);
}
