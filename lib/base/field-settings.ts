/** Objects of NATS's JSON API as settings: the schema of a table's fields, and how settings become the API's JSON. */
import { z } from "zod";
import type {
  ApiObject,
  ApiValue,
  Field,
  NestedField,
  NestedTable,
  Update,
} from "./field-table.ts";
import { parseBytes, parseDuration, UNLIMITED } from "./quantities.ts";
import { expected, listNames, quantity, textSchema, value } from "./schemas.ts";
import { quoteValue } from "./wording.ts";

/** A setting's value after parsing: durations are in nanoseconds, sizes in bytes. */
type SettingValue<F> = F extends { kind: "object"; fields: infer Nested }
  ? SettingsOf<Nested>
  : F extends { kind: "objects"; fields: infer Nested }
    ? readonly SettingsOf<Nested>[]
    : ApiValue<F>;

/** Parsed settings of the object that a table describes, by the names of settings. */
export type SettingsOf<Table> = {
  readonly [Name in keyof Table]?: SettingValue<Table[Name]>;
};

/** For each kind of update, what it does to an existing object: text that editors show. */
export type ChangeWords = Readonly<Record<Update, string>>;

/** How to write values of a kind, for the kinds where the type alone doesn't show it in an editor. */
const WRITTEN: Partial<Record<Field["kind"], string>> = {
  bytes: "A size, e.g. `512MiB`; a number is bytes.",
  duration: "A duration, e.g. `7d`.",
  durations: "Durations, e.g. `[1s, 5s, 1m]`.",
};

/**
 * The zod schemas of a table's settings by name, each with the description that editors show.
 *
 * @param changes descriptions of updates; absent for nested tables, whose fields change with their parent object.
 */
export function fieldShape(table: NestedTable, changes?: ChangeWords): z.ZodRawShape {
  return Object.fromEntries(
    Object.entries(table).map(([name, field]) => {
      const schema = fieldSchema(field);
      const described = (field.required ? schema : schema.optional()).meta({
        description: describeField(field, changes),
      });
      return [name, described];
    }),
  );
}

/** The description that editors show, e.g. `How long messages are kept. … Default: no limit. A change: in place.` */
export function describeField(field: Field | NestedField, changes?: ChangeWords): string {
  const standard = defaultWordsOf(field);
  return [
    field.description,
    WRITTEN[field.kind],
    `\`${field.api}\` of NATS's JSON API.`,
    standard && `Default: ${standard}.`,
    changes && "update" in field && `A change: ${changes[field.update]}.`,
  ]
    .filter(Boolean)
    .join(" ");
}

function defaultWordsOf(field: NestedField): string | undefined {
  if (field.defaultWords !== undefined) return field.defaultWords;
  if (!("default" in field) || field.default === "") return undefined;
  if (field.default === UNLIMITED) return "none" in field ? field.none : "no limit";
  return `\`${JSON.stringify(field.default)}\``;
}

/** The zod schema of a field's setting. It adds no default. */
export function fieldSchema(field: NestedField): z.ZodType {
  switch (field.kind) {
    case "text":
      return textSchema("text");
    case "time":
      return z.iso.datetime({
        offset: true,
        error: ({ input }) => `${quoteValue(input)} is not a time, e.g. 2026-01-31T12:00:00Z`,
      });
    case "flag":
      return value((input) => typeof input === "boolean", "true or false", { type: "boolean" });
    case "choice":
      return value(
        (input) => field.values.some((known) => known === input),
        listNames(field.values),
        { enum: field.values },
      );
    case "count":
      return countSchema(field.min ?? 0, field.max);
    case "limit":
      return value(
        (input) => Number.isSafeInteger(input) && ((input as number) >= 1 || input === -1),
        "a whole number from 1, or -1 for no limit",
        { type: "integer", minimum: -1 },
      );
    case "bytes":
      return quantity(parseBytes);
    case "duration":
      return quantity(parseDuration);
    case "durations":
      return z.array(quantity(parseDuration), { error: expected("a list of durations") });
    case "texts":
      return z.array(textSchema("text"), { error: expected("a list") });
    case "labels":
      return z.record(z.string(), textSchema("text"), {
        error: expected("a map of names to text"),
      });
    case "object":
      return objectSchema(field);
    case "objects":
      return z.array(objectSchema(field), { error: expected("a list") });
  }
}

function objectSchema({
  title,
  fields,
}: {
  readonly title?: string;
  readonly fields: NestedTable;
}): z.ZodType {
  const schema = z.strictObject(fieldShape(fields));
  return title === undefined ? schema : schema.meta({ title });
}

function countSchema(min: number, max: number | undefined): z.ZodType {
  return value(
    (input) => {
      const count = Number.isSafeInteger(input) ? (input as number) : Number.NaN;
      return count >= min && count <= (max ?? Number.MAX_SAFE_INTEGER);
    },
    max === undefined ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`,
    { type: "integer", minimum: min, ...(max === undefined ? {} : { maximum: max }) },
  );
}

/** Converts settings to the API's JSON: the API's names, in the order of the table. Absent settings stay absent. */
export function toApi<Table extends NestedTable>(
  table: Table,
  settings: SettingsOf<Table>,
): ApiObject<Table> {
  return renameFields(table, settings) as ApiObject<Table>;
}

function renameFields(table: NestedTable, settings: object): object {
  const values = new Map<string, unknown>(Object.entries(settings));
  return Object.fromEntries(
    Object.entries(table)
      .filter(([name]) => values.get(name) !== undefined)
      .map(([name, field]) => [field.api, toApiValue(field, values.get(name))]),
  );
}

function toApiValue(field: NestedField, value: unknown): unknown {
  if (field.kind === "object") return renameFields(field.fields, value as object);
  if (field.kind === "objects")
    return (value as object[]).map((item) => renameFields(field.fields, item));
  return value;
}
