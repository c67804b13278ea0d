/** What is wrong with buckets and object stores, besides what is wrong with their streams. */
import type { Problem } from "../base/errors.ts";
import { formatBytes, formatDuration, UNLIMITED } from "../base/quantities.ts";
import { exclude, refuse } from "../base/rules.ts";
import { BUCKET_KINDS, type BucketPlan, bucketPath, streamNameOf } from "./bucket-kinds.ts";
import type { BucketSettings } from "./bucket-settings.ts";

/** `validBucketRe` and `validKeyRe` of nats.go 1.55, which all clients have. */
const BUCKET = /^[-\w]+$/;
const KEY = /^[-/=.\w]+$/;

const BUCKET_RULE = "use letters, digits, - and _";
const KEY_RULE = "use letters, digits and - _ / = . with no dot first, last or beside another";

/** Reports a name that no client takes for one of a bucket. Its path is that of the bucket, or of its name. */
export function nameProblems({ kind, key, name }: BucketPlan): Problem[] {
  const { noun } = BUCKET_KINDS[kind];
  const article = noun.startsWith("o") ? "an" : "a";
  return refuse(
    !BUCKET.test(name),
    bucketPath({ kind, key }, name === key ? "" : kind),
    `"${name}" can't name ${article} ${noun}`,
    BUCKET_RULE,
  );
}

/** Reports what a bucket can't have. @returns problems whose paths are relative to it. */
export function bucketProblems(
  name: string,
  { mirror, sources = [], entries = {} }: BucketSettings,
): Problem[] {
  const origins = [
    ...(mirror ? [["mirror", mirror] as const] : []),
    ...sources.map((source, index) => [`sources[${index}]`, source] as const),
  ];
  return [
    ...exclude(mirror !== undefined && sources.length > 0, "mirror", "sources"),
    ...origins.flatMap(([path, { name: origin = "", external }]) => [
      ...refuse(
        !BUCKET.test(origin),
        `${path}.name`,
        `"${origin}" can't name a bucket`,
        `${BUCKET_RULE}; its stream is found by itself`,
      ),
      ...refuse(
        origin === name && external === undefined,
        `${path}.name`,
        "a bucket can't be a copy of itself",
        "name another one, or say by external where it is",
      ),
    ]),
    ...refuse(
      mirror !== undefined && Object.keys(entries).length > 0,
      "entries",
      "a mirror has what its origin has, and takes nothing else",
      "give them to that one",
    ),
    ...Object.keys(entries).flatMap((key) =>
      refuse(!isKey(key), `entries.${key}`, `"${key}" can't be a key`, KEY_RULE),
    ),
  ];
}

function isKey(key: string): boolean {
  return KEY.test(key) && !key.split(".").includes("");
}

/** A bucket of the settings, before it is a stream. */
export interface WantedBucket {
  readonly plan: BucketPlan;
  readonly account: string;
  readonly settings: BucketSettings;
}

/**
 * Reports mirrors that keep other values than their origins, if these are in the settings: readers are answered by
 * either, and what the one has dropped, the other would still give.
 */
export function mirrorProblems(buckets: readonly WantedBucket[]): Problem[] {
  return buckets.flatMap(({ plan, account, settings }) => {
    const { mirror } = settings;
    if (!mirror || mirror.external) return [];
    const origin = buckets.find(
      (each) => each.plan.name === mirror.name && each.account === account,
    );
    if (!origin || origin.plan === plan) return [];
    return MIRRORED.flatMap(({ setting, standard, show, mayBeMore }) => {
      const own = settings[setting] ?? standard;
      const wanted = origin.settings[setting] ?? standard;
      const fits = own === wanted || (mayBeMore && isMore(own, wanted));
      return refuse(
        !fits,
        bucketPath(plan, setting),
        `${show(own)} is not what its origin has, ${bucketPath(origin.plan)}: ${show(wanted)}`,
        mayBeMore ? "give both the same, or the mirror more" : "give both the same",
      );
    });
  });
}

function isMore(own: number, wanted: number): boolean {
  return own < 1 || (wanted > 0 && own > wanted);
}

const showTime = (time: number) => (time === 0 ? "none" : formatDuration(time));
const showSize = (size: number) => (size < 1 ? "no limit" : formatBytes(size));

/** What a mirror has as its origin, and what it may have more of: one that is full stays behind. */
const MIRRORED = [
  { setting: "history", standard: 1, show: String, mayBeMore: false },
  { setting: "ttl", standard: 0, show: showTime, mayBeMore: false },
  { setting: "limitMarkerTtl", standard: 0, show: showTime, mayBeMore: false },
  { setting: "maxBytes", standard: UNLIMITED, show: showSize, mayBeMore: true },
  { setting: "maxValueSize", standard: UNLIMITED, show: showSize, mayBeMore: true },
] as const;

/** Reports buckets whose stream is in the settings as a stream, too, by its key. */
export function clashProblems(
  buckets: readonly BucketPlan[],
  streams: Readonly<Record<string, unknown>>,
): Problem[] {
  return buckets.flatMap(({ kind, key }) => {
    const stream = streamNameOf(kind, key);
    return refuse(
      Object.hasOwn(streams, stream),
      bucketPath({ kind, key }),
      `is stream ${stream}, and streams.${stream} is in the settings, too`,
      "take one of them out, or give one another name there",
    );
  });
}
