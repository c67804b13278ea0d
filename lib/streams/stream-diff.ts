import { createHash } from "node:crypto";
import { formatBytes, formatDuration } from "../base/quantities.ts";
import type { StreamConfig } from "./stream-fields.ts";
import {
  type ApiPlacement,
  FIELDS_BY_API_NAME,
  type Field,
  type NestedField,
  type NestedTable,
  STREAM_FIELDS,
} from "./stream-fields.ts";

/** One field in which two configs of a stream differ. */
export interface FieldChange {
  /** Name of the setting, e.g. `maxAge`; `name` for the stream's name. */
  readonly path: string;
  /** In the API's units; undefined where the server's default holds. */
  readonly from: unknown;
  readonly to: unknown;
  readonly effect: "in place" | "moves" | "scales" | "refused";
  /** Why it is refused, or what it costs. */
  readonly reason?: string;
}

/**
 * The config with the server's defaults filled in, so that what it leaves out is unset by an update
 * whatever the client or server makes of absent fields. Fields of later API levels stay absent where they
 * are off: servers before them refuse a request that names them (error 10025).
 */
export function completeConfig(config: StreamConfig): StreamConfig {
  const defaults = Object.fromEntries(
    Object.values<Field>(STREAM_FIELDS).flatMap((field) =>
      "default" in field && field.since === undefined ? [[field.api, field.default]] : [],
    ),
  );
  return { ...defaults, ...derivedDefaults(config), ...config };
}

/**
 * The one form that all configs of the same meaning share: defaults left out, tags and subjects as sorted
 * sets, keys in order, the server's own metadata (`_nats.*`) and rewrites undone. For comparing, not for
 * sending.
 */
export function normalizeConfig(config: StreamConfig): Readonly<Record<string, unknown>> {
  const derived = new Map<string, unknown>(Object.entries(derivedDefaults(config)));
  const given = new Map<string, unknown>(Object.entries(config));
  for (const api of overruledBySeal(config)) given.delete(api);
  const fields = Object.values<Field>(STREAM_FIELDS)
    .filter(({ api }) => !(api === "mirror_direct" && config.mirror && !config.mirror.external))
    .map((field): [string, unknown] => {
      const value = normalizeValue(field, given.get(field.api));
      const fallback = normalizeValue(field, derived.get(field.api));
      return [field.api, isEqual(value, fallback) ? undefined : value];
    });
  return sortKeys([["name", config.name], ...fields]);
}

/**
 * How an update from one config to another would go, field by field, in the order of the table. Empty
 * where both mean the same; the order of tags or subjects never counts.
 */
export function diffConfig(observed: StreamConfig, desired: StreamConfig): readonly FieldChange[] {
  const before = normalizeConfig(observed);
  const after = normalizeConfig(desired);
  const renamed =
    observed.name === desired.name
      ? []
      : [
          {
            path: "name",
            from: observed.name,
            to: desired.name,
            ...refused("a stream keeps its name"),
          },
        ];
  const changed = [...FIELDS_BY_API_NAME].flatMap(([api, { setting, field }]) => {
    const [from, to] = [before[api], after[api]];
    return isEqual(from, to) ? [] : [{ path: setting, from, to, ...assess(field, from, to) }];
  });
  return [...renamed, ...changed];
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
  const same = isEqual(
    normalizePlacement(desired.placement),
    normalizePlacement(observed.placement),
  );
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
  const normal = normalizeConfig(observed);
  const adopted = new Map<string, unknown>(Object.entries(written));
  for (const { path } of changes) {
    const api = fieldOf(path)?.api ?? path;
    if (normal[api] === undefined) adopted.delete(api);
    else adopted.set(api, normal[api]);
  }
  // An adopted field may have changed what another one's default is.
  return adoptObserved(Object.fromEntries(adopted) as StreamConfig, observed);
}

/** Writes a change for people, e.g. `storage: file → memory` or `maxAge: 0 → 7d`. */
export function describeChange({ path, from, to }: FieldChange): string {
  const field = fieldOf(path);
  return `${path}: ${describeValue(field, from)} → ${describeValue(field, to)}`;
}

/** Says of each refused change why. */
export function describeRefusals(changes: readonly FieldChange[]): string[] {
  return changes
    .filter(({ effect }) => effect === "refused")
    .map((change) => `${describeChange(change)}: ${change.reason}`);
}

function describeValue(field: Field | undefined, given: unknown): string {
  const value = given ?? (field && "default" in field ? field.default : undefined);
  if (value === undefined) return "none";
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" && field?.kind === "duration") return formatDuration(value);
  if (typeof value === "number" && field?.kind === "bytes") return formatBytes(value);
  // nats-server 2.15 has a limit for streams without one.
  if (value === -1) return field?.api === "max_consumers" ? "no limit of its own" : "unlimited";
  return JSON.stringify(value);
}

function fieldOf(path: string): Field | undefined {
  return new Map<string, Field>(Object.entries(STREAM_FIELDS)).get(path);
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

/** The canonical value, undefined where it is the default. */
function normalizeValue(field: Field | NestedField, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (field.kind) {
    case "texts":
      return emptyToAbsent([...new Set(value as string[])].sort());
    case "labels":
      return emptyToAbsent(
        sortKeys(Object.entries(value).filter(([name]) => !name.startsWith("_nats."))),
      );
    case "placement":
      return normalizePlacement(value);
    case "object":
      return emptyToAbsent(normalizeObject(field.fields, value));
    case "objects":
      return emptyToAbsent((value as object[]).map((item) => normalizeObject(field.fields, item)));
    case "time":
      return new Date(value as string).toISOString();
    case "limit":
    case "bytes":
      return (value as number) < 1 ? undefined : value;
    default:
      return value === field.default || value === "" ? undefined : value;
  }
}

function normalizeObject(fields: NestedTable, value: object): Record<string, unknown> {
  const given = new Map<string, unknown>(Object.entries(value));
  return sortKeys(
    Object.values(fields).map((field) => [field.api, normalizeValue(field, given.get(field.api))]),
  );
}

function normalizePlacement(placement: ApiPlacement | undefined): object | undefined {
  const { cluster, tags = [] } = placement ?? {};
  return emptyToAbsent(
    sortKeys([
      ["cluster", cluster || undefined],
      ["tags", emptyToAbsent([...new Set(tags)].sort())],
    ]),
  );
}

function assess(field: Field, from: unknown, to: unknown): Pick<FieldChange, "effect" | "reason"> {
  switch (field.update) {
    case "scales":
      return { effect: "scales" };
    case "moves":
      if (to !== undefined) return { effect: "moves" };
      return { effect: "in place", reason: "replicas stay where they are" };
    case "only on":
      return to === undefined
        ? refused("once on it can't be switched off")
        : { effect: "in place" };
    case "remove only":
      return to === undefined
        ? { effect: "in place" }
        : refused("it can be removed, not set or changed");
    case "never":
      return refused("it is fixed when the stream is created");
    case "in place":
      return assessInPlace(field, from, to);
  }
}

function assessInPlace(
  field: Field,
  from: unknown,
  to: unknown,
): Pick<FieldChange, "effect" | "reason"> {
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

function refused(reason: string): Pick<FieldChange, "effect" | "reason"> {
  return { effect: "refused", reason };
}

function emptyToAbsent<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

/** An object with its keys in order, absent values left out. */
function sortKeys(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** For canonical values only: their keys are in order. */
function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
