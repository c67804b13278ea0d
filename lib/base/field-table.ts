/**
 * Generic functions over tables of fields: a table describes one kind of object of NATS's JSON API, e.g. a stream's
 * config. To support another kind of object, add a table.
 */
import { formatBytes, formatDuration } from "./quantities.ts";

/**
 * What the server does when a field of an existing object changes:
 *
 * - `in place`: the change takes effect at once, nothing is moved
 * - `moves`: the server chooses hosts again and moves the replicas, in the background
 * - `scales`: the server adds or removes replicas, in the background
 * - `only on`: the field can be switched on, but never off again
 * - `remove only`: the field can be removed, but not set or changed
 * - `never`: the server refuses or ignores the change
 */
export type Update = "in place" | "moves" | "scales" | "only on" | "remove only" | "never";

interface FieldBase {
  /** Name in NATS's JSON API. */
  readonly api: string;
  /** Description that editors show, in whole sentences. */
  readonly description?: string;
  /** The default as editors show it, Markdown. Default: the value of `default`. */
  readonly defaultWords?: string;
  readonly update: Update;
  /**
   * JetStream API level that introduced the field: 1 is nats-server 2.11, 2 is 2.12, 4 is 2.14. Absent: the field is
   * older than API levels. A field with a level is sent only if it is set.
   */
  readonly since?: 1 | 2 | 4;
}

/** The kind of a field's values, and the value that the server assumes for an absent field. */
type FieldKind =
  | { readonly kind: "text"; readonly default: string }
  | { readonly kind: "flag"; readonly default: boolean }
  | { readonly kind: "choice"; readonly values: readonly string[]; readonly default: string }
  /** A whole number. `min` and `max` are the bounds that the settings accept. */
  | {
      readonly kind: "count";
      readonly default: number;
      readonly min?: number;
      readonly max?: number;
    }
  /** A count; any value below 1 means no limit, which the API writes as -1. `none`: its words. Default: `unlimited`. */
  | { readonly kind: "limit"; readonly default: -1; readonly none?: string }
  /** A size in bytes; any value below 1 means no limit, which the API writes as -1. */
  | { readonly kind: "bytes"; readonly default: -1 }
  /** In nanoseconds. */
  | { readonly kind: "duration"; readonly default: number }
  /** A list of durations, in nanoseconds; their order counts. */
  | { readonly kind: "durations" }
  /** RFC 3339. */
  | { readonly kind: "time" }
  /** A set of strings: order and duplicates have no meaning. */
  | { readonly kind: "texts" }
  /** A map of strings. The server sets labels named `_nats.*` itself. */
  | { readonly kind: "labels" }
  /** `title`: name of the object's type in the schema and in `components/args.ts`, e.g. `StreamSource`. */
  | { readonly kind: "object"; readonly title?: string; readonly fields: NestedTable }
  | { readonly kind: "objects"; readonly title?: string; readonly fields: NestedTable };

export type Field = FieldBase & FieldKind;

/** Fields by the names of their settings. */
export type FieldTable = Readonly<Record<string, Field>>;

/** A field of an object within an object. It has no `update`, as it changes with the field that contains it. */
export type NestedField = Omit<FieldBase, "update"> & FieldKind & { readonly required?: true };
export type NestedTable = Readonly<Record<string, NestedField>>;

/** The value of a field in the API's JSON. */
export type ApiValue<F> = F extends { kind: "text" | "time" }
  ? string
  : F extends { kind: "flag" }
    ? boolean
    : F extends { kind: "choice"; values: readonly (infer Value)[] }
      ? Value
      : F extends { kind: "count" | "limit" | "bytes" | "duration" }
        ? number
        : F extends { kind: "texts" }
          ? readonly string[]
          : F extends { kind: "durations" }
            ? readonly number[]
            : F extends { kind: "labels" }
              ? Readonly<Record<string, string>>
              : F extends { kind: "object"; fields: infer Nested }
                ? ApiObject<Nested>
                : F extends { kind: "objects"; fields: infer Nested }
                  ? readonly ApiObject<Nested>[]
                  : never;

/**
 * The object that a table describes, in the API's JSON: snake_case names, nanoseconds, bytes. An absent field has its
 * default.
 */
export type ApiObject<Table> = {
  readonly [Name in keyof Table as Table[Name] extends { required: true }
    ? ApiName<Table[Name]>
    : never]: ApiValue<Table[Name]>;
} & {
  readonly [Name in keyof Table as Table[Name] extends { required: true }
    ? never
    : ApiName<Table[Name]>]?: ApiValue<Table[Name]>;
};

type ApiName<F> = F extends { api: infer Name extends string } ? Name : never;

/** One field that differs between two objects of a table. */
export interface FieldChange {
  /** Name of the setting, e.g. `maxAge`. */
  readonly path: string;
  /** Normalized, in the API's units; undefined if the field has the server's default. */
  readonly from: unknown;
  readonly to: unknown;
  readonly effect: "in place" | "moves" | "scales" | "refused";
  /** Why the change is refused, or what it costs. */
  readonly reason?: string;
}

/** The effect of a change. */
export type Assessment = Pick<FieldChange, "effect" | "reason">;

/** What {@link diffObject} needs to know about the objects of a table besides the table. */
export interface TableRules {
  /** Name of the kind of object in messages, e.g. `stream`. */
  readonly noun: string;
  /** Assesses a change of a field whose `update` is `in place`: its cost, or why it is refused. Default: no cost. */
  readonly assessInPlace?: (field: Field, from: unknown, to: unknown) => Assessment;
}

/**
 * The values that the server assumes for absent fields, by API name. Fields with an API level are left out: servers of
 * a lower level refuse a request that has them (error 10025).
 */
export function defaultsOf<Table extends NestedTable>(table: Table): Partial<ApiObject<Table>> {
  const defaults = Object.values<NestedField>(table).flatMap((field) =>
    "default" in field && field.since === undefined ? [[field.api, field.default] as const] : [],
  );
  return Object.fromEntries(defaults) as Partial<ApiObject<Table>>;
}

/**
 * The normal form of an object, equal for all objects of the same meaning: without defaults, without the server's own
 * labels (`_nats.*`), without fields that aren't in the table; sets and keys are sorted. Compare it, don't send it.
 *
 * @param derived defaults that depend on other fields of the object.
 */
export function normalizeObject<Table extends NestedTable>(
  table: Table,
  value: Partial<ApiObject<Table>>,
  derived: Partial<ApiObject<Table>> = {},
): Partial<ApiObject<Table>> {
  return normalizeFields(table, value, derived) as Partial<ApiObject<Table>>;
}

/**
 * The fields that differ between two objects, in the order of the table, each with the effect of an update. Empty if
 * both have the same meaning.
 */
export function diffObject<Table extends FieldTable>(
  table: Table,
  before: Partial<ApiObject<Table>>,
  after: Partial<ApiObject<Table>>,
  rules: TableRules,
): readonly FieldChange[] {
  const old = normalizeFields(table, before);
  const next = normalizeFields(table, after);
  return Object.entries<Field>(table).flatMap(([path, field]) => {
    const [from, to] = [old[field.api], next[field.api]];
    return isEqual(from, to) ? [] : [{ path, from, to, ...assess(field, from, to, rules) }];
  });
}

/**
 * A copy of `written` with the values of `observed` in the fields `apiNames`; those absent there are removed.
 *
 * @param observed the normal form of {@link normalizeObject}.
 */
export function adoptFields<Value extends object>(
  written: Value,
  observed: object,
  apiNames: readonly string[],
): Value {
  const values = new Map<string, unknown>(Object.entries(observed));
  const adopted = new Map<string, unknown>(Object.entries(written));
  for (const api of apiNames) {
    if (values.get(api) === undefined) adopted.delete(api);
    else adopted.set(api, values.get(api));
  }
  return Object.fromEntries(adopted) as Value;
}

/** Describes a change to users, e.g. `storage: file → memory` or `maxAge: 0 → 7d`. */
export function describeFieldChange(table: FieldTable, { path, from, to }: FieldChange): string {
  const field = fieldOf(table, path);
  return `${path}: ${describeValue(field, from)} → ${describeValue(field, to)}`;
}

/** Finds a field by the name of its setting. */
export function fieldOf(table: FieldTable, setting: string): Field | undefined {
  return Object.hasOwn(table, setting) ? table[setting] : undefined;
}

export function refused(reason: string): Assessment {
  return { effect: "refused", reason };
}

/** An object of these entries with sorted keys, without undefined values. */
export function sortKeys(
  entries: readonly (readonly [string, unknown])[],
): Record<string, unknown> {
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether two values in normal form are equal. Compares their JSON, which is sound because their keys are sorted. */
export function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function normalizeFields(
  table: NestedTable,
  value: object,
  derived: object = {},
): Record<string, unknown> {
  const given = new Map<string, unknown>(Object.entries(value));
  const fallbacks = new Map<string, unknown>(Object.entries(derived));
  return sortKeys(
    Object.values(table).map((field) => {
      const normal = normalizeValue(field, given.get(field.api));
      const fallback = normalizeValue(field, fallbacks.get(field.api));
      return [field.api, isEqual(normal, fallback) ? undefined : normal];
    }),
  );
}

/** The normal form of a value; undefined if it is the default. */
function normalizeValue(field: NestedField, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (field.kind) {
    case "texts":
      return emptyToAbsent([...new Set(value as string[])].sort());
    case "durations":
      return emptyToAbsent(value as number[]);
    case "labels":
      return emptyToAbsent(
        sortKeys(Object.entries(value).filter(([name]) => !name.startsWith("_nats."))),
      );
    case "object":
      return emptyToAbsent(normalizeFields(field.fields, value));
    case "objects":
      return emptyToAbsent((value as object[]).map((item) => normalizeFields(field.fields, item)));
    case "time":
      return new Date(value as string).toISOString();
    case "limit":
    case "bytes":
      return (value as number) < 1 ? undefined : value;
    default:
      return value === field.default || value === "" ? undefined : value;
  }
}

function emptyToAbsent<Value extends object>(value: Value): Value | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

function assess(
  field: Field,
  from: unknown,
  to: unknown,
  { noun, assessInPlace }: TableRules,
): Assessment {
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
      return refused(`it is fixed when the ${noun} is created`);
    case "in place":
      return assessInPlace?.(field, from, to) ?? { effect: "in place" };
  }
}

function describeValue(field: Field | undefined, given: unknown): string {
  const value = given ?? (field && "default" in field ? field.default : undefined);
  if (value === undefined) return "none";
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" && field?.kind === "duration") return formatDuration(value);
  if (Array.isArray(value) && field?.kind === "durations") {
    return value.map((each: number) => formatDuration(each)).join(", ");
  }
  if (typeof value === "number" && field?.kind === "bytes") return formatBytes(value);
  if (value === -1) return field?.kind === "limit" ? (field.none ?? "unlimited") : "unlimited";
  return JSON.stringify(value);
}
