import { countOf, formatCount } from "../base/wording.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";
import { atSequence, type Start, startOf } from "./start-note.ts";

/** Where a consumer stands (`ConsumerInfo` of nats-server). */
export interface Standing {
  /** Number of messages that match its filters and haven't been delivered. */
  readonly num_pending: number;
  /** Number of messages that have been delivered, but not acknowledged. */
  readonly num_ack_pending: number;
  /** Number of those that have been delivered more than once. */
  readonly num_redelivered?: number;
  /** Sequence, in the stream, up to which all messages are acknowledged. */
  readonly ack_floor: { readonly stream_seq: number };
  /** Sequence, in the stream, of the last delivered message, and the number of deliveries until then. */
  readonly delivered: { readonly stream_seq: number; readonly consumer_seq?: number };
}

/** Number of messages that a consumer still has to do with. */
export function awaited({ num_pending, num_ack_pending }: Standing): number {
  return num_pending + num_ack_pending;
}

/**
 * Describes where a consumer stands, e.g. `all is acknowledged up to sequence 1,200; 30 messages wait for delivery, 5
 * for acknowledgement, 2 of them delivered more than once`.
 */
export function describeStanding(standing: Standing): string {
  const { num_pending, num_ack_pending, num_redelivered = 0, ack_floor } = standing;
  const again =
    num_redelivered > 0 ? `, ${formatCount(num_redelivered)} of them delivered more than once` : "";
  return `all is acknowledged up to sequence ${formatCount(ack_floor.stream_seq)}; ${countOf(num_pending, "message")} ${num_pending === 1 ? "waits" : "wait"} for delivery, ${formatCount(num_ack_pending)} for acknowledgement${again}`;
}

/**
 * Where another consumer has to begin to go on where this one stands; undefined if nobody can tell. As long as nothing
 * has been acknowledged, a consumer with replicas has no floor (nats-server 2.15, `updateSkipOp`): then it is where this
 * one began, which for `last` and `last_per_subject` isn't known any more.
 *
 * @param created when it was created, RFC 3339.
 */
export function placeOf(
  { ack_floor, delivered }: Standing,
  config: ConsumerConfig,
  created: string,
): Start | undefined {
  if (ack_floor.stream_seq > 0) return atSequence(ack_floor.stream_seq + 1);
  if (delivered.consumer_seq === 0) return atSequence(delivered.stream_seq + 1);
  switch (config.deliver_policy) {
    case "last":
    case "last_per_subject":
      return undefined;
    case "new":
      return { deliver_policy: "by_start_time", opt_start_time: created };
    case "by_start_sequence":
    case "by_start_time":
      return startOf(config);
    default:
      return atSequence(1);
  }
}
