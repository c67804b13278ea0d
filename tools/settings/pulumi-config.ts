import { stringify } from "yaml";
import { SETTINGS, type Setting } from "../../lib/settings/settings-table.ts";

/** The `config:` block of Pulumi.yaml: a declaration for each setting of the table. */
export function pulumiConfig(): string {
  const declarations = Object.entries<Setting>(SETTINGS).map(([name, setting]) =>
    setting.undeclared === undefined
      ? `${name}:\n${indent(declaration(setting))}`
      : `# ${name}, ${setting.undeclared}`,
  );
  return `config:\n${indent(declarations.join("\n"))}\n`;
}

function declaration(setting: Setting): string {
  const type = typeOf(setting);
  return [
    ...(type === undefined ? [] : [type]),
    setting.kind === "password" ? "secret: true" : `default: ${inYaml(setting.default)}`,
    `description: ${inYaml(setting.description)}`,
  ].join("\n");
}

/** The kinds of settings that may be a map or something else, for which Pulumi has no type. */
const OF_TWO_TYPES: ReadonlySet<Setting["kind"]> = new Set<Setting["kind"]>([
  "regions",
  "zones",
  "count by region",
  "advertise",
]);

/** Pulumi's type of a setting, derived from the notation of its default. Undefined: any. */
function typeOf(setting: Setting): string | undefined {
  if (OF_TWO_TYPES.has(setting.kind)) return undefined;
  const standard = setting.kind === "password" ? "" : setting.default;
  if (Array.isArray(standard)) return "type: array\nitems: { type: string }";
  return `type: ${typeof standard === "number" ? "integer" : typeof standard}`;
}

/** A value in YAML, on one line. */
function inYaml(value: unknown): string {
  const style = typeof value === "string" ? "block" : "flow";
  const options = { collectionStyle: style, flowCollectionPadding: false, lineWidth: 0 } as const;
  return stringify(value, options).trimEnd();
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
