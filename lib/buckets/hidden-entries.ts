/** Separates the values of buckets' entries, which may be secrets, from all other settings of buckets. */
import { PASSWORD_PLACEHOLDER } from "../accounts/hidden-passwords.ts";
import { isMap } from "../base/records.ts";

/**
 * Replaces each value of an entry by {@link PASSWORD_PLACEHOLDER}, and also each bucket that should be a map but isn't:
 * errors quote such values, and they may be secrets in the wrong place. Those of entries quote none.
 */
export function hideEntries(buckets: unknown): unknown {
  const hidden = mapEntries(buckets, (value) =>
    typeof value === "string" ? PASSWORD_PLACEHOLDER : value,
  );
  return mapMembers(hidden, (bucket) => (isMap(bucket) ? bucket : PASSWORD_PLACEHOLDER));
}

/** The values that {@link hideEntries} removes, by key, of one bucket. */
export function entriesOf(bucket: unknown): Readonly<Record<string, unknown>> {
  return isMap(bucket) && isMap(bucket.entries) ? bucket.entries : {};
}

/** Replaces each value of an entry by the result of `change`. Everything else stays as it is, even where it is invalid. */
export function mapEntries(
  buckets: unknown,
  change: (value: unknown, key: string, bucket: string) => unknown,
): unknown {
  return mapMembers(buckets, (bucket, name) =>
    isMap(bucket) && "entries" in bucket
      ? {
          ...bucket,
          entries: mapMembers(bucket.entries, (value, key) => change(value, key, name)),
        }
      : bucket,
  );
}

function mapMembers(value: unknown, change: (member: unknown, name: string) => unknown): unknown {
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, change(member, name)]),
  );
}
