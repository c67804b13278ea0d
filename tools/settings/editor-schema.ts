import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";
import { describeSetting, type JsonSchema, writtenSchema } from "./written-schema.ts";

const TEXT: JsonSchema = { type: "string" };
/** An encrypted value in Pulumi's form, or plain text. */
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
 * The JSON schema of a stack's file, `Pulumi.<stack>.yaml`, for editors: all settings, their meaning, and the cost of a
 * change. Rules between settings are checked by a preview only.
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
        // Settings of other namespaces belong to Pulumi and its providers.
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
