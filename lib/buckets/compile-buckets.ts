/** From the settings of buckets and object stores to streams, each by itself. */
import type { Problem } from "../base/errors.ts";
import type { Estate } from "../streams/across.ts";
import {
  type CompiledStream,
  compileStream,
  type StreamSettings,
} from "../streams/stream-config.ts";
import type { KeyedStream } from "../streams/stream-name.ts";
import { type BucketPlan, bucketPath, streamNameOf } from "./bucket-kinds.ts";
import { bucketProblems, mirrorProblems, nameProblems } from "./bucket-rules.ts";
import type { BucketSettings, ObjectStoreSettings } from "./bucket-settings.ts";
import { streamOfBucket, streamOfObjectStore } from "./bucket-stream.ts";
import { inOwnTerms } from "./bucket-words.ts";

/** A bucket's stream, before its placement is planned. */
export interface BucketStream extends KeyedStream, CompiledStream {
  readonly bucket: BucketPlan;
  readonly stream: StreamSettings;
}

interface BucketsSettings {
  readonly buckets: Readonly<Record<string, BucketSettings>>;
  readonly objectStores: Readonly<Record<string, ObjectStoreSettings>>;
  /** The first account. */
  readonly account: string;
}

/** The streams of all buckets and object stores, with all that is wrong with them, in their own words. */
export function compileBuckets(
  { buckets, objectStores, account: first }: BucketsSettings,
  estate: Estate,
): BucketStream[] {
  const wanted = Object.entries(buckets).map(([key, settings]) => {
    const { bucket: name = key, account = first, entries = {} } = settings;
    const plan = { kind: "bucket", key, name, entries: Object.keys(entries) } as const;
    return { plan, account, settings };
  });
  const unlike = mirrorProblems(wanted);
  const stores = Object.entries(objectStores).map(([key, settings]) => {
    const { objectStore: name = key, account = first } = settings;
    const plan: BucketPlan = { kind: "objectStore", key, name, entries: [] };
    return compile(plan, account, streamOfObjectStore(name, settings), [], estate);
  });
  return [
    ...wanted.map(({ plan, account, settings }) => {
      const own = bucketProblems(plan.name, settings).map((problem) => ({
        ...problem,
        path: bucketPath(plan, problem.path),
      }));
      const ofMirror = unlike.filter(({ path }) => path.startsWith(`${bucketPath(plan)}.`));
      const problems = [...own, ...ofMirror];
      return compile(plan, account, streamOfBucket(plan.name, settings), problems, estate);
    }),
    ...stores,
  ];
}

/** @param own what is wrong with it as a bucket. */
function compile(
  bucket: BucketPlan,
  account: string,
  stream: StreamSettings,
  own: readonly Problem[],
  estate: Estate,
): BucketStream {
  const key = streamNameOf(bucket.kind, bucket.key);
  const { config, problems } = compileStream(key, stream, estate);
  const unnamed = nameProblems(bucket);
  const said = new Set(own.map(({ path }) => path));
  // A name that no bucket has is none of a stream either: the rest would only repeat it.
  const others = inOwnTerms(problems, [bucket]).filter(
    ({ path }) => unnamed.length === 0 && !said.has(path),
  );
  return {
    key,
    name: config.name,
    account,
    bucket,
    stream,
    config,
    problems: [...unnamed, ...own, ...others],
  };
}
