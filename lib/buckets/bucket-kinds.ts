/** Key-value buckets and object stores, as streams that go by other names. */
import type { FieldTable } from "../base/field-table.ts";
import { BUCKET_FIELDS, OBJECT_STORE_FIELDS } from "./bucket-fields.ts";

interface KindRow {
  /** The setting that has them by name. */
  readonly setting: "buckets" | "objectStores";
  /** What users call one. */
  readonly noun: string;
  /** What the name of its stream begins with. */
  readonly prefix: string;
  readonly fields: FieldTable;
}

/** The kinds by the name that the other setting for one's name has, e.g. `buckets.CONFIG_EU.bucket`. */
export const BUCKET_KINDS = {
  bucket: { setting: "buckets", noun: "bucket", prefix: "KV_", fields: BUCKET_FIELDS },
  objectStore: {
    setting: "objectStores",
    noun: "object store",
    prefix: "OBJ_",
    fields: OBJECT_STORE_FIELDS,
  },
} as const satisfies Readonly<Record<string, KindRow>>;

export type BucketKind = keyof typeof BUCKET_KINDS;

/** Of what kind something in the settings is, and its key there. */
export interface KeyedBucket {
  readonly kind: BucketKind;
  readonly key: string;
}

/** A bucket or an object store of a plan. */
export interface BucketPlan extends KeyedBucket {
  /** Its name for clients. */
  readonly name: string;
  /** The keys whose values the settings have; empty for object stores. */
  readonly entries: readonly string[];
}

/** The name of the stream of a bucket, and the key of that stream in a plan: `KV_CONFIG`. */
export function streamNameOf(kind: BucketKind, name: string): string {
  return `${BUCKET_KINDS[kind].prefix}${name}`;
}

/** The path of a bucket, or of one of its settings, in problems: e.g. `buckets.CONFIG.history`. */
export function bucketPath({ kind, key }: KeyedBucket, setting = ""): string {
  return [BUCKET_KINDS[kind].setting, key, ...(setting === "" ? [] : [setting])].join(".");
}

/** Names a bucket for users, e.g. `bucket CONFIG`. */
export function bucketName({ kind, name }: Pick<BucketPlan, "kind" | "name">): string {
  return `${BUCKET_KINDS[kind].noun} ${name}`;
}
