/** Programs of users, which have the package installed and run with the plain CLI. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { findCli } from "../../cli/pulumi/project.mjs";
import {
  type InstalledPackage,
  installedPackage,
  installInto,
  prune,
} from "./installed-package.ts";
import { namesOnEngine, removeFromEngine } from "./on-engine.ts";
import { nameWithOwnPorts } from "./own-ports.ts";
import { byPassphrase, PASSWORDS, withPasswords } from "./passwords.ts";
import { type Outcome, PROJECT, writeEmptyState } from "./stack.ts";
import { vaultEnvironment } from "./vault.ts";

const STACK = "dev";

/** A program, and the entries of its package.json and Pulumi.yaml that affect how it runs. */
export interface Program {
  readonly file: "index.ts" | "index.js";
  readonly text: string;
  readonly type: "module" | "commonjs";
  /** Whether Pulumi compiles it, as is its default; false: node strips its types. */
  readonly typescript?: false;
}

/**
 * A project in its own folder with the packed package installed, and one stack of it, run with the CLI as users have
 * it: nothing of this repository is around it.
 */
export class LibraryProgram implements AsyncDisposable {
  /** Unique, and so are the names on the engine, which begin with it. */
  readonly project: string;
  readonly folder = mkdtempSync(path.join(tmpdir(), "nats-regions-library-"));
  readonly #installed: InstalledPackage;

  private constructor(installed: InstalledPackage, clusters: readonly string[]) {
    this.#installed = installed;
    this.project = nameWithOwnPorts("library", (project) =>
      clusters.map((cluster) => ({ project, stack: STACK, cluster })),
    );
  }

  /**
   * Installs the package, and creates a stack with {@link PASSWORDS} as its settings.
   *
   * @param clusters names of all clusters that the program will ever have.
   */
  static async install(program: Program, ...clusters: readonly string[]): Promise<LibraryProgram> {
    const made = new LibraryProgram(await installedPackage(), clusters);
    made.write(program);
    await installInto(made.folder, made.#installed);
    writeFileSync(made.#settings, stringify(withPasswords(made.project)));
    writeEmptyState(made.folder, made.project, STACK);
    await made.expectPulumi("stack", "select", STACK);
    return made;
  }

  /**
   * The same with a program of examples/, unchanged except for its name and the versions of its packages.
   *
   * @param clusters names of all of its clusters.
   * @param secrets settings of its stack.
   */
  static async installExample(
    example: string,
    clusters: readonly string[],
    secrets: Readonly<Record<string, string>>,
  ): Promise<LibraryProgram> {
    const made = new LibraryProgram(await installedPackage(), clusters);
    cpSync(path.join(PROJECT, "examples", example), made.folder, { recursive: true });
    made.#edit("package.json", (text) => {
      const { dependencies, ...manifest } = JSON.parse(text);
      const versions = Object.keys(dependencies).map((name) => [
        name,
        made.#installed.dependencies[name],
      ]);
      return JSON.stringify({ ...manifest, dependencies: Object.fromEntries(versions) });
    });
    made.#edit("Pulumi.yaml", (text) => text.replace(/^name: .*$/m, `name: ${made.project}`));
    await installInto(made.folder, made.#installed);
    await prune(made.folder);
    await made.#begin(secrets);
    return made;
  }

  /** Creates the stack with its settings by the CLI. */
  async #begin(secrets: Readonly<Record<string, string>>): Promise<void> {
    const isEncrypted = (name: string) =>
      Object.entries(PASSWORDS).some(([known, value]) => known === name && secrets[name] === value);
    const settings = stringify(byPassphrase(this.project, isEncrypted));
    writeFileSync(this.#settings, settings);
    await this.expectPulumi("stack", "init", STACK);
    for (const [name, value] of Object.entries(secrets)) {
      if (!isEncrypted(name)) await this.expectPulumi("config", "set", "--secret", name, value);
    }
  }

  #edit(file: string, change: (text: string) => string): void {
    writeFileSync(this.#in(file), change(readFileSync(this.#in(file), "utf8")));
  }

  /** Replaces the program; installed packages stay. */
  write({ file, text, type, typescript }: Program): void {
    for (const other of ["index.ts", "index.js"]) rmSync(this.#in(other), { force: true });
    writeFileSync(this.#in(file), text);
    const { dependencies } = this.#installed;
    const manifest = { name: this.project, private: true, type, main: file, dependencies };
    writeFileSync(this.#in("package.json"), JSON.stringify(manifest));
    const runtime = { name: "nodejs", options: typescript === false ? { typescript } : {} };
    // JSON is YAML, too.
    writeFileSync(this.#in("Pulumi.yaml"), JSON.stringify({ name: this.project, runtime }));
  }

  /** The compiler's errors for a file next to the program; empty if there are none. */
  async complaints(text: string, ...options: readonly string[]): Promise<string> {
    const file = this.#in("types.ts");
    writeFileSync(file, text);
    const strict = ["--noEmit", "--strict", "--target", "es2022", ...options, file];
    const tsc = this.#in("node_modules/.bin/tsc");
    const { stdout } = await execa(tsc, strict, { cwd: this.folder, reject: false });
    rmSync(file);
    return stdout;
  }

  /** Runs a command of the CLI, and returns how it ended. */
  async pulumi(...args: string[]): Promise<Outcome> {
    const { exitCode = 1, all } = await this.#start(args);
    return { exitCode, text: all };
  }

  /** Runs a module next to the program instead of the CLI, and returns how it ended. */
  async node(text: string): Promise<Outcome> {
    writeFileSync(this.#in("beside.mjs"), text);
    const { exitCode = 1, all } = await this.#start(["beside.mjs"], process.execPath);
    rmSync(this.#in("beside.mjs"));
    return { exitCode, text: all };
  }

  /** Runs a command of the CLI that has to succeed, and returns its output. */
  async expectPulumi(...args: string[]): Promise<string> {
    const { exitCode, text } = await this.pulumi(...args);
    if (exitCode === 0) return text;
    throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${text.slice(-6_000)}`);
  }

  /** The program's outputs as of the last `up`. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const { stdout } = await this.#start(["stack", "output", "--json"]);
    return JSON.parse(stdout);
  }

  /** Names of the project's containers, volumes and networks on the engine. */
  leftovers(): Promise<string[]> {
    return namesOnEngine(this.project);
  }

  /** Removes what a failed test left behind. Only `destroy` finds resources that aren't the package's. */
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
        ...vaultEnvironment(),
        PULUMI_SKIP_UPDATE_CHECK: "true",
        NO_COLOR: "1",
        // A program runs many times here: half of each would go into compiling the same modules.
        NODE_COMPILE_CACHE: this.#in(".compile-cache"),
      },
      all: true,
      reject: false,
      stdin: "ignore",
    });
  }

  get #settings(): string {
    return this.#in(`Pulumi.${STACK}.yaml`);
  }

  #in(file: string): string {
    return path.join(this.folder, file);
  }
}
