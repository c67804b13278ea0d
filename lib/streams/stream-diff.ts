import { createHash } from "node:crypto";
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
 * The config with the server's defaults filled in, so that what it leaves out is unset by an update
 * whatever the client or server makes of absent fields. Fields of later API levels stay absent where they
 * are off.
 */
export function completeConfig(config: StreamConfig): StreamConfig {
  return { ...defaultsOf(STREAM_FIELDS), ...derivedDefaults(config), ...config };
}

/**
 * The one form that all configs of the same meaning share, see {@link normalizeObject}, with the server's rewrites
 * undone. For comparing, not for sending.
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
 * How an update from one config to another would go, see {@link diffObject}. A change of the name has the path `name`.
 */
export function diffConfig(observed: StreamConfig, desired: StreamConfig): readonly FieldChange[] {
  const [from, to] = [observed.name, desired.name];
  const renamed =
    from === to ? [] : [{ path: "name", from, to, ...refused("a stream keeps its name") }];
  const [before, after] = [normalizeConfig(observed), normalizeConfig(desired)];
  const rules = { noun: "stream", assessInPlace };
  return [...renamed, ...diffObject<StreamFields>(STREAM_FIELDS, before, after, rules)];
}

/** The same for configs that mean the same, in little room. */
export function digestConfig(config: StreamConfig): string {
  const normal = JSON.stringify(sortKeys(Object.entries(normalizeConfig(config))));
  return createHash("sha256").update(normal).digest("base64url").slice(0, 12);
}

/**
 * The desired config with the placement written as the server has it, where both mean the same: to the
 * server (2.15, `jsClusteredStreamUpdateRequest`) tags in another order are a move.
 */
export function mergeTagOrder(desired: StreamConfig, observed: StreamConfig): StreamConfig {
  const [wanted, found] = [desired, observed].map(({ placement = {} }) =>
    normalizeObject<StreamFields>(STREAM_FIELDS, { placement }),
  );
  const same = isEqual(wanted, found);
  return same && observed.placement ? { ...desired, placement: observed.placement } : desired;
}

/**
 * The same placement in other words, which the server takes for a change and so places the stream anew:
 * a tag said twice (or no longer), an empty list of tags instead of none.
 */
export function restatePlacement(placement: ApiPlacement | undefined): ApiPlacement {
  const tags = placement?.tags ?? [];
  const distinct = [...new Set(tags)];
  const restated = distinct.length < tags.length ? distinct : [...tags, ...tags.slice(-1)];
  return { ...placement, tags: restated };
}

/** The config as people wrote it, save for the fields in which the server's means something else. */
export function adoptObserved(written: StreamConfig, observed: StreamConfig): StreamConfig {
  const changes = diffConfig(written, observed);
  if (changes.length === 0) return written;
  const names = changes.map(({ path }) => fieldOf(STREAM_FIELDS, path)?.api ?? path);
  // An adopted field may have changed what another one's default is.
  return adoptObserved(adoptFields(written, normalizeConfig(observed), names), observed);
}

/** Writes a change for people, e.g. `storage: file → memory` or `maxAge: 0 → 7d`. */
export function describeChange(change: FieldChange): string {
  return describeFieldChange(STREAM_FIELDS, change);
}

/** Says of each refused change why. */
export function describeRefusals(changes: readonly FieldChange[]): string[] {
  return changes
    .filter(({ effect }) => effect === "refused")
    .map((change) => `${describeChange(change)}: ${change.reason}`);
}

/** `StreamDefaultDuplicatesWindow`: 2 minutes. */
const DUPLICATE_WINDOW = 120_000_000_000;

/** Defaults that follow from other fields (`checkStreamCfg` in nats-server's server/stream.go). */
function derivedDefaults(config: StreamConfig): Partial<StreamConfig> {
  const copies = config.mirror !== undefined || (config.sources?.length ?? 0) > 0;
  const age = config.max_age ?? 0;
  return {
    ...(copies ? {} : { subjects: [config.name] }),
    duplicate_window: copies ? 0 : age > 0 ? Math.min(age, DUPLICATE_WINDOW) : DUPLICATE_WINDOW,
  };
}

/** What the server overrules when a stream is sealed, and so says nothing any more. */
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
