import { z } from "zod";
import { PASSWORD_PLACEHOLDER } from "../../lib/accounts/hidden-passwords.ts";
import { schemaOf } from "../../lib/plan/settings.ts";
import { CHANGES, type Setting } from "../../lib/settings/settings-table.ts";

/** JSON Schema. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** Text, for whoever sets it: what it is, how it is written, what a change costs. */
export function describeSetting(setting: Setting): string {
  const cost = `What a change costs: ${CHANGES[setting.change]}.`;
  return [setting.description, howWritten(setting), cost].filter(Boolean).join(" ");
}

/** Where the kind of value doesn't tell by itself. */
function howWritten(setting: Setting): string | undefined {
  switch (setting.kind) {
    case "names":
      return `At most ${setting.most}, of lower case letters, digits and dashes.`;
    case "count":
      return `From ${setting.least} to ${setting.most}.`;
    case "size": {
      const least = setting.least === "0" ? "" : `, at least \`${setting.least}\``;
      const most = setting.most === undefined ? "" : `, at most \`${setting.most}\``;
      return `A size, e.g. \`${setting.default}\`${least}${most}; a number is bytes.`;
    }
    case "duration":
      return `A duration, e.g. \`${setting.default}\`, at least \`${setting.least}\`.`;
    case "lifetime":
      return `A duration, e.g. \`${setting.default}\`.`;
    default:
      return undefined;
  }
}

/**
 * What people may write for a setting, as far as it can be told by a JSON schema. Objects have titles.
 *
 * @param password what stands for a password below it.
 * @param comments whether objects have their own descriptions as comments, wherever they are described otherwise.
 */
export function writtenSchema(
  setting: Setting,
  password: JsonSchema,
  { comments = false }: { readonly comments?: boolean } = {},
): JsonSchema {
  const { $schema: _, ...written } = z.toJSONSchema(schemaOf(setting), {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === "object" && comments && jsonSchema.description) {
        jsonSchema.$comment = jsonSchema.description;
      }
      if (jsonSchema.const !== PASSWORD_PLACEHOLDER) return;
      delete jsonSchema.const;
      delete jsonSchema.type;
      Object.assign(jsonSchema, password);
    },
  });
  return written;
}

/** Descriptions tell of a default in a sentence of its own, `Default: 2m.`, in Markdown. */
export function splitDefault(description: string): {
  readonly text: string;
  readonly standard: string | undefined;
} {
  const [sentence = "", standard] = description.match(/ ?Default: (.+?)\.(?= |$)/) ?? [];
  const text = description.replace(sentence, "").trim();
  return { text, standard };
}

type Part = JsonSchema | boolean;

/** Zod writes no mere `true` and `false`, and no list of schemas, for what settings are. */
export function partOf(schema: Part | readonly Part[] | undefined): JsonSchema {
  if (typeof schema === "object" && !("length" in schema)) return schema;
  throw new Error(`there is no schema: ${JSON.stringify(schema)}`);
}
