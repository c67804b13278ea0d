import { stringify } from "yaml";
import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";

const INTEGER = "type: integer";
const TEXTS = "type: array\nitems: { type: string }";
const MAP = "type: object";

/** How Pulumi takes each kind of value. Not mentioned: as text. */
const TYPES: Partial<Record<Setting["kind"], string>> = {
  names: TEXTS,
  "host names": TEXTS,
  count: INTEGER,
  port: INTEGER,
  flag: "type: boolean",
  "certificate files": MAP,
  accounts: MAP,
  streams: MAP,
};

/** The `config:` block of Pulumi.yaml: what it declares of each setting of the table. */
export function pulumiConfig(): string {
  const declarations = Object.entries<Setting>(SETTINGS).map(([name, setting]) =>
    setting.undeclared === undefined
      ? `${name}:\n${indent(declaration(setting))}`
      : `# ${name}, ${setting.undeclared}`,
  );
  return `config:\n${indent(declarations.join("\n"))}\n`;
}

function declaration(setting: Setting): string {
  return [
    TYPES[setting.kind] ?? "type: string",
    setting.kind === "password" ? "secret: true" : `default: ${inYaml(setting.default)}`,
    `description: ${inYaml(setting.description)}`,
  ].join("\n");
}

/** On one line. */
function inYaml(value: unknown): string {
  const style = typeof value === "string" ? "block" : "flow";
  const options = { collectionStyle: style, flowCollectionPadding: false, lineWidth: 0 } as const;
  return stringify(value, options).trimEnd();
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
