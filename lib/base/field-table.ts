/**
 * Objects of NATS's JSON API, each described by a table of its fields: what is the same for all tables.
 * A kind of object that is new to the settings is one more table.
 */
import { formatBytes, formatDuration } from "./quantities.ts";

/**
 * What the server does with a change to an object that exists:
 *
 * - `in place`: takes effect at once, nothing is moved
 * - `moves`: places it anew, in the background
 * - `scales`: adds or removes replicas, in the background
 * - `only on`: can be switched on, never off again
 * - `remove only`: can be taken away, not set or changed
 * - `never`: refused (or ignored) for its whole life
 */
export type Update = "in place" | "moves" | "scales" | "only on" | "remove only" | "never";

interface FieldBase {
  /** Name in NATS's JSON API. */
  readonly api: string;
  /** For editors: what it is, in whole sentences. */
  readonly description?: string;
  /** The default as editors tell of it, Markdown. Default: the default itself. */
  readonly defaultWords?: string;
  readonly update: Update;
  /** JetStream API level that brought it: 1 is 2.11, 2 is 2.12, 4 is 2.14. Default: older than levels. It is sent only where it is set. */
  readonly since?: 1 | 2 | 4;
}

/** How values are written, and what an absent one means to the server. */
type FieldKind =
  | { readonly kind: "text"; readonly default: string }
  | { readonly kind: "flag"; readonly default: boolean }
  | { readonly kind: "choice"; readonly values: readonly string[]; readonly default: string }
  /** `min` is what the settings accept; limits also accept -1. */
  | {
      readonly kind: "count";
      readonly default: number;
      readonly min?: number;
      readonly max?: number;
    }
  /** A count for which anything below 1 is no limit, to the API -1. `none`: how people are told so. Default: `unlimited`. */
  | { readonly kind: "limit"; readonly default: -1; readonly none?: string }
  /** A size for which anything below 1 is no limit, to the API -1. */
  | { readonly kind: "bytes"; readonly default: -1 }
  /** To the API nanoseconds. */
  | { readonly kind: "duration"; readonly default: number }
  /** RFC 3339. */
  | { readonly kind: "time" }
  /** A set: order and repetition mean nothing. */
  | { readonly kind: "texts" }
  /** Those named `_nats.*` are the server's own. */
  | { readonly kind: "labels" }
  /** `title`: what such an object is called in types, e.g. `StreamSource`. */
  | { readonly kind: "object"; readonly title?: string; readonly fields: NestedTable }
  | { readonly kind: "objects"; readonly title?: string; readonly fields: NestedTable };

export type Field = FieldBase & FieldKind;

/** By the name of the setting. */
export type FieldTable = Readonly<Record<string, Field>>;

/** Fields of an object change with the object that they belong to. */
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
          : F extends { kind: "labels" }
            ? Readonly<Record<string, string>>
            : F extends { kind: "object"; fields: infer Nested }
              ? ApiObject<Nested>
              : F extends { kind: "objects"; fields: infer Nested }
                ? readonly ApiObject<Nested>[]
                : never;

/** The object that a table describes, in the API's JSON: snake_case, nanoseconds, bytes. Absent is default. */
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

/** One field in which two objects of a table differ. */
export interface FieldChange {
  /** Name of the setting, e.g. `maxAge`. */
  readonly path: string;
  /** In the API's units; undefined where the server's default holds. */
  readonly from: unknown;
  readonly to: unknown;
  readonly effect: "in place" | "moves" | "scales" | "refused";
  /** Why it is refused, or what it costs. */
  readonly reason?: string;
}

/** What comes of a change. */
export type Assessment = Pick<FieldChange, "effect" | "reason">;

/** What the rows of a table don't say of its objects. */
export interface TableRules {
  /** What such an object is called, e.g. `stream`. */
  readonly noun: string;
  /** What a change in place costs, or why it is refused all the same. Default: it costs nothing. */
  readonly assessInPlace?: (field: Field, from: unknown, to: unknown) => Assessment;
}

/**
 * What the server takes absent fields for, by their names in the API. Fields of later API levels are left out: servers
 * before them refuse a request that names them (error 10025).
 */
export function defaultsOf<Table extends NestedTable>(table: Table): Partial<ApiObject<Table>> {
  const defaults = Object.values<NestedField>(table).flatMap((field) =>
    "default" in field && field.since === undefined ? [[field.api, field.default] as const] : [],
  );
  return Object.fromEntries(defaults) as Partial<ApiObject<Table>>;
}

/**
 * The one form that all objects of the same meaning share: defaults left out, texts as sorted sets, keys in order, the
 * server's own labels (`_nats.*`) undone; what isn't in the table is left out. For comparing, not for sending.
 *
 * @param derived defaults that follow from other fields of the object.
 */
export function normalizeObject<Table extends NestedTable>(
  table: Table,
  value: Partial<ApiObject<Table>>,
  derived: Partial<ApiObject<Table>> = {},
): Partial<ApiObject<Table>> {
  return normalizeFields(table, value, derived) as Partial<ApiObject<Table>>;
}

/**
 * How an update from one object to another would go, field by field, in the order of the table. Empty where both mean
 * the same.
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
 * An object as people wrote it, save for some fields, which have the values of another.
 *
 * @param observed in the form of {@link normalizeObject}.
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

/** Writes a change for people, e.g. `storage: file → memory` or `maxAge: 0 → 7d`. */
export function describeFieldChange(table: FieldTable, { path, from, to }: FieldChange): string {
  const field = fieldOf(table, path);
  return `${path}: ${describeValue(field, from)} → ${describeValue(field, to)}`;
}

/** A field by the name of its setting. */
export function fieldOf(table: FieldTable, setting: string): Field | undefined {
  return Object.hasOwn(table, setting) ? table[setting] : undefined;
}

export function refused(reason: string): Assessment {
  return { effect: "refused", reason };
}

/** An object with its keys in order, absent values left out. */
export function sortKeys(
  entries: readonly (readonly [string, unknown])[],
): Record<string, unknown> {
  return Object.fromEntries(
    entries.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether two normal values are the same: their keys are in order. */
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

/** The canonical value, undefined where it is the default. */
function normalizeValue(field: NestedField, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  switch (field.kind) {
    case "texts":
      return emptyToAbsent([...new Set(value as string[])].sort());
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
  if (typeof value === "number" && field?.kind === "bytes") return formatBytes(value);
  if (value === -1) return field?.kind === "limit" ? (field.none ?? "unlimited") : "unlimited";
  return JSON.stringify(value);
}
