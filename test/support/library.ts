/** Programs of others, which have installed the package and are run by the plain CLI. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { findCli } from "../../cli/pulumi/project.mjs";
import { pack } from "../../tools/package/pack.ts";
import { namesOnEngine, removeFromEngine } from "./on-engine.ts";
import { nameWithOwnPorts } from "./own-ports.ts";
import { type Outcome, PASSWORDS, PROJECT } from "./stack.ts";

/** What a program installs beside the package, in the versions that are installed here. */
const BESIDE = ["@pulumi/command", "@pulumi/docker", "@pulumi/pulumi", "@types/node", "typescript"];

const STACK = "dev";

/** A program, and what its package.json and Pulumi.yaml say of how it is run. */
export interface Program {
  readonly file: "index.ts" | "index.js";
  readonly text: string;
  readonly type: "module" | "commonjs";
  /** Whether Pulumi is to compile it, as it does where Pulumi.yaml says nothing; else node strips its types. */
  readonly typescript?: false;
}

let packed: Promise<string> | undefined;

/** @returns path of the tarball, which is there as long as the process. */
async function packOnce(): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "nats-regions-package-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return await pack(folder);
}

/**
 * A project in a folder of its own with the packed package installed, and one stack of it, driven by the CLI as
 * anybody has it: nothing of this repository is around it.
 */
export class LibraryProgram implements AsyncDisposable {
  /** Of its own, and so are the names on the engine, which begin with it. */
  readonly project: string;
  readonly folder = mkdtempSync(path.join(tmpdir(), "nats-regions-library-"));
  readonly #dependencies: Record<string, string> = {};

  private constructor(clusters: readonly string[]) {
    this.project = nameWithOwnPorts("library", (project) =>
      clusters.map((cluster) => ({ project, stack: STACK, cluster })),
    );
  }

  /**
   * Packs the package, installs it, and makes a stack with {@link PASSWORDS} as its settings.
   *
   * @param clusters the names of all clusters that it will ever have.
   */
  static async install(program: Program, ...clusters: readonly string[]): Promise<LibraryProgram> {
    const made = new LibraryProgram(clusters);
    await made.#pack();
    made.write(program);
    await made.#install(PASSWORDS);
    return made;
  }

  /**
   * The same of a program in examples/, as it is there but for its name and the versions of what it installs.
   *
   * @param clusters the names of all clusters that it has.
   * @param secrets settings of its stack.
   */
  static async installExample(
    example: string,
    clusters: readonly string[],
    secrets: Readonly<Record<string, string>>,
  ): Promise<LibraryProgram> {
    const made = new LibraryProgram(clusters);
    await made.#pack();
    cpSync(path.join(PROJECT, "examples", example), made.folder, { recursive: true });
    made.#edit("package.json", (text) => {
      const { dependencies, ...manifest } = JSON.parse(text);
      const versions = Object.keys(dependencies).map((name) => [name, made.#dependencies[name]]);
      return JSON.stringify({ ...manifest, dependencies: Object.fromEntries(versions) });
    });
    made.#edit("Pulumi.yaml", (text) => text.replace(/^name: .*$/m, `name: ${made.project}`));
    await made.#install(secrets);
    return made;
  }

  async #pack(): Promise<void> {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(path.join(PROJECT, "package.json"), "utf8"),
    );
    const versions = { ...dependencies, ...devDependencies };
    for (const name of BESIDE) this.#dependencies[name] = versions[name];
    packed ??= packOnce();
    this.#dependencies["nats-regions"] = await packed;
  }

  async #install(secrets: Readonly<Record<string, string>>): Promise<void> {
    const quietly = ["--prefer-offline", "--no-audit", "--no-fund"];
    await execa("npm", ["install", ...quietly], { cwd: this.folder });
    await this.expectPulumi("stack", "init", STACK);
    for (const [name, value] of Object.entries(secrets)) {
      await this.expectPulumi("config", "set", "--secret", name, value);
    }
  }

  #edit(file: string, change: (text: string) => string): void {
    writeFileSync(this.#in(file), change(readFileSync(this.#in(file), "utf8")));
  }

  /** Replaces the program; what is installed stays. */
  write({ file, text, type, typescript }: Program): void {
    for (const other of ["index.ts", "index.js"]) rmSync(this.#in(other), { force: true });
    writeFileSync(this.#in(file), text);
    const dependencies = this.#dependencies;
    const manifest = { name: this.project, private: true, type, main: file, dependencies };
    writeFileSync(this.#in("package.json"), JSON.stringify(manifest));
    const runtime = { name: "nodejs", options: typescript === false ? { typescript } : {} };
    // Pulumi reads YAML, of which this is some.
    writeFileSync(this.#in("Pulumi.yaml"), JSON.stringify({ name: this.project, runtime }));
  }

  /** What the compiler has to say against a file beside the program; empty where nothing. */
  async complaints(text: string, ...options: readonly string[]): Promise<string> {
    const file = this.#in("types.ts");
    writeFileSync(file, text);
    const strict = ["--noEmit", "--strict", "--target", "es2022", ...options, file];
    const tsc = this.#in("node_modules/.bin/tsc");
    const { stdout } = await execa(tsc, strict, { cwd: this.folder, reject: false });
    rmSync(file);
    return stdout;
  }

  /** Runs a command of the CLI and tells how it ended. */
  async pulumi(...args: string[]): Promise<Outcome> {
    const { exitCode = 1, all } = await this.#start(args);
    return { exitCode, text: all };
  }

  /** Runs a module beside the program in the place of the CLI, and tells how it ended. */
  async node(text: string): Promise<Outcome> {
    writeFileSync(this.#in("beside.mjs"), text);
    const { exitCode = 1, all } = await this.#start(["beside.mjs"], process.execPath);
    rmSync(this.#in("beside.mjs"));
    return { exitCode, text: all };
  }

  /** Runs a command of the CLI that has to succeed, and gives what it said. */
  async expectPulumi(...args: string[]): Promise<string> {
    const { exitCode, text } = await this.pulumi(...args);
    if (exitCode === 0) return text;
    throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${text.slice(-6_000)}`);
  }

  /** What the program exports, as of the last `up`. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const { stdout } = await this.#start(["stack", "output", "--json"]);
    return JSON.parse(stdout);
  }

  /** What of this project is on the engine: containers, volumes and networks, by name. */
  leftovers(): Promise<string[]> {
    return namesOnEngine(this.project);
  }

  /** Removes what a failed test left of the stack: what isn't the package's, only a `destroy` finds. */
  async remove(): Promise<void> {
    if ((await this.leftovers()).length > 0) await this.pulumi("destroy", "--yes");
    await removeFromEngine(this.project);
    rmSync(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  #start(args: readonly string[], command?: string) {
    const cli = findCli(process.env) ?? "pulumi";
    const folders = [path.dirname(cli), path.dirname(process.execPath), process.env.PATH ?? ""];
    return execa(command ?? cli, args, {
      cwd: this.folder,
      env: {
        PATH: folders.join(path.delimiter),
        PULUMI_BACKEND_URL: `file://${this.folder}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        NO_COLOR: "1",
      },
      all: true,
      reject: false,
      stdin: "ignore",
    });
  }

  #in(file: string): string {
    return path.join(this.folder, file);
  }
}
