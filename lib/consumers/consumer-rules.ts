import type { Problem } from "../base/errors.ts";
import {
  checkAssetName,
  checkTexts,
  exclude,
  MILLISECOND,
  refuse,
  show,
  tooShort,
} from "../base/rules.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { isLiteralSubject, isSubset, isValidSubject } from "../streams/subjects.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";
import type { ConsumerBounds } from "./consumer-limits.ts";
import { checkPriority } from "./priority-rules.ts";
import { OWN_LABELS } from "./start-note.ts";
import { checkWorkQueue } from "./work-queue.ts";

/**
 * Reports what nats-server 2.15 refuses in a consumer's config, given its stream (`checkConsumerCfg` in
 * server/consumer.go), and what it would silently rewrite or never act upon.
 *
 * @returns all problems; their paths are names of settings, e.g. `ackWait`.
 */
export function validateConsumer(
  config: ConsumerConfig,
  stream: StreamConfig,
  bounds: ConsumerBounds = {},
): Problem[] {
  const context = { stream, bounds, isPush: (config.deliver_subject ?? "") !== "" };
  return RULES.flatMap((rule) => rule(config, context));
}

interface Context {
  readonly stream: StreamConfig;
  readonly bounds: ConsumerBounds;
  readonly isPush: boolean;
}

type Rule = (config: ConsumerConfig, context: Context) => Problem[];

const RULES: readonly Rule[] = [
  checkName,
  checkTexts,
  checkLabels,
  checkReplicas,
  checkFilters,
  checkStart,
  checkAcks,
  checkFlowControlAcks,
  checkPending,
  checkPush,
  checkPull,
  checkSample,
  checkPriority,
  checkInactive,
  checkWorkQueue,
];

function checkName({ name }: ConsumerConfig): Problem[] {
  return checkAssetName("consumer", name);
}

function checkLabels({ metadata = {} }: ConsumerConfig): Problem[] {
  return Object.keys(metadata)
    .filter((key) => key.startsWith(OWN_LABELS))
    .map((key) => ({
      path: "metadata",
      message: `"${key}" is the stack's own`,
      fix: `leave out names that begin with ${OWN_LABELS}`,
    }));
}

function checkReplicas(
  { num_replicas: replicas = 0 }: ConsumerConfig,
  { stream: { num_replicas: most = 1, retention = "limits" } }: Context,
): Problem[] {
  const more = replicas > most;
  return [
    ...refuse(
      more,
      "replicas",
      `${replicas} is more than its stream has: ${most}`,
      `use ${most} at most, or leave it out: it has as many as its stream then`,
    ),
    ...refuse(
      !more && retention !== "limits" && replicas !== 0 && replicas !== most,
      "replicas",
      `with retention: ${retention} a consumer has as many as its stream: ${most}`,
      "leave it out",
    ),
  ];
}

function checkFilters({ filter_subject: one = "", filter_subjects: several = [] }: ConsumerConfig) {
  const filters = [...several, ...(one === "" ? [] : [one])];
  const path = several.length > 0 ? "filterSubjects" : "filterSubject";
  return [
    ...exclude(one !== "" && several.length > 0, "filterSubject", "filterSubjects"),
    ...filters.flatMap((filter, index) => {
      if (!isValidSubject(filter)) {
        const message = `"${filter}" is not a subject`;
        return refuse(true, path, message, "write tokens between dots; * is one, > is the rest");
      }
      const rival = filters.find(
        (other, place) => place !== index && isValidSubject(other) && isSubset(filter, other),
      );
      return refuse(
        rival !== undefined,
        path,
        `"${filter}" ${rival === filter ? "is listed twice" : `is part of "${rival}"`}`,
        "remove or narrow one",
      );
    }),
  ];
}

function checkStart({
  deliver_policy: policy = "all",
  opt_start_seq: sequence = 0,
  opt_start_time: time,
  filter_subject: one = "",
  filter_subjects: several = [],
}: ConsumerConfig): Problem[] {
  const bySequence = policy === "by_start_sequence";
  const byTime = policy === "by_start_time";
  const unfiltered = one === "" && several.length === 0;
  return [
    ...refuse(
      bySequence && sequence === 0,
      "startSequence",
      `is missing: deliverPolicy is ${policy}`,
    ),
    ...refuse(byTime && time === undefined, "startTime", `is missing: deliverPolicy is ${policy}`),
    ...exclude(!bySequence && sequence > 0, "startSequence", `deliverPolicy: ${policy}`),
    ...exclude(!byTime && time !== undefined, "startTime", `deliverPolicy: ${policy}`),
    ...refuse(
      policy === "last_per_subject" && unfiltered,
      "deliverPolicy",
      "last_per_subject needs to know which subjects",
      'set filterSubjects; [">"] are all',
    ),
  ];
}

function checkAcks({
  ack_policy: acks = "explicit",
  ack_wait: wait = 0,
  backoff = [],
  max_deliver: deliver = -1,
}: ConsumerConfig): Problem[] {
  const [first] = backoff;
  return [
    ...refuse(wait < 0, "ackWait", `${show(wait)} is negative`),
    ...refuse(
      first !== undefined && wait !== 0 && wait !== first,
      "ackWait",
      `backoff begins with ${show(first ?? 0)}, which takes its place`,
      "remove it",
    ),
    ...refuse(
      backoff.length > 0 && deliver > 0 && backoff.length > deliver,
      "backoff",
      `has ${backoff.length} entries, but maxDeliver is ${deliver}`,
      "raise maxDeliver, or take entries out",
    ),
    ...exclude(acks === "none" && wait > 0, "ackWait", "ackPolicy: none"),
    ...exclude(acks === "none" && backoff.length > 0, "backoff", "ackPolicy: none"),
  ];
}

/** By `flow_control` mirrors and sources acknowledge. */
function checkFlowControlAcks(config: ConsumerConfig, { isPush }: Context): Problem[] {
  if (config.ack_policy !== "flow_control") return [];
  const rival = "ackPolicy: flow_control";
  return [
    ...refuse(!isPush, "ackPolicy", "flow_control is for push consumers", "set deliverSubject"),
    ...exclude((config.ack_wait ?? 0) > 0, "ackWait", rival),
    ...exclude((config.backoff?.length ?? 0) > 0, "backoff", rival),
    ...exclude((config.max_deliver ?? -1) > 0, "maxDeliver", rival),
    ...exclude((config.max_ack_pending ?? 1) < 0, "maxAckPending", `${rival} if it is -1`),
    ...exclude(config.flow_control === false, "flowControl", `${rival} if it is false`),
    ...refuse(
      config.idle_heartbeat !== undefined && config.idle_heartbeat !== 1000 * MILLISECOND,
      "idleHeartbeat",
      `is always 1s with ${rival}`,
      "remove it",
    ),
  ];
}

function checkPending(
  { ack_policy: acks = "explicit", max_ack_pending: pending = 0 }: ConsumerConfig,
  { stream: { consumer_limits: { max_ack_pending: ofStream = 0 } = {} }, bounds, isPush }: Context,
): Problem[] {
  const { maxAckPending: general = 0 } = bounds;
  const over = (most: number, whose: string) =>
    refuse(
      most > 0 && pending > most,
      "maxAckPending",
      `${pending} is more than ${whose}: ${most}`,
      `use ${most} at most, or raise that`,
    );
  return [
    ...exclude(isPush && acks === "none" && pending > 0, "maxAckPending", "ackPolicy: none"),
    ...over(ofStream, "the stream's consumerLimits.maxAckPending"),
    ...over(general, "the account or the servers allow"),
  ];
}

function checkPush(config: ConsumerConfig, { stream, isPush }: Context): Problem[] {
  if (!isPush) return [];
  const { deliver_subject: subject = "", idle_heartbeat: heartbeat = 0 } = config;
  const rival = (stream.subjects ?? []).find((each) => isSubset(subject, each));
  const isLiteral = isLiteralSubject(subject);
  const pull = "deliverSubject: it is for pull consumers";
  const priority = (config.priority_policy ?? "none") !== "none";
  return [
    ...refuse(!isLiteral, "deliverSubject", `"${subject}" is not a subject without wildcards`),
    ...refuse(
      isLiteral && rival !== undefined,
      "deliverSubject",
      `"${subject}" comes back into the stream by its subject "${rival}"`,
      "use one that the stream does not take",
    ),
    ...exclude((config.max_waiting ?? 0) > 0, "maxWaiting", pull),
    ...exclude((config.max_batch ?? 0) > 0, "maxBatch", pull),
    ...exclude((config.max_expires ?? 0) > 0, "maxExpires", pull),
    ...exclude((config.max_bytes ?? -1) > 0, "maxBytes", pull),
    ...exclude(priority, "priorityPolicy", pull),
    ...refuse(
      tooShort(heartbeat, 100 * MILLISECOND),
      "idleHeartbeat",
      `${show(heartbeat)} is less than 100ms`,
    ),
    ...refuse(
      config.flow_control === true && heartbeat === 0 && config.ack_policy !== "flow_control",
      "flowControl",
      "needs heartbeats, by which clients notice that they were left out",
      "set idleHeartbeat",
    ),
  ];
}

function checkPull(config: ConsumerConfig, { bounds, isPush }: Context): Problem[] {
  if (isPush) return [];
  const push = "it is for push consumers";
  const { max_expires: expires = 0, max_batch: batch = 0 } = config;
  const { maxRequestBatch: most = 0 } = bounds;
  const needs = (condition: boolean, path: string) =>
    refuse(condition, path, push, "set deliverSubject, or remove it");
  return [
    ...needs((config.rate_limit_bps ?? 0) > 0, "rateLimit"),
    ...needs((config.idle_heartbeat ?? 0) > 0, "idleHeartbeat"),
    ...needs(config.flow_control === true, "flowControl"),
    ...needs((config.deliver_group ?? "") !== "", "deliverGroup"),
    ...refuse(tooShort(expires, MILLISECOND), "maxExpires", `${show(expires)} is less than 1ms`),
    ...refuse(
      most > 0 && batch > most,
      "maxBatch",
      `${batch} is more than the servers allow: ${most}`,
      `use ${most} at most, or raise maxRequestBatch`,
    ),
  ];
}

function checkSample({ sample_freq: sample = "" }: ConsumerConfig): Problem[] {
  const fits = sample === "" || /^\d{1,9}%?$/.test(sample);
  return refuse(!fits, "sampleFrequency", `"${sample}" is no share in percent, e.g. 30%`);
}

function checkInactive(
  { inactive_threshold: idle = 0 }: ConsumerConfig,
  { stream: { consumer_limits: { inactive_threshold: most = 0 } = {} } }: Context,
): Problem[] {
  return refuse(
    most > 0 && idle > most,
    "inactiveThreshold",
    `${show(idle)} is more than the stream's consumerLimits.inactiveThreshold: ${show(most)}`,
    `use ${show(most)} at most, or raise that`,
  );
}
