/** Says of a bucket what is said of its stream, by the names that its users know. */
import type { Problem } from "../base/errors.ts";
import { FIELDS_BY_API_NAME } from "../streams/stream-fields.ts";
import {
  BUCKET_KINDS,
  type BucketKind,
  type BucketPlan,
  bucketPath,
  streamNameOf,
} from "./bucket-kinds.ts";

/** Settings of streams that no bucket has under any name, by what stands for them. */
const IMPLIED: Readonly<Record<BucketKind, ReadonlyMap<string, string>>> = {
  bucket: new Map([
    ["allowMsgTtl", "limitMarkerTtl"],
    ["stream", "bucket"],
  ]),
  objectStore: new Map([["stream", "objectStore"]]),
};

/** The settings of a stream by the names that they have for a bucket, where those differ. */
function settingNames(kind: BucketKind): ReadonlyMap<string, string> {
  const renamed = Object.entries(BUCKET_KINDS[kind].fields).flatMap(([name, { api }]) => {
    const setting = FIELDS_BY_API_NAME.get(api)?.setting ?? name;
    return setting === name ? [] : [[setting, name] as const];
  });
  return new Map([...IMPLIED[kind], ...renamed]);
}

const NAMES: Readonly<Record<BucketKind, ReadonlyMap<string, string>>> = {
  bucket: settingNames("bucket"),
  objectStore: settingNames("objectStore"),
};

/**
 * A text about a stream as one about the bucket that it is.
 *
 * @param stream its name on the servers. Other text stays, and so do other streams.
 */
export function inBucketWords(kind: BucketKind, stream: string, text: string): string {
  const { noun, prefix } = BUCKET_KINDS[kind];
  const words = [...NAMES[kind]].filter(([word]) => word !== "stream");
  const named = text.replaceAll(new RegExp(`(?<![\\w.$-])${stream}(?![\\w-])`, "g"), () =>
    stream.slice(prefix.length),
  );
  return words
    .reduce((said, [word, own]) => said.replaceAll(new RegExp(`\\b${word}\\b`, "g"), own), named)
    .replaceAll(/\ba stream\b/g, noun.startsWith("o") ? `an ${noun}` : `a ${noun}`)
    .replaceAll(/\bstream\b/g, noun);
}

/** Problems of a plan with the paths and words of its buckets, for those that are about one. */
export function inOwnTerms(
  problems: readonly Problem[],
  buckets: readonly BucketPlan[],
): readonly Problem[] {
  const byStream = new Map(
    buckets.map((bucket) => [streamNameOf(bucket.kind, bucket.key), bucket] as const),
  );
  return problems.map((problem) => {
    const [, rest = ""] = /^streams\.(.*)$/s.exec(problem.path) ?? [];
    const [stream, bucket] =
      [...byStream].find(([key]) => rest === key || rest.startsWith(`${key}.`)) ?? [];
    if (stream === undefined || !bucket) return mentioning(problem, byStream);
    const { kind } = bucket;
    const say = (text: string) =>
      inBucketWords(kind, streamNameOf(kind, bucket.name), withPaths(text, byStream));
    const setting = rest.slice(stream.length + 1);
    const [first = ""] = /^\w*/.exec(setting) ?? [];
    const own = `${NAMES[kind].get(first) ?? first}${setting.slice(first.length)}`;
    return {
      path: bucketPath(bucket, own),
      message: say(problem.message),
      ...(problem.fix === undefined ? {} : { fix: say(problem.fix) }),
    };
  });
}

/** A problem of something else, which may name the path of a bucket's stream. */
function mentioning(problem: Problem, buckets: ReadonlyMap<string, BucketPlan>): Problem {
  return { ...problem, message: withPaths(problem.message, buckets) };
}

function withPaths(text: string, buckets: ReadonlyMap<string, BucketPlan>): string {
  return [...buckets].reduce(
    (said, [stream, bucket]) => said.replaceAll(`streams.${stream} `, `${bucketPath(bucket)} `),
    text,
  );
}
