import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { argsTypes } from "./args-types.ts";
import { editorSchema } from "./editor-schema.ts";
import { pulumiConfig } from "./pulumi-config.ts";
import { readmeTable } from "./readme-table.ts";

/** Around the table in README.md. */
const BEGIN = "<!-- The table of settings, which `npm run settings` writes: -->\n\n";
const END = "\n<!-- End of the table of settings. -->\n";

interface SettingsFile {
  /** Relative to the project. */
  readonly file: string;
  /**
   * Its text as the table of settings has it.
   *
   * @param text as it is, of which the rest is kept; empty where there is no such file.
   * @throws Error where the place for it is missing.
   */
  readonly render: (text: string) => string;
}

/** The files that tell of settings. A unit test holds them to what is rendered here. */
export const SETTINGS_FILES: readonly SettingsFile[] = [
  {
    file: "Pulumi.yaml",
    render: (text) => replaceOnce(text, /^config:\n(?:[ #].*\n|\n)*/m, pulumiConfig()),
  },
  {
    file: "README.md",
    render: (text) =>
      replaceOnce(text, new RegExp(`${BEGIN}[^]*${END}`), `${BEGIN}${readmeTable()}${END}`),
  },
  {
    file: "settings.schema.json",
    render: () => `${JSON.stringify(editorSchema("nats-regions"), null, 2)}\n`,
  },
  {
    file: "components/args.ts",
    render: () => format("components/args.ts", argsTypes()),
  },
];

/** As the repository is formatted. */
function format(file: string, text: string): string {
  const biome = join(import.meta.dirname, "../../node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "format", `--stdin-file-path=${file}`];
  return execFileSync(process.execPath, args, { input: text, encoding: "utf8" });
}

function replaceOnce(text: string, place: RegExp, replacement: string): string {
  if (!place.test(text)) throw new Error(`there is no place for it: ${place}`);
  return text.replace(place, () => replacement);
}
