import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fill, replaceOnce } from "../documents/markdown.ts";
import { argsTypes } from "./args-types.ts";
import { accountTables, settingsTable, streamTables } from "./document-tables.ts";
import { editorSchema } from "./editor-schema.ts";
import { membersTable } from "./member-tables.ts";
import { refusedOptionsTable } from "./option-tables.ts";
import { pulumiConfig } from "./pulumi-config.ts";

const COMMAND = "npm run settings";

interface SettingsFile {
  /** Relative to the project. */
  readonly file: string;
  /**
   * Renders the file from the table of settings.
   *
   * @param text the current text, whose other parts are kept; empty if there is no such file.
   * @throws Error if a marker for the rendered part is missing.
   */
  readonly render: (text: string) => string;
}

/** The files that document settings. A unit test compares them with what is rendered here. */
export const SETTINGS_FILES: readonly SettingsFile[] = [
  {
    file: "Pulumi.yaml",
    render: (text) => replaceOnce(text, /^config:\n(?:[ #].*\n|\n)*/m, pulumiConfig()),
  },
  {
    file: "docs/settings.md",
    render: (text) => fill(text, COMMAND, { settings: settingsTable(), accounts: accountTables() }),
  },
  {
    file: "docs/streams.md",
    render: (text) => fill(text, COMMAND, { fields: streamTables("streams") }),
  },
  {
    file: "docs/buckets.md",
    render: (text) =>
      fill(text, COMMAND, {
        buckets: streamTables("buckets"),
        stores: streamTables("objectStores"),
      }),
  },
  {
    file: "docs/library.md",
    render: (text) =>
      fill(text, COMMAND, {
        args: membersTable("cluster-args.ts", "NatsClusterArgs"),
        transforms: membersTable("transforms.ts", "Transforms"),
        cluster: membersTable("nats-cluster.ts", "NatsCluster"),
        placements: membersTable("cluster-streams.ts", "PlacedStream"),
        stream: membersTable("stream-resource.ts", "StreamResource", ["stream.ts", "Stream"]),
        consumer: membersTable("consumer.ts", "Consumer"),
        node: membersTable("nats-node.ts", "NatsNode"),
        options: refusedOptionsTable(),
      }),
  },
  {
    file: "docs/existing-clusters.md",
    render: (text) =>
      fill(text, COMMAND, {
        existing: membersTable("existing-args.ts", "ExistingClusterArgs"),
        login: membersTable("existing-args.ts", "LoginArgs"),
        tls: membersTable("existing-args.ts", "ExistingTlsArgs"),
      }),
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

/** Formats text like the repository's other files. */
function format(file: string, text: string): string {
  const biome = join(import.meta.dirname, "../../node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "format", `--stdin-file-path=${file}`];
  return execFileSync(process.execPath, args, { input: text, encoding: "utf8" });
}
