import { describeChange, type FieldChange } from "./stream-diff.ts";
import { countOf, formatCount, formatSize } from "./wording.ts";

/** What a stream holds (`StreamState` of nats-server, as `$JS.API.STREAM.INFO` shows it). */
export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly consumer_count: number;
  /** RFC 3339, of the oldest message. */
  readonly first_ts?: string;
  readonly num_subjects?: number;
}

/** Writes what a stream holds for people, e.g. `1,204 messages (3 MiB)`. */
export function describeContents({
  messages,
  bytes,
}: Pick<StreamState, "messages" | "bytes">): string {
  return `${countOf(messages, "message")} (${formatSize(bytes)})`;
}

/**
 * Says of each change that the server makes at once, and that deletes messages which are there, how many
 * it deletes. Where the server doesn't show what it takes to tell, the answer errs on the side of a loss.
 *
 * @param now milliseconds since 1970, for what is older than a new `maxAge`.
 */
export function describeLosses(
  changes: readonly FieldChange[],
  state: StreamState,
  now: number,
): string[] {
  if (state.messages === 0) return [];
  return changes.flatMap((change) => {
    const lost = lossOf(change, state, now);
    return lost === undefined ? [] : [`${describeChange(change)}: ${lost} would be deleted`];
  });
}

const NANOSECONDS_PER_MS = 1e6;

/** How much of it goes, for people; undefined where nothing does. */
function lossOf({ path, to }: FieldChange, state: StreamState, now: number): string | undefined {
  const { messages, bytes, consumer_count: consumers, first_ts: oldest } = state;
  const all = `all of its ${describeContents(state)}`;
  const some = `some of its ${describeContents(state)}`;
  if (path === "retention") return to === "interest" && consumers === 0 ? all : undefined;
  if (typeof to !== "number") return undefined;
  switch (path) {
    case "maxMsgs":
      return messages > to
        ? `${formatCount(messages - to)} of its ${describeContents(state)}`
        : undefined;
    case "maxBytes":
      return bytes > to ? some : undefined;
    case "maxAge": {
      const expired = oldest === undefined || Date.parse(oldest) < now - to / NANOSECONDS_PER_MS;
      return to > 0 && expired ? some : undefined;
    }
    case "maxMsgsPerSubject": {
      // Every other subject has one message at least, so that none can have more than this.
      const most = messages - ((state.num_subjects ?? 1) - 1);
      return most > to ? some : undefined;
    }
    default:
      return undefined;
  }
}
