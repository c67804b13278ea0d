import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { CommanderError, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createProgram, runCommand } from "../../../cli/commands.ts";
import { run as drill } from "../../../cli/drill/drill.ts";
import { run as preview } from "../../../cli/preview/preview.ts";
import { project } from "../../../cli/pulumi/project.mjs";
import { SUMMARIES } from "../../../cli/terminal/summaries.mjs";
import {
  benchAgainst,
  benchCycle,
  benchProcesses,
  benchStreams,
} from "../../../tools/commands/bench.ts";
import { run as chaos } from "../../../tools/commands/chaos.ts";
import { run as machines } from "../../../tools/commands/machines.ts";
import { run as runTests } from "../../../tools/commands/test.ts";

vi.mock("../../../cli/drill/drill.ts", () => ({ run: vi.fn(async () => 0) }));
vi.mock("../../../cli/preview/preview.ts", () => ({ run: vi.fn(async () => 3) }));
vi.mock("../../../tools/commands/bench.ts", () => ({
  benchAgainst: vi.fn(),
  benchCycle: vi.fn(),
  benchProcesses: vi.fn(),
  benchStreams: vi.fn(),
}));
vi.mock("../../../tools/commands/chaos.ts", () => ({ run: vi.fn() }));
vi.mock("../../../tools/commands/machines.ts", () => ({ run: vi.fn() }));
vi.mock("../../../tools/commands/test.ts", () => ({ run: vi.fn() }));

const text = (name: string) => readFile(path.join(project, name), "utf8");
const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(await text("package.json")).scripts;

/** Each command with the words that name it, e.g. `bench streams`. */
function commandsIn(parent: CommandUnknownOpts, names: readonly string[] = []) {
  return parent.commands.flatMap((command): [string, CommandUnknownOpts][] => {
    const path = [...names, command.name()];
    return [[path.join(" "), command], ...commandsIn(command, path)];
  });
}

const COMMANDS = commandsIn(createProgram(async () => {}));
const PASSING_ON = ["preview", "test"];

/** Reads a command line without running what it asks for. @returns whether there is something to run. */
async function parse(args: readonly string[]): Promise<boolean> {
  let asked = false;
  const program = createProgram(async () => {
    asked = true;
  });
  await program.parseAsync(args, { from: "user" });
  return asked;
}

/** The arguments of a command line that begins with npm, as a shell and npm hand them on. */
function argumentsOf(line: string): string[] {
  const [, script = "", rest = ""] = /^npm (?:run (?:-s )?)?([\w:]+)(.*)/.exec(line) ?? [];
  const words = [
    ...rest
      .replace(/<[^>]*>/g, "WORD")
      .replace(/ # .*/, "")
      .matchAll(/"[^"]*"|\S+/g),
  ].map(([word]) => word);
  const separator = words.indexOf("--");
  const given = words.filter((_, index) => index !== separator);
  return [script, ...given.map((word) => word.replaceAll('"', ""))];
}

let printed = "";

beforeEach(() => {
  printed = "";
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation((chunk) => {
      printed += chunk;
      return true;
    });
  }
});

afterEach(() => vi.restoreAllMocks());

async function helpOf(...args: string[]): Promise<string> {
  await expect(runCommand([...args, "--help"])).rejects.toMatchObject({ exitCode: 0 });
  return printed;
}

describe("commands", () => {
  test("are npm scripts, each listed with what it does", async () => {
    const names = Object.keys(SUMMARIES);
    const scripts = Object.entries(SCRIPTS).filter(([, script]) => script.includes("bootstrap"));
    expect(scripts).toEqual(scripts.map(([name]) => [name, `node cli/bootstrap.mjs ${name}`]));
    expect(scripts.map(([name]) => name).sort()).toEqual(names.toSorted());
    const help = await helpOf();
    for (const name of names) expect(help).toMatch(new RegExp(`^  ${name} .*\\w`, "m"));
  });

  test("that there aren't are refused, with the nearest", async () => {
    await expect(runCommand(["strat"])).rejects.toThrow("'strat'\n(Did you mean start?)");
    expect(printed).toContain("`node cli/bootstrap.mjs --help` lists the commands.");
  });

  test("end with the status of what they ran", async () => {
    expect(await runCommand(["preview"])).toBe(3);
  });
});

describe.each(COMMANDS)("npm run %s", (name, command) => {
  const words = name.split(" ");

  test("helps with every option, its default and examples that work", async () => {
    const [usage = "", ...rest] = (await helpOf(...words)).split("\n");
    expect(usage).toMatch(`Usage: npm run ${words.join(" -- ")}`);
    const help = rest.join(" ").replace(/ +/g, " ");
    for (const { flags, description, ...option } of command.options) {
      expect(help).toContain(` ${flags} ${description}`);
      const standard: unknown = option.defaultValueDescription ?? option.defaultValue;
      if (standard !== undefined) expect(help).toMatch(new RegExp(`default: "?${standard}"?\\)`));
    }
    for (const { description } of command.registeredArguments) expect(help).toContain(description);
    const examples = rest
      .slice(rest.indexOf("Examples:") + 1)
      .filter((line) => /^ {2}\S/.test(line));
    expect(examples).not.toEqual([]);
    for (const example of examples) {
      const [line = ""] = example.trim().split(/ {2,}/);
      const args = argumentsOf(line);
      expect(args.slice(0, 1)).toEqual(words.slice(0, 1));
      expect(await parse(args), line).toBe(true);
    }
  });

  test.skipIf(PASSING_ON.includes(name))("refuses options that there aren't", async () => {
    const refused = runCommand([...words, "--hlep"]);
    await expect(refused).rejects.toThrow("unknown option '--hlep'\n(Did you mean --help?)");
    await expect(refused).rejects.toBeInstanceOf(CommanderError);
    expect(printed).toContain(`\`npm run ${words[0]} -- --help\` lists what there is.`);
  });
});

test.each(["README.md", "CONTRIBUTING.md"])("the commands in %s are understood", async (file) => {
  const shown = (await text(file)).matchAll(
    /^\$ (npm (?:start|test|run).*)|`(npm (?:start|test|run)[^`]*)`/gm,
  );
  const lines = [...shown].map(([, line, inText]) => line ?? inText ?? "");
  const own = lines.map(argumentsOf).filter(([name = ""]) => SCRIPTS[name]?.includes("bootstrap"));
  expect(own.length).toBeGreaterThan(5);
  for (const args of own) expect(await parse(args), args.join(" ")).toBe(true);
});

describe("options", () => {
  test("have values of their types, and defaults", async () => {
    await runCommand(["drill", "node", "rg1-az2", "-y"]);
    await runCommand(["drill", "--for", "1m", "zone", "az1", "--how", "stop", "--allow-data-loss"]);
    expect(vi.mocked(drill).mock.calls).toEqual([
      [["node", "rg1-az2"], { how: "kill", for: 20_000, yes: true }],
      [["zone", "az1"], { how: "stop", for: 60_000, allowDataLoss: true }],
    ]);
    await runCommand(["chaos", "tls", "--kills", "1"]);
    expect(chaos).toHaveBeenCalledWith(["tls"], { kills: 1, rounds: 3 });
    await runCommand(["chaos", "machines"]);
    expect(machines).toHaveBeenCalledWith({ count: 3 });
    await runCommand(["bench", "--strict"]);
    expect(benchCycle).toHaveBeenCalledWith({ runs: 3, strict: true });
    await runCommand(["bench", "streams", "--counts", "1,20"]);
    expect(benchStreams).toHaveBeenCalledWith({ counts: [1, 20] });
    await runCommand(["bench", "processes", "--runs", "7"]);
    expect(benchProcesses).toHaveBeenCalledWith({ runs: 7 });
    await runCommand(["bench", "against", "HEAD~1", "--runs", "2"]);
    expect(benchAgainst).toHaveBeenCalledWith("HEAD~1", { runs: 2 });
  });

  test.each([
    [["bench", "--runs", "0"], "It is no number; use 1 or more."],
    [["bench", "--runs", "some"], "argument 'some' is invalid"],
    [["bench", "streams", "--counts", "1,,2"], "argument '1,,2' is invalid"],
    [["bench", "strams"], "Allowed choices are streams, machines, processes, against"],
    [["bench", "against"], "missing required argument 'git ref'"],
    [["chaos", "rolout"], "Allowed choices are rollout, "],
    [["status", "blue"], "too many arguments"],
    [["start", "--stack"], "'-s, --stack <name>' argument missing"],
  ])("refuses %j", async (args, message) => {
    await expect(runCommand(args)).rejects.toThrow(message);
  });

  test("of vitest go there as they are", async () => {
    const args = ["--project", "unit", "-t", "a b", "cycle", "--stack", "--", "-x"];
    await runCommand(["test", ...args]);
    expect(runTests).toHaveBeenCalledWith(args);
  });

  test("go there without the `--` that npm takes away", async () => {
    await runCommand(["test", "--", "--project", "unit", "--", "-t"]);
    expect(runTests).toHaveBeenCalledWith(["--project", "unit", "--", "-t"]);
  });

  test("of pulumi go there as they are, those that matter here too", async () => {
    const args = ["--config-file", "a b", "-s", "blue", "--refresh", "--json", "--target=urn"];
    await runCommand(["preview", ...args]);
    expect(preview).toHaveBeenCalledWith({ stack: "blue", json: true }, args);
  });
});

describe("a process", () => {
  const start = (file: string, ...args: string[]) =>
    execa(process.execPath, [file, ...args], { reject: false });
  const MAIN = path.join(project, "cli/main.ts");

  test.each([
    [[], 0, /^Usage: npm run <command>/],
    [["help"], 0, /^Usage: npm run <command>/],
    [["status", "-h"], 0, /^Usage: npm run status -- \[options\]/],
    [["strat"], 2, /unknown command 'strat'/],
    [["status", "--jsno"], 1, /unknown option '--jsno'\n\(Did you mean --json\?\)/],
  ] as const)("of %j ends with %i", async (args, status, said) => {
    const { exitCode, stdout, stderr } = await start(MAIN, ...args);
    expect({ exitCode, said: status === 0 ? stdout : stderr }).toEqual({
      exitCode: status,
      said: expect.stringMatching(said),
    });
  });

  test("without packages lists the commands, and installs nothing", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "bare-"));
    try {
      for (const file of ["cli", "package-lock.json"]) {
        await cp(path.join(project, file), path.join(folder, file), { recursive: true });
      }
      const { exitCode, stdout } = await start(path.join(folder, "cli/bootstrap.mjs"), "--help");
      expect(exitCode).toBe(0);
      for (const line of Object.entries(SUMMARIES))
        expect(stdout).toMatch(new RegExp(line.join(" +")));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
