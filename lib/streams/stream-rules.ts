import type { Problem } from "../base/errors.ts";
import {
  checkAssetName,
  checkTexts,
  exclude,
  isAssetName,
  MILLISECOND,
  NAME_RULE,
  refuse,
  SECOND,
  show,
  tooShort,
} from "../base/rules.ts";
import type { StreamConfig } from "./stream-fields.ts";
import { isLiteralSubject, isSubset, isValidSubject, subjectsOverlap } from "./subjects.ts";

/**
 * Reports what nats-server 2.15 refuses in a stream's config by itself (`checkStreamCfg` in server/stream.go, error
 * 10052 and similar ones), and what it would silently rewrite. Not checked here: other streams, limits of the
 * account, and free space.
 *
 * @returns all problems; their paths are names of settings, e.g. `duplicateWindow`.
 */
export function validateConfig(config: StreamConfig): Problem[] {
  return RULES.flatMap((rule) => rule(config));
}

type Rule = (config: StreamConfig) => Problem[];

const MAX_MSG_SIZE = 2 ** 31 - 1;

const RULES: readonly Rule[] = [
  checkName,
  checkTexts,
  checkReplicas,
  checkDurations,
  checkSizes,
  checkTags,
  checkSubjects,
  checkReservedSubjects,
  checkDiscard,
  checkRollup,
  checkCounter,
  checkSchedules,
  checkPersistMode,
  checkMirror,
  checkMirrorDirect,
  checkSources,
  checkTransforms,
  checkRepublish,
];

function checkName({ name }: StreamConfig): Problem[] {
  return checkAssetName("stream", name);
}

function checkReplicas({ num_replicas: replicas = 1 }: StreamConfig): Problem[] {
  const fits = Number.isInteger(replicas) && replicas >= 1 && replicas <= 5;
  return refuse(!fits, "replicas", `a stream can't have ${replicas} replicas`, "use 1, 3 or 5");
}

function checkDurations(config: StreamConfig): Problem[] {
  const { max_age: age = 0, duplicate_window: window = 0 } = config;
  const { subject_delete_marker_ttl: marker = 0 } = config;
  return [
    ...refuse(tooShort(age, 100 * MILLISECOND), "maxAge", `${show(age)} is less than 100ms`),
    ...refuse(
      tooShort(window, 100 * MILLISECOND),
      "duplicateWindow",
      `${show(window)} is less than 100ms`,
    ),
    ...refuse(
      age > 0 && window > age,
      "duplicateWindow",
      `${show(window)} is longer than messages are kept (maxAge ${show(age)})`,
      `use ${show(age)} at most`,
    ),
    ...refuse(
      tooShort(marker, SECOND),
      "subjectDeleteMarkerTtl",
      `${show(marker)} is less than 1s`,
    ),
    ...refuse(
      marker > 0 && !(config.allow_msg_ttl && config.allow_rollup_hdrs),
      "subjectDeleteMarkerTtl",
      "delete markers expire by message TTL and replace what is older",
      "set allowMsgTtl and allowRollup to true",
    ),
  ];
}

function checkSizes({ max_msg_size: size = -1 }: StreamConfig): Problem[] {
  return refuse(size > MAX_MSG_SIZE, "maxMsgSize", `${size} bytes is more than ${MAX_MSG_SIZE}`);
}

function checkTags({ placement }: StreamConfig): Problem[] {
  const blank = placement?.tags?.some((tag) => tag.replace(/^!/, "").trim() === "") ?? false;
  return refuse(blank, "placement.tags", "a blank tag is on no server", "remove it");
}

function checkSubjects({
  subjects = [],
  no_ack: noAck,
  num_replicas: replicas = 1,
}: StreamConfig): Problem[] {
  const problems = subjects.flatMap((subject, index) => {
    if (!isValidSubject(subject)) {
      const message = `"${subject}" is not a subject`;
      return [
        { path: "subjects", message, fix: "write tokens between dots; * is one, > is the rest" },
      ];
    }
    const rival = subjects.slice(0, index).find((other) => subjectsOverlap(subject, other));
    if (rival === undefined) return [];
    const message = `"${subject}" ${rival === subject ? "is listed twice" : `overlaps with "${rival}"`}`;
    return [{ path: "subjects", message, fix: "remove or narrow one" }];
  });
  const everything = subjects.includes(">") && (!noAck || replicas !== 1);
  return [
    ...problems,
    ...refuse(
      everything,
      "subjects",
      '">" takes every message, answers too',
      "set noAck to true and replicas to 1",
    ),
  ];
}

const RESERVED = ["$JS.>", "$JSC.>", "$NRG.>", "$SYS.>"];
const OPEN_TO_STREAMS = ["$JS.EVENT.>", "$SYS.ACCOUNT.>"];

function checkReservedSubjects({ subjects = [], no_ack: noAck }: StreamConfig): Problem[] {
  if (noAck) return [];
  return subjects
    .filter(
      (subject) => subject !== ">" && RESERVED.some((space) => subjectsOverlap(subject, space)),
    )
    .filter((subject) => !OPEN_TO_STREAMS.some((space) => isSubset(subject, space)))
    .map((subject) => ({
      path: "subjects",
      message: `"${subject}" overlaps with the server's own subjects`,
      fix: "narrow it, or set noAck to true",
    }));
}

function checkDiscard(config: StreamConfig): Problem[] {
  const met = config.discard === "new" && (config.max_msgs_per_subject ?? -1) > 0;
  return refuse(
    config.discard_new_per_subject === true && !met,
    "discardNewPerSubject",
    "has no limit per subject to hold to",
    "set discard to new and maxMsgsPerSubject",
  );
}

function checkRollup({
  deny_purge: denyPurge,
  allow_rollup_hdrs: rollup,
}: StreamConfig): Problem[] {
  return refuse(
    denyPurge === true && rollup === true,
    "allowRollup",
    "a rollup purges, which denyPurge forbids",
    "switch one of them off",
  );
}

function checkCounter(config: StreamConfig): Problem[] {
  if (!config.allow_msg_counter) return [];
  return [
    ...exclude(config.discard === "new", "allowMsgCounter", "discard: new"),
    ...exclude(config.allow_msg_ttl, "allowMsgCounter", "allowMsgTtl"),
    ...exclude(config.allow_msg_schedules, "allowMsgCounter", "allowMsgSchedules"),
    ...exclude(
      (config.retention ?? "limits") !== "limits",
      "allowMsgCounter",
      `retention: ${config.retention}`,
    ),
  ];
}

function checkSchedules(config: StreamConfig): Problem[] {
  if (!config.allow_msg_schedules) return [];
  return [
    ...exclude(config.discard === "new", "allowMsgSchedules", "discard: new"),
    ...exclude(config.sources !== undefined, "allowMsgSchedules", "sources"),
    ...refuse(
      !config.allow_rollup_hdrs,
      "allowMsgSchedules",
      "a schedule is replaced by rollup",
      "set allowRollup to true",
    ),
  ];
}

function checkPersistMode(config: StreamConfig): Problem[] {
  if (config.persist_mode !== "async") return [];
  return [
    ...exclude(config.storage === "memory", "persistMode", "storage: memory"),
    ...exclude((config.num_replicas ?? 1) > 1, "persistMode", "more than 1 replica"),
    ...exclude(config.allow_atomic, "persistMode", "allowAtomic"),
  ];
}

function checkMirror(config: StreamConfig): Problem[] {
  const { mirror } = config;
  if (!mirror) return [];
  return [
    ...exclude((config.subjects?.length ?? 0) > 0, "mirror", "subjects"),
    ...exclude((config.sources?.length ?? 0) > 0, "mirror", "sources"),
    ...exclude((config.first_seq ?? 0) > 0, "mirror", "firstSequence"),
    ...exclude(
      (config.duplicate_window ?? 0) > 0,
      "mirror",
      "duplicateWindow (its origin has one)",
    ),
    ...exclude(config.allow_msg_counter, "mirror", "allowMsgCounter"),
    ...exclude(config.allow_atomic, "mirror", "allowAtomic"),
    ...exclude(config.allow_batched, "mirror", "allowBatched"),
    ...exclude(config.allow_msg_schedules, "mirror", "allowMsgSchedules"),
    ...exclude((config.subject_delete_marker_ttl ?? 0) > 0, "mirror", "subjectDeleteMarkerTtl"),
    ...refuse(
      mirror.name === config.name && mirror.external === undefined,
      "mirror.name",
      "a stream can't mirror itself",
    ),
    ...checkOrigin("mirror", mirror),
  ];
}

function checkMirrorDirect({ mirror, mirror_direct: direct }: StreamConfig): Problem[] {
  const alone = direct === true && !mirror;
  return refuse(alone, "mirrorDirect", "the stream is no mirror", "remove it, or name a mirror");
}

type Origin = NonNullable<StreamConfig["mirror"]>;

function checkSources({ sources = [] }: StreamConfig): Problem[] {
  const seen = new Set<string>();
  return sources.flatMap((source, index) => {
    const path = `sources[${index}]`;
    const { name, external, filter_subject: filter, subject_transforms: transforms } = source;
    const identity = JSON.stringify([name, external?.api, filter, transforms]);
    const repeated = seen.has(identity);
    seen.add(identity);
    return [...refuse(repeated, path, `"${name}" is listed twice`), ...checkOrigin(path, source)];
  });
}

function checkOrigin(path: string, origin: Origin): Problem[] {
  const { consumer, subject_transforms: transforms = [] } = origin;
  const sources = transforms.map(({ src }) => src ?? ">");
  const overlapping = sources.find((source, index) =>
    sources.slice(0, index).some((other) => subjectsOverlap(source, other)),
  );
  return [
    ...refuse(
      !isAssetName(origin.name),
      `${path}.name`,
      `"${origin.name}" can't name a stream`,
      NAME_RULE,
    ),
    ...exclude(
      origin.filter_subject !== undefined && transforms.length > 0,
      `${path}.filterSubject`,
      "subjectTransforms (their src is the filter)",
    ),
    ...exclude(
      origin.opt_start_seq !== undefined && origin.opt_start_time !== undefined,
      `${path}.startSequence`,
      "startTime",
    ),
    ...refuse(
      overlapping !== undefined,
      `${path}.subjectTransforms`,
      `"${overlapping}" overlaps with another src`,
    ),
    ...transforms.flatMap((transform) => checkTransform(`${path}.subjectTransforms`, transform)),
    ...(consumer ? checkOriginConsumer(`${path}.consumer`, origin, consumer) : []),
  ];
}

function checkOriginConsumer(
  path: string,
  origin: Origin,
  consumer: NonNullable<Origin["consumer"]>,
): Problem[] {
  const { name, deliver_subject: subject } = consumer;
  return [
    ...refuse(!isAssetName(name), `${path}.name`, `"${name}" can't name a consumer`, NAME_RULE),
    ...refuse(
      !isLiteralSubject(subject),
      `${path}.deliverSubject`,
      `"${subject}" is not a subject without wildcards`,
    ),
    ...exclude(
      origin.opt_start_seq !== undefined,
      path,
      "startSequence (the consumer has its own)",
    ),
    ...exclude(origin.opt_start_time !== undefined, path, "startTime (the consumer has its own)"),
    ...exclude(
      origin.filter_subject !== undefined,
      path,
      "filterSubject (the consumer has its own)",
    ),
  ];
}

function checkTransforms({ subject_transform: transform }: StreamConfig): Problem[] {
  return transform ? checkTransform("subjectTransform", transform) : [];
}

function checkTransform(
  path: string,
  { src = ">", dest = "" }: { readonly src?: string; readonly dest?: string },
): Problem[] {
  const source = src === "" ? ">" : src;
  const open = (subject: string) => subject === ">" || subject.endsWith(".>");
  return [
    ...refuse(!isValidSubject(source), `${path}.src`, `"${source}" is not a subject`),
    ...refuse(
      dest !== "" && open(source) !== open(dest),
      path,
      `"${source}" and "${dest}" must both end in > or neither`,
    ),
  ];
}

function checkRepublish({ republish, subjects = [] }: StreamConfig): Problem[] {
  if (!republish) return [];
  const rival = subjects.find((subject) => subjectsOverlap(republish.dest, subject));
  return [
    ...checkTransform("republish", republish),
    ...refuse(
      rival !== undefined,
      "republish.dest",
      `"${republish.dest}" comes back into the stream by its subject "${rival}"`,
      "republish to subjects that the stream does not take",
    ),
  ];
}
