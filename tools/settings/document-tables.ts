import { CHANGES, SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";
import { table } from "../documents/markdown.ts";
import { type JsonSchema, partOf, splitDefault, writtenSchema } from "./written-schema.ts";

/** A password, or its encrypted form. */
const PASSWORD: JsonSchema = { type: "string", format: "password" };

/** The table of settings, Markdown. A setting without a description is covered by the row before it. */
export function settingsTable(): string {
  const settings = Object.entries<Setting>(SETTINGS);
  const rows = settings.flatMap(([name, setting], index) => {
    if (setting.meaning === undefined) return [];
    const others = settings.slice(index + 1);
    const next = others.findIndex(([, { meaning }]) => meaning !== undefined);
    const told = [[name, setting] as const, ...others.slice(0, next < 0 ? undefined : next)];
    const names = told.map(([each]) => `\`${each}\``).join(", ");
    const defaults = told.map(([, each]) => defaultOf(each)).join(", ");
    const costs = new Set(told.map(([, { change }]) => CHANGES[change]));
    return [[names, defaults, setting.meaning, [...costs].join("; ")]];
  });
  return table(["setting", "default", "meaning", "what a change costs"], rows);
}

function defaultOf(setting: Setting): string {
  if (setting.defaultWords !== undefined) return setting.defaultWords;
  if (setting.kind === "password") return "none";
  if (Array.isArray(setting.default)) {
    return setting.default.length === 0 ? "none" : `\`[${setting.default.join(", ")}]\``;
  }
  return typeof setting.default === "object" ? "none" : `\`${setting.default}\``;
}

/** A table for an account, and one for each kind of object in it, Markdown. */
export function accountTables(): string {
  return objectTables(SETTINGS.accounts, ["setting", "value", "default", "meaning"]);
}

/** Tables for what is a stream: one for itself, and one for each kind of object in it, Markdown. */
export function streamTables(setting: "streams" | "buckets" | "objectStores"): string {
  return objectTables(SETTINGS[setting], [
    "field",
    "value",
    "default",
    "meaning",
    "a change",
    "in NATS's API",
  ]);
}

type Column = "setting" | "field" | "value" | "default" | "meaning" | "a change" | "in NATS's API";

/** Objects by their titles, in the order of their first appearance. */
type Objects = Map<string, JsonSchema>;

function objectTables(setting: Setting, columns: readonly Column[]): string {
  const objects: Objects = new Map();
  describeValue(writtenSchema(setting, PASSWORD, { comments: true }), "", objects);
  const tables: string[] = [];
  // The map grows while its rows are written, because objects may contain others.
  for (const [title, schema] of objects) {
    const rows = Object.entries(schema.properties ?? {}).map(([name, property]) =>
      rowOf(name, partOf(property), schema.required ?? [], objects),
    );
    const used = columns.filter((column) => rows.some((row) => row[column] !== ""));
    const text = table(
      used,
      rows.map((row) => used.map((column) => row[column])),
    );
    const above = tables.length === 0 ? [] : [`### ${title}`, schema.$comment];
    tables.push([...above, text].filter(Boolean).join("\n\n"));
  }
  return tables.join("\n");
}

function rowOf(
  name: string,
  schema: JsonSchema,
  required: readonly string[],
  objects: Objects,
): Readonly<Record<Column, string>> {
  const { text, standard = "none" } = splitDefault(schema.description ?? "");
  const [ofApi = "", api = ""] = /`(\w+)` of NATS's JSON API\.?/.exec(text) ?? [];
  const [ofChange = "", change = ""] = /A change: (.+?)\.?$/.exec(text) ?? [];
  const written = / ?(?:A (?:size|duration)|Durations), e\.g\. [^.]*\./;
  const meaning = [ofApi, ofChange].reduce((rest, part) => rest.replace(part, ""), text);
  return {
    setting: `\`${name}\``,
    field: `\`${name}\``,
    value: describeValue(schema, text, objects),
    default: required.includes(name) ? "required" : standard.replaceAll('"', ""),
    meaning: meaning.replace(written, "").replaceAll(/\s+/g, " ").trim(),
    "a change": change,
    "in NATS's API": api === "" ? "" : `\`${api}\``,
  };
}

/** The accepted values, e.g. `duration` or `1 to 5`. Objects have tables of their own. */
function describeValue(schema: JsonSchema, told: string, objects: Objects): string {
  if (schema.format === PASSWORD.format) return "secret";
  const [, quantity] = /\b[aA] (size|duration), e\.g\./.exec(told) ?? [];
  if (quantity !== undefined) return quantity;
  if (told.includes("Durations, e.g.")) return "list of durations";
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.anyOf) {
    return schema.anyOf.map((each) => describeValue(partOf(each), "", objects)).join(" or ");
  }
  switch (schema.type) {
    case "boolean":
      return "`true`, `false`";
    case "integer":
      return describeRange(schema);
    case "string":
      return "text";
    case "array":
      return `list of ${describeValue(partOf(schema.items), "", objects)}`;
    case "object":
      return describeObject(schema, objects);
    default:
      throw new Error(`there are no words for ${JSON.stringify(schema)}`);
  }
}

/** A maximum of MAX_SAFE_INTEGER is no restriction. */
function describeRange({ minimum, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  if (minimum === -1) return "number, `-1` for no limit";
  return maximum < 2 ** 31 - 1 ? `${minimum} to ${maximum}` : `number from ${minimum}`;
}

function describeObject(schema: JsonSchema, objects: Objects): string {
  const { title, properties, additionalProperties } = schema;
  if (!properties)
    return `map of name to ${describeValue(partOf(additionalProperties), "", objects)}`;
  if (title === undefined) throw new Error(`an object without a title: ${JSON.stringify(schema)}`);
  if (!objects.has(title)) {
    objects.set(title, schema);
  }
  return `[${title}](#${title.toLowerCase()})`;
}
