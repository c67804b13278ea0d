import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  type Assessment,
  adoptFields,
  defaultsOf,
  describeFieldChange,
  diffObject,
  type Field,
  type FieldChange,
  fieldOf,
  isEqual,
  normalizeObject,
  refused,
  sortKeys,
} from "../base/field-table.ts";
import {
  type ApiPlacement,
  STREAM_FIELDS,
  type StreamConfig,
  type StreamFields,
} from "./stream-fields.ts";

/**
 * The config with the server's defaults filled in. An update with it resets each field that the config leaves out,
 * however client and server treat absent fields. Fields with an API level stay absent if they aren't set.
 */
export function completeConfig(config: StreamConfig): StreamConfig {
  return { ...defaultsOf(STREAM_FIELDS), ...derivedDefaults(config), ...config };
}

/**
 * The normal form of a config, see {@link normalizeObject}. It also leaves out the fields that the server itself
 * sets, so that a config and the server's rewrite of it are equal. Compare it, don't send it.
 */
export function normalizeConfig(config: StreamConfig): StreamConfig {
  const ignored = new Set<string>(overruledBySeal(config));
  if (config.mirror && !config.mirror.external) ignored.add("mirror_direct");
  const said: Partial<StreamConfig> = Object.fromEntries(
    Object.entries(config).filter(([api]) => !ignored.has(api)),
  );
  const normal = normalizeObject<StreamFields>(STREAM_FIELDS, said, derivedDefaults(config));
  return { name: config.name, ...normal };
}

/**
 * The fields that differ, each with the effect of an update, see {@link diffObject}. Another name has the path
 * `name`.
 */
export function diffConfig(observed: StreamConfig, desired: StreamConfig): readonly FieldChange[] {
  // Most are equal in most previews, and then need no normal form.
  if (isDeepStrictEqual(observed, desired)) return [];
  const [from, to] = [observed.name, desired.name];
  const renamed =
    from === to ? [] : [{ path: "name", from, to, ...refused("a stream keeps its name") }];
  const [before, after] = [normalizeConfig(observed), normalizeConfig(desired)];
  const rules = { noun: "stream", assessInPlace };
  return [...renamed, ...diffObject<StreamFields>(STREAM_FIELDS, before, after, rules)];
}

/** A digest of the config's normal form: 12 characters of base64url. Configs of the same meaning have the same one. */
export function digestConfig(config: StreamConfig): string {
  const normal = JSON.stringify(sortKeys(Object.entries(normalizeConfig(config))));
  return createHash("sha256").update(normal).digest("base64url").slice(0, 12);
}

/**
 * The desired config with its tags in the order that the observed config has, if both placements mean the same. The
 * server (2.15, `jsClusteredStreamUpdateRequest`) would move the stream for tags in another order.
 */
export function mergeTagOrder(desired: StreamConfig, observed: StreamConfig): StreamConfig {
  const [wanted, found] = [desired, observed].map(({ placement = {} }) =>
    normalizeObject<StreamFields>(STREAM_FIELDS, { placement }),
  );
  const same = isEqual(wanted, found);
  return same && observed.placement ? { ...desired, placement: observed.placement } : desired;
}

/**
 * A placement of the same meaning, written differently: a tag is repeated (or no longer), or an empty list of tags is
 * added. The server takes it for a change, and chooses the stream's hosts again.
 */
export function restatePlacement(placement: ApiPlacement | undefined): ApiPlacement {
  const tags = placement?.tags ?? [];
  const distinct = [...new Set(tags)];
  const restated = distinct.length < tags.length ? distinct : [...tags, ...tags.slice(-1)];
  return { ...placement, tags: restated };
}

/** `written`, with the server's value in each field whose value on the server means something else. */
export function adoptObserved(written: StreamConfig, observed: StreamConfig): StreamConfig {
  const changes = diffConfig(written, observed);
  if (changes.length === 0) return written;
  const names = changes.map(({ path }) => fieldOf(STREAM_FIELDS, path)?.api ?? path);
  // An adopted value may change the default of another field, so compare again.
  return adoptObserved(adoptFields(written, normalizeConfig(observed), names), observed);
}

/** Describes a change to users, e.g. `storage: file → memory` or `maxAge: 0 → 7d`. */
export function describeChange(change: FieldChange): string {
  return describeFieldChange(STREAM_FIELDS, change);
}

/** Describes each refused change with its reason. */
export function describeRefusals(changes: readonly FieldChange[]): string[] {
  return changes
    .filter(({ effect }) => effect === "refused")
    .map((change) => `${describeChange(change)}: ${change.reason}`);
}

/** nats-server's `StreamDefaultDuplicatesWindow`: 2 minutes, in nanoseconds. */
export const DUPLICATE_WINDOW = 120_000_000_000;

/** Defaults that depend on other fields (`checkStreamCfg` in nats-server's server/stream.go). */
function derivedDefaults(config: StreamConfig): Partial<StreamConfig> {
  const copies = config.mirror !== undefined || (config.sources?.length ?? 0) > 0;
  const age = config.max_age ?? 0;
  return {
    ...(copies ? {} : { subjects: [config.name] }),
    duplicate_window: copies ? 0 : age > 0 ? Math.min(age, DUPLICATE_WINDOW) : DUPLICATE_WINDOW,
  };
}

/** API names of the fields whose values the server overrides in a sealed stream. */
function overruledBySeal({ sealed }: StreamConfig): readonly string[] {
  return sealed
    ? ["max_age", "duplicate_window", "discard", "deny_delete", "deny_purge", "allow_rollup_hdrs"]
    : [];
}

function assessInPlace(field: Field, from: unknown, to: unknown): Assessment {
  if (field.api === "retention" && (from === "workqueue" || to === "workqueue")) {
    return refused("a stream can't become a work queue, nor stop being one");
  }
  if (field.api === "retention" && to === "interest") {
    return { effect: "in place", reason: "messages that no consumer waits for are deleted" };
  }
  const limits = field.kind === "limit" || field.kind === "bytes" || field.api === "max_age";
  const lowered = limits && typeof to === "number" && (typeof from !== "number" || to < from);
  return lowered
    ? { effect: "in place", reason: "messages beyond it are deleted at once" }
    : { effect: "in place" };
}
