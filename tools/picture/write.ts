/**
 * Creates docs/terminal.svg, the README's picture, from a real run: `npm run picture`, to be run after each change of
 * the output of `npm start` or `npm run preview`. It creates stack `dev` with a temporary state and destroys it again,
 * so the engine must have no such stack. Needs `script` of util-linux, which Linux has.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { DEFAULT_STACK } from "../../cli/pulumi/environment.mjs";
import { excerpt, SCRIPTS, type Scene } from "./scenes.ts";
import { readScreen } from "./screen.ts";
import { renderSvg } from "./svg.ts";

const PROJECT = path.resolve(import.meta.dirname, "../..");
const PICTURE = path.join(PROJECT, "docs/terminal.svg");
const SETTINGS = path.join(PROJECT, `Pulumi.${DEFAULT_STACK}.yaml`);
const TERMINAL = { columns: 100, rows: 40 };
/** Milliseconds after which a command probably waits for input. */
const LONGEST = 300_000;

const settings = readFileSync(SETTINGS);
const state = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
const env = {
  PULUMI_BACKEND_URL: `file://${state}`,
  PULUMI_STACK: DEFAULT_STACK,
  PULUMI_CONFIG_PASSPHRASE: undefined,
  PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
  TERM: "xterm-256color",
  CI: undefined,
  FORCE_COLOR: undefined,
  NO_COLOR: undefined,
  // So that npm doesn't print the script's command.
  npm_config_loglevel: "silent",
};

try {
  const scenes: Scene[] = [];
  for (const script of SCRIPTS) {
    console.log(script.command);
    const written = await runOnTerminal(script.command);
    scenes.push(excerpt(script, await readScreen(written, TERMINAL)));
  }
  writeFileSync(PICTURE, renderSvg(scenes));
  console.log("docs/terminal.svg: written");
} finally {
  writeFileSync(SETTINGS, settings);
  await runOnTerminal("npm run destroy -- --yes");
  rmSync(state, { recursive: true });
}

/** @returns its whole output. @throws ExecaError if it fails. */
async function runOnTerminal(command: string): Promise<string> {
  const { columns, rows } = TERMINAL;
  const line = `stty cols ${columns} rows ${rows} && ${command}`;
  const options = { cwd: PROJECT, env, stdin: "ignore", timeout: LONGEST } as const;
  const { stdout } = await execa("script", ["-qec", line, "/dev/null"], options);
  return stdout;
}
