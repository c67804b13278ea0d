import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";
import {
  describeSetting,
  type JsonSchema,
  partOf,
  splitDefault,
  writtenSchema,
} from "./written-schema.ts";

/** The schema of a password. Programs usually give an output of their own config. */
const PASSWORD: JsonSchema = { type: "string", format: "password" };

/** One property of an interface. */
interface Member {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string | undefined;
  /** Markdown. */
  readonly standard?: string | undefined;
}

/** Interfaces by name, in the order of their first appearance. */
type Interfaces = Map<string, string>;

/**
 * The TypeScript types of the args of a cluster and its streams, generated from the tables that validate them. The type
 * of an object is named after the title in its schema.
 *
 * @throws Error if an object has no title, or if two different objects share one.
 */
export function argsTypes(): string {
  const interfaces: Interfaces = new Map();
  const settings = Object.entries<Setting>(SETTINGS).map(([name, setting]) =>
    settingMember(name, setting, interfaces),
  );
  const cluster = writeInterface(
    "ClusterSettings",
    "What there is to set of a cluster. Sizes and durations are written as in a stack's file, e.g. `512MiB` and `7d`.",
    settings,
  );
  return [
    "/** Types of what programs give a cluster and its streams. Written by `npm run settings`; edit the tables of settings and fields instead. */",
    'import type * as pulumi from "@pulumi/pulumi";',
    cluster,
    ...interfaces.values(),
  ].join("\n\n");
}

function settingMember(name: string, setting: Setting, interfaces: Interfaces): Member {
  const described = { name, description: describeSetting(setting) };
  if (setting.kind === "password") {
    // Pulumi requires a value for settings that are declared without a default.
    const required = setting.undeclared === undefined;
    return { ...described, type: typeOf(PASSWORD, interfaces), required };
  }
  const schema = writtenSchema(setting, PASSWORD, { comments: true });
  const standard = setting.defaultInPrograms ?? toLiteral(setting.default);
  return { ...described, type: typeOf(schema, interfaces), required: false, standard };
}

/** The TypeScript type of a schema. Restrictions that TypeScript can't express are left out. */
function typeOf(schema: JsonSchema, interfaces: Interfaces): string {
  if (schema.format === PASSWORD.format) return "pulumi.Input<string>";
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === undefined && !schema.anyOf) return "unknown";
  if (schema.anyOf) return union(schema.anyOf.map((each) => typeOf(partOf(each), interfaces)));
  return union([schema.type].flat().map((type) => typeOfKind(type, schema, interfaces)));
}

function typeOfKind(type: unknown, schema: JsonSchema, interfaces: Interfaces): string {
  switch (type) {
    case "string":
    case "boolean":
    case "number":
      return type;
    case "integer":
      return "number";
    case "array":
      return `readonly (${typeOf(partOf(schema.items), interfaces)})[]`;
    case "object":
      return schema.properties
        ? nameInterface(schema, interfaces)
        : `Readonly<Record<string, ${typeOf(partOf(schema.additionalProperties), interfaces)}>>`;
    default:
      throw new Error(`there is no type for ${JSON.stringify(schema)}`);
  }
}

/** Drops literals from a union that contains `string`. */
function union(types: readonly string[]): string {
  const isText = types.includes("string");
  return [...new Set(types)].filter((type) => !isText || !type.startsWith('"')).join(" | ");
}

function nameInterface(schema: JsonSchema, interfaces: Interfaces): string {
  const { title, properties = {}, required = [], $comment } = schema;
  if (title === undefined) throw new Error(`an object without a title: ${JSON.stringify(schema)}`);
  const name = `${title}Args`;
  const before = interfaces.get(name);
  // Reserves the interface's place before its nested ones are added.
  if (before === undefined) interfaces.set(name, "");
  const members = Object.entries(properties).map(([key, property]) => {
    const schema = partOf(property);
    const { text, standard } = splitDefault(schema.description ?? "");
    return {
      name: key,
      type: typeOf(schema, interfaces),
      required: required.includes(key),
      description: text,
      standard: standard?.replace(/^`([^`]*)`$/, "$1"),
    };
  });
  const written = writeInterface(name, $comment, members);
  if (before !== undefined && before !== written) {
    throw new Error(`two objects that differ have the title ${title}`);
  }
  interfaces.set(name, written);
  return name;
}

function toLiteral(value: unknown): string {
  return JSON.stringify(value).replaceAll('","', '", "');
}

function writeInterface(
  name: string,
  description: string | undefined,
  members: readonly Member[],
): string {
  const body = members.map(({ name, type, required, description, standard }) =>
    [
      ...writeDoc(description, standard),
      // With `exactOptionalPropertyTypes`, programs may pass values of their config that are undefined.
      required ? `readonly ${name}: ${type};` : `readonly ${name}?: ${type} | undefined;`,
    ].join("\n"),
  );
  return [...writeDoc(description), `export interface ${name} {`, ...body, "}"].join("\n");
}

/** One line if it fits; the cost of a change is a paragraph of its own. */
function writeDoc(description = "", standard?: string): string[] {
  const lines = [
    ...description.split(/ (?=(?:What a change costs|A change): )/).flatMap((paragraph, index) => {
      return index === 0 ? wrap(paragraph) : ["", ...wrap(paragraph)];
    }),
    ...(standard === undefined ? [] : wrap(`@default ${standard}`)),
  ];
  if (lines.length <= 1) return lines.map((line) => `/** ${line} */`);
  return ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */"];
}

function wrap(text: string): readonly string[] {
  return text.match(/\S.{0,89}(?= |$)/g) ?? [];
}
