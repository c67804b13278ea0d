import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";
import { describeSetting, type JsonSchema, writtenSchema } from "./written-schema.ts";

const TEXT: JsonSchema = { type: "string" };
/** As Pulumi writes what is encrypted, or as it is. */
const SECRET: JsonSchema = {
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
    description: describeSetting(setting),
    ...(setting.kind === "password"
      ? SECRET
      : { default: setting.default, ...writtenSchema(setting, SECRET) }),
  };
}
