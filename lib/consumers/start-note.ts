/**
 * A consumer that is made anew where another one stood begins there, whatever its settings say of where a new one begins. A label on it says what they said, so that it doesn't count as a difference.
 */
import { normalizeObject } from "../base/field-table.ts";
import { CONSUMER_FIELDS, type ConsumerConfig, type ConsumerFields } from "./consumer-fields.ts";

/** Labels of this prefix are the stack's own. */
export const OWN_LABELS = "nats-regions.";
const START_LABEL = `${OWN_LABELS}start`;

/** Where a new consumer begins. */
export type Start = Pick<ConsumerConfig, "deliver_policy" | "opt_start_seq" | "opt_start_time">;

const BY_SEQUENCE = "by_start_sequence";

/** Where a config says that a new consumer begins, in one word or two, e.g. `all` or `by_start_sequence 5`. */
function describeStart(config: Start): string {
  const {
    deliver_policy = "all",
    opt_start_seq,
    opt_start_time,
  }: Start = normalizeObject<ConsumerFields>(CONSUMER_FIELDS, config);
  return [deliver_policy, opt_start_seq, opt_start_time]
    .filter((part) => part !== undefined)
    .join(" ");
}

/** The beginning at a sequence. */
export function atSequence(sequence: number): Start {
  return { deliver_policy: BY_SEQUENCE, opt_start_seq: sequence };
}

/** The beginning that a config has. */
export function startOf({ deliver_policy, opt_start_seq, opt_start_time }: Start): Start {
  return {
    ...(deliver_policy === undefined ? {} : { deliver_policy }),
    ...(opt_start_seq === undefined ? {} : { opt_start_seq }),
    ...(opt_start_time === undefined ? {} : { opt_start_time }),
  };
}

/** The config of a consumer that begins elsewhere, with a label of what it says itself. */
export function startingAt(config: ConsumerConfig, start: Start): ConsumerConfig {
  const { deliver_policy: _, opt_start_seq: __, opt_start_time: ___, ...rest } = config;
  return {
    ...rest,
    ...start,
    metadata: { ...config.metadata, [START_LABEL]: describeStart(config) },
  };
}

/** The config as it was meant: without the label, and with the beginning that the label has. */
export function withoutNote(config: ConsumerConfig): ConsumerConfig {
  const { [START_LABEL]: note, ...metadata } = config.metadata ?? {};
  if (note === undefined) return config;
  const { deliver_policy: _, opt_start_seq: __, opt_start_time: ___, ...rest } = config;
  const [policy = "all", at = ""] = note.split(" ");
  return {
    ...rest,
    metadata,
    ...(isPolicy(policy) ? { deliver_policy: policy } : {}),
    ...(policy === BY_SEQUENCE ? { opt_start_seq: Number(at) } : {}),
    ...(policy === "by_start_time" ? { opt_start_time: at } : {}),
  };
}

/**
 * The desired config with the beginning and the label that the observed one has, if both mean the same: the server
 * refuses an update that has another beginning.
 */
export function keepStart(desired: ConsumerConfig, observed: ConsumerConfig): ConsumerConfig {
  const note = observed.metadata?.[START_LABEL];
  if (note === undefined || note !== describeStart(desired)) return desired;
  return startingAt(desired, startOf(observed));
}

function isPolicy(text: string): text is NonNullable<Start["deliver_policy"]> {
  return CONSUMER_FIELDS.deliverPolicy.values.some((value) => value === text);
}
