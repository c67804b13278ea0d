import { z } from "zod";
import { GIVEN } from "../../lib/accounts/hidden-passwords.ts";
import { schemaOf } from "../../lib/plan/settings.ts";
import { CHANGES, SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";

/** JSON Schema. */
type JsonSchema = Readonly<Record<string, unknown>>;

const TEXT = { type: "string" };
/** As Pulumi writes what is encrypted, or as it is. */
const SECRET = {
  anyOf: [
    TEXT,
    {
      type: "object",
      properties: { secure: TEXT },
      required: ["secure"],
      additionalProperties: false,
    },
  ],
};

/**
 * The JSON schema of a stack's file, `Pulumi.<stack>.yaml`, for editors: what there is to set, what it means, and what a
 * change costs. What settings have to do with each other is for a preview to say.
 *
 * @param namespace of the settings, which is the project's name.
 */
export function editorSchema(namespace: string): JsonSchema {
  const settings = Object.entries<Setting>(SETTINGS);
  const names = settings.map(([name]) => name).join("|");
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "The settings of a stack",
    type: "object",
    properties: {
      secretsprovider: TEXT,
      encryptedkey: TEXT,
      encryptionsalt: TEXT,
      environment: {},
      config: {
        type: "object",
        properties: Object.fromEntries(
          settings.map(([name, setting]) => [`${namespace}:${name}`, describe(setting)]),
        ),
        // Other namespaces are those of Pulumi and its providers.
        patternProperties: { [`^${namespace}:(?!(?:${names})$)`]: false },
      },
    },
  };
}

function describe(setting: Setting): JsonSchema {
  return {
    description: `${setting.description} What a change costs: ${CHANGES[setting.change]}.`,
    ...(setting.kind === "password" ? SECRET : { default: setting.default, ...asWritten(setting) }),
  };
}

/** What people may write, as far as it can be told by a JSON schema. */
function asWritten(setting: Setting): JsonSchema {
  const { $schema: _, ...written } = z.toJSONSchema(schemaOf(setting), {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      if (jsonSchema.const !== GIVEN) return;
      delete jsonSchema.const;
      delete jsonSchema.type;
      Object.assign(jsonSchema, SECRET);
    },
  });
  return written;
}
