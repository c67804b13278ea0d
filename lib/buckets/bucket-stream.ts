/** The stream of a bucket or an object store: its settings, as NATS's clients would make it. */
import type { FieldTable } from "../base/field-table.ts";
import type { StreamSettings } from "../streams/stream-config.ts";
import { DUPLICATE_WINDOW } from "../streams/stream-diff.ts";
import { FIELDS_BY_API_NAME, type StreamFields } from "../streams/stream-fields.ts";
import { BUCKET_FIELDS, OBJECT_STORE_FIELDS } from "./bucket-fields.ts";
import { streamNameOf } from "./bucket-kinds.ts";
import type { BucketSettings, ObjectStoreSettings } from "./bucket-settings.ts";

/** All subjects of a bucket's values. */
export function bucketSubjects(bucket: string): string {
  return `$KV.${bucket}.>`;
}

/** The subject of a bucket's value. */
export function entrySubject(bucket: string, key: string): string {
  return `$KV.${bucket}.${key}`;
}

/** What NATS's clients give every bucket and every object store. */
const ALIKE = { discard: "new", allowRollup: true, allowDirect: true } as const;

/**
 * The settings of a bucket's stream.
 *
 * @param name of the bucket.
 */
export function streamOfBucket(name: string, settings: BucketSettings): StreamSettings {
  const { bucket: _, entries: __, mirror, sources, ...own } = settings;
  const { history = 1, ttl = 0, limitMarkerTtl = 0 } = own;
  const { subjectDeleteMarkerTtl, ...same } = rename(BUCKET_FIELDS, own);
  return {
    ...same,
    ...ALIKE,
    stream: streamNameOf("bucket", name),
    maxMsgsPerSubject: history,
    denyDelete: true,
    ...(limitMarkerTtl > 0 ? { allowMsgTtl: true } : {}),
    // The markers of a mirror come from its origin, and the server refuses that it makes some itself.
    ...(mirror || subjectDeleteMarkerTtl === undefined ? {} : { subjectDeleteMarkerTtl }),
    ...(mirror
      ? { mirror: originOf(mirror), mirrorDirect: true }
      : { subjects: [bucketSubjects(name)] }),
    ...(sources
      ? {
          sources: sources.map((source) => sourceOf(source, name)),
          // As nats.go has it; a stream with sources has none by itself.
          duplicateWindow: ttl > 0 ? Math.min(ttl, DUPLICATE_WINDOW) : DUPLICATE_WINDOW,
        }
      : {}),
  };
}

/**
 * The settings of an object store's stream.
 *
 * @param name of the object store.
 */
export function streamOfObjectStore(name: string, settings: ObjectStoreSettings): StreamSettings {
  const { objectStore: _, ...own } = settings;
  return {
    ...rename(OBJECT_STORE_FIELDS, own),
    ...ALIKE,
    stream: streamNameOf("objectStore", name),
    subjects: [`$O.${name}.C.>`, `$O.${name}.M.>`],
  };
}

type BucketOrigin = NonNullable<BucketSettings["mirror"]>;
type StreamOrigin = NonNullable<StreamSettings["mirror"]>;

function originOf({ name, external }: BucketOrigin): StreamOrigin {
  return {
    name: streamNameOf("bucket", name ?? ""),
    ...(external === undefined ? {} : { external }),
  };
}

/** Values come under the subjects of this bucket. */
function sourceOf(source: BucketOrigin, bucket: string): StreamOrigin {
  if (source.name === bucket) return originOf(source);
  const transform = { src: bucketSubjects(source.name ?? ""), dest: bucketSubjects(bucket) };
  return { ...originOf(source), subjectTransforms: [transform] };
}

/** Settings of a bucket by the names that they have for its stream; those that aren't in the table keep theirs. */
function rename(
  table: FieldTable,
  { compression, ...settings }: object & { readonly compression?: boolean },
): StreamSettings {
  const renamed = Object.entries(settings).map(([name, value]) => [
    streamSetting(table, name),
    value,
  ]);
  const compressed: Pick<StreamSettings, "compression"> =
    compression === undefined ? {} : { compression: compression ? "s2" : "none" };
  // TypeScript can't infer the type, as the names come from the table.
  return { ...(Object.fromEntries(renamed) as StreamSettings), ...compressed };
}

function streamSetting(table: FieldTable, name: string): keyof StreamFields | string {
  const api = Object.hasOwn(table, name) ? table[name]?.api : undefined;
  return (api && FIELDS_BY_API_NAME.get(api)?.setting) ?? name;
}
