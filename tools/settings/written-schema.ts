import { z } from "zod";
import { PASSWORD_PLACEHOLDER } from "../../lib/accounts/hidden-passwords.ts";
import { schemaOf } from "../../lib/plan/settings.ts";
import { CHANGES, type Setting } from "../../lib/settings/settings-table.ts";

/** JSON Schema. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** A setting's description for users: its meaning, its notation, and the cost of a change. */
export function describeSetting(setting: Setting): string {
  const cost = `What a change costs: ${CHANGES[setting.change]}.`;
  return [setting.description, howWritten(setting), cost].filter(Boolean).join(" ");
}

/** The notation, for kinds of values whose type doesn't show it. */
function howWritten(setting: Setting): string | undefined {
  switch (setting.kind) {
    case "regions":
    case "zones":
      return `At most ${setting.most}, of lower case letters, digits and dashes.`;
    case "count":
    case "count by region":
      return `From ${setting.least} to ${setting.most}.`;
    case "size": {
      const least = setting.least === "0" ? "" : `, at least \`${setting.least}\``;
      const most = setting.most === undefined ? "" : `, at most \`${setting.most}\``;
      return `A size, e.g. \`${setting.default}\`${least}${most}; a number is bytes.`;
    }
    case "duration":
      return setting.least === "0"
        ? "A duration, e.g. `2m`."
        : `A duration, e.g. \`${setting.default}\`, at least \`${setting.least}\`.`;
    case "lifetime":
      return `A duration, e.g. \`${setting.default}\`.`;
    default:
      return undefined;
  }
}

/**
 * The values that users may write for a setting, as far as a JSON schema can express them. Objects have titles.
 *
 * @param password the schema of passwords within it.
 * @param comments whether objects get their own descriptions as comments, even if they are described elsewhere.
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

/** A description may end with its default, e.g. `Default: 2m.`, in Markdown. @returns the two parts. */
export function splitDefault(description: string): {
  readonly text: string;
  readonly standard: string | undefined;
} {
  const [sentence = "", standard] = description.match(/ ?Default: (.+?)\.(?= |$)/) ?? [];
  const text = description.replace(sentence, "").trim();
  return { text, standard };
}

type Part = JsonSchema | boolean;

/** Narrows a part of a schema: for settings, zod never writes `true`, `false` or a list of schemas. */
export function partOf(schema: Part | readonly Part[] | undefined): JsonSchema {
  if (typeof schema === "object" && !("length" in schema)) return schema;
  throw new Error(`there is no schema: ${JSON.stringify(schema)}`);
}
