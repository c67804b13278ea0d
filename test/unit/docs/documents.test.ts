import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findCli } from "../../../cli/pulumi/project.mjs";
import { readSettingsFile } from "../../../cli/stack/settings-file.ts";
import { PASSWORD_PLACEHOLDER } from "../../../lib/accounts/hidden-passwords.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import {
  anchorsOf,
  type Block,
  blocksOf,
  codeIn,
  commandsIn,
  DOCUMENTS,
  fileNameOf,
  linksOf,
  readDocument,
  simpleCommands,
} from "../../support/documents.ts";
import { PROJECT } from "../../support/stack.ts";

const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readDocument("package.json")));

/** Programs that aren't of this project. */
const OTHERS = new Set(["docker", "export", "git", "jq", "nats", "tofu"]);
/** Files that a reader has, or gets by a command. */
const READERS_FILES = new Set(["ca.pem", "state.json"]);
const LANGUAGES = new Set(["console", "sh", "text", "ts", "yaml"]);

const blocks = DOCUMENTS.flatMap((file) =>
  blocksOf(readDocument(file)).map((block) => ({
    file,
    at: `${file}:${block.line}`,
    ...block,
  })),
);
const blocksIn = (language: string) => blocks.filter((block) => block.language === language);

const inBlocks = blocks.flatMap((block) =>
  commandsIn(block).map(({ line, text }) => ({
    file: block.file,
    at: `${block.file}:${line}`,
    text,
  })),
);
const inSentences = DOCUMENTS.flatMap((file) =>
  codeIn(readDocument(file))
    .filter((code) => /^(npm|npx|pulumi) [^…]*$/.test(code))
    .map((text) => ({ file, at: file, text })),
);

test("blocks say their language, one that is checked", () => {
  const others = blocks.filter(({ language }) => !LANGUAGES.has(language));
  expect(others.map(({ at, language }) => `${at} ${language}`)).toEqual([]);
});

test.each([...inBlocks, ...inSentences])("$at: `$text` can be typed", ({ file, text }) => {
  expect(simpleCommands(text).flatMap((words) => faultsOf(words, file))).toEqual([]);
});

describe.each(DOCUMENTS)("%s", (file) => {
  const text = readDocument(file);

  test("has links that lead somewhere", () => {
    const faults = linksOf(text).filter((link) => !/^https:/.test(link) && !isThere(link, file));
    expect(faults).toEqual([]);
  });

  test("names folders and files that are there", () => {
    const named = codeIn(text)
      .filter((code) => /^[\w.-]+\/[\w./-]*$/.test(code))
      // Git ignores the local state: some of it is there once a stack has been made.
      .filter((code) => !code.startsWith(".pulumi-state/"));
    const ofProject = named.filter((code) =>
      existsSync(path.join(PROJECT, code.split("/")[0] ?? "")),
    );
    expect(ofProject.filter((code) => !existsSync(path.join(PROJECT, code)))).toEqual([]);
  });
});

describe("settings", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(blocksIn("yaml"))("of $at are settings", ({ at, text }) => {
    const file = path.join(folder, "settings.yaml");
    writeFileSync(file, text);
    const { raw } = readSettingsFile(file, at);
    const identity = { project: "nats-regions", stack: "dev" };
    expect(() => parseSettings(withPasswords(raw), identity)).not.toThrow();
  });
});

test("TypeScript is what the package's types take", () => {
  const programs = blocksIn("ts");
  expect(programs.length).toBeGreaterThan(0);
  expect(typeErrors(programs)).toEqual([]);
}, 120_000);

function faultsOf([program = "", ...args]: readonly string[], file: string): readonly string[] {
  const [variable] = /^\w+=/.exec(program) ?? [];
  if (variable) return faultsOf(args, file);
  const words = withoutRedirections(args);
  if (program === "npm") return [...faultsOfNpm(words), ...missingFiles(words, file)];
  if (program === "npx") return faultsOf(words, file);
  if (program === "vitest") return faultsOfVitest(words);
  if (program === "pulumi") return faultsOfPulumi(words);
  return OTHERS.has(program) ? [] : [`there is no program ${program}`];
}

function withoutRedirections(words: readonly string[]): readonly string[] {
  return words.filter((word, index) => word !== ">" && words[index - 1] !== ">");
}

function faultsOfNpm(given: readonly string[]): readonly string[] {
  const words = given[0] === "--prefix" ? given.slice(2) : given.filter((word) => word !== "-s");
  if (words[0] === "install") return [];
  const [name, ...rest] = words[0] === "run" ? words.slice(1) : words;
  if (name === undefined || scripts[name] === undefined) return [`there is no script ${name}`];
  const options = rest.filter((word) => /^--?\w/.test(word));
  const behind = rest.includes("--") ? rest.slice(rest.indexOf("--") + 1) : [];
  return [
    // Npm takes for its own what stands before.
    ...options.filter((option) => !behind.includes(option)).map((option) => `${option} before --`),
    ...options.filter((option) => !knows(name, option)).map((option) => `${name} has no ${option}`),
  ];
}

const usages = new Map<string, string>();

function knows(script: string, option: string): boolean {
  const usage = usages.get(script) ?? usageOf(script);
  usages.set(script, usage);
  if (mentions(usage, option)) return true;
  return /All options of `pulumi preview`/.test(usage) && mentions(pulumiHelp(["preview"]), option);
}

function usageOf(script: string): string {
  const main = path.join(PROJECT, "cli/main.ts");
  return execFileSync(process.execPath, [main, script, "--help"], { encoding: "utf8" });
}

function mentions(usage: string, option: string): boolean {
  const [name] = option.split("=");
  return new RegExp(`(^|[\\s,[])${name}(?![\\w-])`, "m").test(usage);
}

/** `npx vitest run --project server accounts`: each word is a part of a test file's path. */
function faultsOfVitest([verb, flag, project, ...filters]: readonly string[]): readonly string[] {
  if (verb !== "run" || flag !== "--project") return ["it isn't vitest run --project"];
  const files = globSync(`test/${project}/**/*.test.ts`, { cwd: PROJECT });
  return filters
    .filter((filter) => !files.some((file) => file.includes(filter)))
    .map((filter) => `project ${project} has no test ${filter}`);
}

/** Without the CLI, which unit tests go without, nothing is known of its flags. */
function faultsOfPulumi(words: readonly string[]): readonly string[] {
  const verbs = ["config", "state", "stack"].includes(words[0] ?? "")
    ? words.slice(0, 2)
    : words.slice(0, 1);
  const command = verbs.filter((verb) => /^[a-z]/.test(verb));
  const help = pulumiHelp(command);
  if (help === "") return [];
  const usage = `pulumi ${command.join(" ")}`;
  if (!isHelpOf(help, command.at(-1) ?? "")) return [`there is no ${usage}`];
  return words
    .filter((word) => /^--?\w/.test(word) && !mentions(help, word))
    .map((flag) => `${usage} has no ${flag}`);
}

/** Of a command that there isn't, Pulumi shows the help of the one above it. */
function isHelpOf(help: string, verb: string): boolean {
  const [, usage = ""] = /^Usage:\n {2}pulumi ((?:[a-z-]+ ?)*)/m.exec(help) ?? [];
  const [, aliases = ""] = /^Aliases:\n {2}(.+)$/m.exec(help) ?? [];
  return [usage.trim().split(" ").at(-1), ...aliases.split(", ")].includes(verb);
}

const helps = new Map<string, string>();

function pulumiHelp(command: readonly string[]): string {
  const name = command.join(" ");
  const known = helps.get(name);
  if (known !== undefined) return known;
  const cli = findCli(process.env);
  const help = cli ? spawnSync(cli, [...command, "--help"], { encoding: "utf8" }).stdout : "";
  helps.set(name, help);
  return help;
}

/** Files that words name, which neither the project has nor a reader. */
function missingFiles(words: readonly string[], file: string): readonly string[] {
  const made = blocks.flatMap((block) => (block.file === file ? (fileNameOf(block) ?? []) : []));
  return words
    .filter((word) => /^[\w./-]+\.(ya?ml|json|ts|pem)$/.test(word))
    .filter((name) => !made.includes(name) && !READERS_FILES.has(name))
    .filter((name) => !existsSync(path.join(PROJECT, name)))
    .map((name) => `there is no file ${name}`);
}

function isThere(link: string, from: string): boolean {
  const [target = "", anchor] = link.split("#");
  const file = target === "" ? from : path.join(path.dirname(from), target);
  if (!existsSync(path.join(PROJECT, file))) return false;
  return anchor === undefined || anchorsOf(readDocument(file)).has(anchor);
}

/** Users whose passwords a command sets, which stands below the block. */
function withPasswords(raw: Readonly<Record<string, unknown>>): unknown {
  const { accounts, ...rest } = raw;
  if (accounts === undefined) return rest;
  const users = z.record(
    z.string(),
    z
      .looseObject({})
      .transform((user) =>
        ["nkey", "password", "certificate"].some((login) => login in user)
          ? user
          : { ...user, password: PASSWORD_PLACEHOLDER },
      ),
  );
  const schema = z.record(z.string(), z.looseObject({ users: users.optional() }));
  return { ...rest, accounts: schema.parse(accounts) };
}

/** What the compiler says of programs that stand in docs/, with the options of the repository. */
function typeErrors(programs: readonly (Block & { readonly at: string })[]): readonly string[] {
  const texts = new Map(
    programs.map(({ text, at }) => [
      path.join(PROJECT, "docs", `${at.replaceAll(/\W/g, "-")}.ts`),
      { text, at },
    ]),
  );
  const { config } = ts.readConfigFile(path.join(PROJECT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, PROJECT);
  const compiled = {
    ...options,
    noUnusedLocals: false,
    paths: { ...options.paths, "nats-regions/planner": ["./lib/planner.ts"] },
  };
  const host = ts.createCompilerHost(compiled);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.readFile = (file) => texts.get(file)?.text ?? readFile(file);
  host.getSourceFile = (file, languageVersion, ...rest) => {
    const program = texts.get(file);
    return program
      ? ts.createSourceFile(file, program.text, languageVersion)
      : getSourceFile(file, languageVersion, ...rest);
  };
  const program = ts.createProgram([...texts.keys()], compiled, host);
  return [...texts].flatMap(([file, { at }]) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(file))
      .map(({ messageText }) => `${at}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`),
  );
}
