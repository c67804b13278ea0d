import { isDeepStrictEqual } from "node:util";
import {
  type Assessment,
  adoptFields,
  describeFieldChange,
  diffObject,
  type Field,
  type FieldChange,
  fieldOf,
  normalizeObject,
  refused,
} from "../base/field-table.ts";
import { SECOND } from "../base/rules.ts";
import { CONSUMER_FIELDS, type ConsumerConfig, type ConsumerFields } from "./consumer-fields.ts";
import { withoutNote } from "./start-note.ts";

/** nats-server 2.15: `JsAckWaitDefault`, `JSWaitQueueDefaultMax`, `JsDefaultMaxAckPending`, `JsDefaultPinnedTTL`. */
const ACK_WAIT = 30 * SECOND;
const MAX_WAITING = 512;
export const MAX_ACK_PENDING = 1_000;
const PINNED = 120 * SECOND;

/** The fields that a consumer has where its settings have none, as {@link ConsumerConfig} has them. */
type Defaults = Partial<Omit<ConsumerConfig, "name" | "durable_name">>;

/**
 * The request's config: what the server takes for its own default where ours differs is written out. All other absent
 * fields get the server's default, also those that an earlier config had.
 */
export function requestedConfig(config: ConsumerConfig): ConsumerConfig {
  const { ack_policy = CONSUMER_FIELDS.ackPolicy.default } = config;
  return { ...config, durable_name: config.name, ack_policy };
}

/** Defaults that depend on other fields (`setConsumerConfigDefaults` in nats-server's server/consumer.go). */
function derivedDefaults(config: ConsumerConfig): Defaults {
  const { ack_policy: acks = CONSUMER_FIELDS.ackPolicy.default, deliver_subject: subject = "" } =
    config;
  return {
    ...(acks === "explicit" || acks === "all" ? { ack_wait: ACK_WAIT } : {}),
    ...(acks === "none" ? {} : { max_ack_pending: MAX_ACK_PENDING }),
    ...(acks === "flow_control" ? { flow_control: true, idle_heartbeat: SECOND } : {}),
    ...(subject === "" ? { max_waiting: MAX_WAITING } : {}),
    ...(config.priority_policy === "pinned_client" ? { priority_timeout: PINNED } : {}),
  };
}

/**
 * The normal form of a config, see {@link normalizeObject}: equal for all configs of the same meaning, the server's
 * rewrite among them. Compare it, don't send it.
 */
function normalizeConsumer(config: ConsumerConfig): ConsumerConfig {
  const { filter_subject: one = "", filter_subjects: several = [], ...rest } = withoutNote(config);
  const { ack_wait: wait, sample_freq: sample = "", ...others } = rest;
  const filters = one === "" ? several : [...several, one];
  const said: ConsumerConfig = {
    ...others,
    filter_subjects: filters,
    // `backoff` overrides it.
    ...(wait === undefined || (config.backoff?.length ?? 0) > 0 ? {} : { ack_wait: wait }),
    sample_freq: sample === "" ? "" : normalizeSample(sample),
  };
  const defaults = derivedDefaults(config);
  const zeros = (
    ["ack_wait", "max_ack_pending", "max_waiting", "priority_timeout"] as const
  ).filter((name) => said[name] === 0);
  const given = Object.fromEntries(
    Object.entries(said).filter(([name]) => !zeros.some((zero) => zero === name)),
  );
  const normal = normalizeObject<ConsumerFields>(CONSUMER_FIELDS, given, defaults);
  return { name: config.name, ...normal };
}

/** `30%` and `30` mean the same, and `0` nothing. */
function normalizeSample(text: string): string {
  const share = text.replace(/%$/, "");
  return Number(share) === 0 ? "" : share;
}

/**
 * The fields that differ, each with the effect of an update, see {@link diffObject}; a value that the settings leave
 * out has its default. Another name has the path `name`.
 */
export function diffConsumer(
  observed: ConsumerConfig,
  desired: ConsumerConfig,
): readonly FieldChange[] {
  if (isDeepStrictEqual(observed, desired)) return [];
  const [from, to] = [observed.name, desired.name];
  const renamed =
    from === to ? [] : [{ path: "name", from, to, ...refused("a consumer keeps its name") }];
  const [before, after] = [normalizeConsumer(observed), normalizeConsumer(desired)];
  const rules = { noun: "consumer", assessInPlace };
  const [old, next] = [derivedDefaults(observed), derivedDefaults(desired)];
  const changes = diffObject<ConsumerFields>(CONSUMER_FIELDS, before, after, rules);
  return [
    ...renamed,
    ...changes.map((change) => ({
      ...change,
      from: change.from ?? defaultOf(old, change.path),
      to: change.to ?? defaultOf(next, change.path),
    })),
  ];
}

function defaultOf(defaults: Defaults, setting: string): unknown {
  const api = fieldOf(CONSUMER_FIELDS, setting)?.api ?? setting;
  return new Map<string, unknown>(Object.entries(defaults)).get(api);
}

/** Whether an update makes a change; the others take a new consumer. */
export function isRefused({ effect }: FieldChange): boolean {
  return effect === "refused";
}

/** `written`, with the server's value in each field whose value on the server means something else. */
export function adoptObservedConsumer(
  written: ConsumerConfig,
  observed: ConsumerConfig,
): ConsumerConfig {
  const changes = diffConsumer(written, observed);
  if (changes.length === 0) return written;
  const names = changes.flatMap(({ path }) => {
    const api = fieldOf(CONSUMER_FIELDS, path)?.api ?? path;
    return api === "filter_subjects" ? [api, "filter_subject"] : [api];
  });
  // An adopted value may change the default of another field, so compare again.
  return adoptObservedConsumer(adoptFields(written, normalizeConsumer(observed), names), observed);
}

/** Describes a change to users, e.g. `ackWait: 30s → 1m`. */
export function describeConsumerChange(change: FieldChange): string {
  return describeFieldChange(CONSUMER_FIELDS, change);
}

function assessInPlace(field: Field, from: unknown, to: unknown): Assessment {
  if (field.api !== "deliver_subject" || (from !== undefined && to !== undefined)) {
    return { effect: "in place" };
  }
  return refused(
    to === undefined
      ? "a push consumer can't become a pull consumer"
      : "a pull consumer can't become a push consumer",
  );
}
