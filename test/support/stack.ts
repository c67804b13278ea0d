import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa, execaSync } from "execa";
import { parse, stringify } from "yaml";
import { isMap } from "../../lib/base/records.ts";
import { parseStackOutputs, type StackOutputs } from "../../lib/plan/outputs.ts";
import { namesOnEngine, removeFromEngine } from "./on-engine.ts";
import { nameWithOwnPorts } from "./own-ports.ts";
import { withPasswords } from "./passwords.ts";
import { vaultEnvironment } from "./vault.ts";

/** The repository's folder, which is the program's. */
export const PROJECT = path.resolve(import.meta.dirname, "../..");

/** How a command of the CLI ended. */
export interface Outcome {
  readonly exitCode: number;
  /** Its stdout and stderr, in order. */
  readonly text: string;
}

/** A stack's state, as far as tests look into it. */
export interface Deployment {
  readonly resources: {
    readonly urn: string;
    readonly type: string;
    readonly outputs?: Readonly<Record<string, unknown>>;
    readonly delete?: boolean;
  }[];
}

const SEED_STREAM = {
  replicas: 3,
  storage: "file",
  retention: "limits",
  duplicateWindow: "2m",
  allowRollup: true,
  allowDirect: true,
};

/** The settings of stack `dev` without ports, which are derived from the stack's name. */
export const SEED_SETTINGS = {
  streams: {
    EVENTS: { subjects: ["events.*"], placement: { tags: ["xr:123"] }, ...SEED_STREAM },
    ORDERS: { subjects: ["orders.*"], placement: { tags: ["rg:2"] }, ...SEED_STREAM },
  },
};

const { ORDERS } = SEED_SETTINGS.streams;

/** Six nodes, where it takes several in a zone, or a stream that moves: a third less work than with the seed's nine. */
export const TWO_REGIONS = { regions: ["rg1", "rg2"], streams: { ORDERS } };

/** Three nodes, where neither their number nor a region matters. */
export const ONE_REGION = {
  regions: ["rg1"],
  streams: { ORDERS: { ...ORDERS, placement: { tags: ["rg:1"] } } },
};

/** Users press ^C again when they see no reaction. */
const SECOND_INTERRUPT_MS = 500;

/** Milliseconds after which a command in {@link TestStack.meanwhile} counts as hung. */
const LONGEST_MS = 300_000;

function merge(before: unknown, changes: unknown): unknown {
  if (!isMap(before) || !isMap(changes)) return changes;
  const merged = Object.entries(changes).map(([name, change]) => [
    name,
    merge(before[name], change),
  ]);
  return { ...before, ...Object.fromEntries(merged) };
}

function newName(): string {
  return nameWithOwnPorts("test", (stack) => [{ project: "nats-regions", stack }]);
}

/** Writes what `pulumi stack init` would write into the folder of a backend, which takes half a second. */
export function writeEmptyState(backend: string, project: string, stack: string): void {
  const file = path.join(backend, ".pulumi/stacks", project, `${stack}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  const checkpoint = { stack: `organization/${project}/${stack}` };
  writeFileSync(file, JSON.stringify({ version: 3, checkpoint }));
}

/** Kills a process and all its descendants; Pulumi's plugins are in their own process groups. */
function killTree(root: number): void {
  const { stdout } = execaSync("ps", ["-eo", "pid=,ppid="]);
  const rows = stdout.split("\n").map((row) => row.trim().split(/\s+/).map(Number));
  const family = new Set([root]);
  for (const parent of family) {
    for (const [pid = 0, ppid] of rows) if (ppid === parent) family.add(pid);
  }
  for (const pid of family) killIfThere(pid);
}

/** A process may have ended meanwhile. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/**
 * A stack with a unique name, with its state and settings in a temporary folder, driven by the real CLI. Names and
 * ports are derived from its name, so it can run next to any other stack on the engine.
 */
export class TestStack {
  /** The name that it was created with. */
  readonly name: string;
  readonly folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  /** In addition to the environment of the process. */
  readonly env: Record<string, string>;
  /** Variables that lead `docker` to each engine with nodes. */
  engines: readonly Readonly<Record<string, string>>[] = [{}];

  private constructor(name: string) {
    this.name = name;
    this.env = {
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      ...vaultEnvironment(),
      PULUMI_STACK: name,
      NO_COLOR: "1",
    };
  }

  /** A stack that a command of {@link shell} creates; its settings are next to the program. */
  static unmade(): TestStack {
    return new TestStack(newName());
  }

  static async create(settings: object = SEED_SETTINGS, name = newName()): Promise<TestStack> {
    const stack = new TestStack(name);
    writeEmptyState(stack.folder, "nats-regions", name);
    writeFileSync(stack.#configFile, stringify(withPasswords("nats-regions")));
    stack.configure(settings);
    return stack;
  }

  /** Replaces all settings except the passwords. */
  configure(settings: object): void {
    const { config, ...rest } = this.#readConfig();
    const passwords = Object.entries(config).filter(([name]) => /:(p|systemP)assword$/.test(name));
    const others = Object.entries(settings).map(([name, value]) => [`nats-regions:${name}`, value]);
    const changed = { ...rest, config: Object.fromEntries([...passwords, ...others]) };
    writeFileSync(this.#configFile, stringify(changed));
  }

  #readConfig(): { readonly config: Readonly<Record<string, unknown>> } {
    return { config: {}, ...parse(readFileSync(this.#configFile, "utf8")) };
  }

  /** Runs a command of the CLI on this stack, and returns how it ended. */
  async pulumi(...args: string[]): Promise<Outcome> {
    const { exitCode = 1, all } = await this.start(args);
    return { exitCode, text: all };
  }

  /** Runs a command of the CLI that has to succeed, and returns its output. */
  async expectPulumi(...args: string[]): Promise<string> {
    const { exitCode, text } = await this.pulumi(...args);
    if (exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${text.slice(-6_000)}`);
    return text;
  }

  /**
   * Starts a command of the CLI and kills it with all its children, as if the machine was lost, at the first line that
   * matches. @throws Error if it ends by itself.
   */
  async killAt(sign: RegExp, ...args: string[]): Promise<void> {
    const command = this.start(args);
    for await (const line of command.iterable({ from: "all" })) {
      if (sign.test(line) && command.pid) killTree(command.pid);
    }
    const { signal, exitCode, all } = await command;
    if (signal === "SIGKILL") return;
    const end = `pulumi ${args.join(" ")} ended with ${exitCode}, before ${sign}`;
    throw new Error(`${end}:\n${all.slice(-6_000)}`);
  }

  /**
   * Runs a command of the CLI and does something at the first line that matches, which may make the command fail.
   * @throws Error if no line matches, or if the command takes longer than {@link LONGEST_MS}.
   */
  async meanwhile(sign: RegExp, work: () => Promise<unknown>, ...args: string[]): Promise<Outcome> {
    const command = this.start(args);
    const bound = setTimeout(() => command.pid && killTree(command.pid), LONGEST_MS);
    const shown = Promise.withResolvers<void>();
    const watch = async (): Promise<Outcome> => {
      for await (const line of command.iterable({ from: "all" })) {
        if (sign.test(line)) shown.resolve();
      }
      const { signal, exitCode = 1, all } = await command;
      clearTimeout(bound);
      const end = `pulumi ${args.join(" ")} ended with ${signal ?? exitCode}`;
      if (signal) throw new Error(`${end}:\n${all.slice(-6_000)}`);
      shown.reject(new Error(`${end}, before ${sign}:\n${all.slice(-6_000)}`));
      return { exitCode, text: all };
    };
    const [outcome] = await Promise.all([watch(), shown.promise.then(work)]);
    return outcome;
  }

  /**
   * Starts a command of the CLI and kills it with all its children after some milliseconds.
   *
   * @returns false if it had ended by then.
   */
  async killAfter(milliseconds: number, ...args: string[]): Promise<boolean> {
    const command = this.start(args);
    const killing = setTimeout(() => command.pid && killTree(command.pid), milliseconds);
    const { signal } = await command;
    clearTimeout(killing);
    return signal === "SIGKILL";
  }

  /**
   * Starts a command of the CLI and sends it SIGINT after some milliseconds, like ^C; optionally a second one follows
   * soon.
   */
  async interruptAfter(milliseconds: number, times: number, ...args: string[]): Promise<Outcome> {
    const command = this.start(args);
    const interrupts = Array.from({ length: times }, (_, index) =>
      setTimeout(
        () => command.pid && process.kill(command.pid, "SIGINT"),
        milliseconds + index * SECOND_INTERRUPT_MS,
      ),
    );
    const { exitCode = 1, all } = await command;
    for (const interrupt of interrupts) clearTimeout(interrupt);
    return { exitCode, text: all };
  }

  /** Renames the stack. Its names on the engine still derive from {@link name}. */
  async rename(name: string): Promise<void> {
    await this.expectPulumi("stack", "rename", name);
    this.env.PULUMI_STACK = name;
  }

  /** Moves the state to another backend, like a stack that becomes shared. */
  async moveTo(backend: string): Promise<void> {
    const file = path.join(this.folder, "exported.json");
    await this.expectPulumi("stack", "export", "--file", file);
    this.env.PULUMI_BACKEND_URL = backend;
    await this.expectPulumi("stack", "init", this.env.PULUMI_STACK ?? this.name);
    rmSync(path.join(PROJECT, `Pulumi.${this.env.PULUMI_STACK}.yaml`), { force: true });
    await this.expectPulumi("stack", "import", "--file", file);
  }

  /** From now on selects the backend by a login, with credentials in a separate folder. */
  async logIn(folder: string): Promise<void> {
    const { PULUMI_BACKEND_URL: backend = "" } = this.env;
    delete this.env.PULUMI_BACKEND_URL;
    this.env.PULUMI_CREDENTIALS_PATH = folder;
    await this.expectPulumi("login", backend);
  }

  /** Replaces the stack's state by another one. */
  async importState(deployment: Deployment): Promise<void> {
    const file = path.join(this.folder, "state.json");
    writeFileSync(file, JSON.stringify({ version: 3, deployment }));
    await this.expectPulumi("stack", "import", "--file", file);
  }

  /** The state as Pulumi has written it. */
  stateText(): string {
    return readFileSync(this.#stateFile, "utf8");
  }

  /** All files of the backend: states, backups, history. */
  stateTexts(): string[] {
    const folder = path.join(this.folder, ".pulumi");
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"));
  }

  /** Truncates the state and its backup, like a full disk. */
  tearState(): void {
    const half = this.stateText().slice(0, 100);
    for (const file of [this.#stateFile, `${this.#stateFile}.bak`]) writeFileSync(file, half);
  }

  /** Runs `npm run destroy` with the settings next to the program. @returns its output. */
  async expectDestroy(): Promise<string> {
    const { exitCode, stdout, stderr } = await this.script("destroy", "--yes");
    if (exitCode !== 0) throw new Error(`destroy ended with ${exitCode}:\n${stderr}`);
    return stdout;
  }

  /** Starts an npm script on this stack, with the settings next to the program until it ends. */
  script(name: string, ...args: string[]) {
    const command = [path.join(PROJECT, "cli/main.ts"), name, ...args, "--stack", this.name];
    const settings = this.settingsBeside;
    copyFileSync(this.#configFile, settings);
    const running = execa(process.execPath, command, {
      cwd: PROJECT,
      env: this.env,
      reject: false,
      stdin: "ignore",
    });
    void running.finally(() => rmSync(settings));
    return running;
  }

  /**
   * Runs a command line in a shell, with the settings next to the program.
   *
   * @param input stdin of the command.
   */
  async shell(line: string, input = ""): Promise<Outcome> {
    // There is no terminal on which to ask for confirmation.
    const env = { ...this.env, PULUMI_SKIP_CONFIRMATIONS: "true" };
    const options = { cwd: PROJECT, env, input, all: true, reject: false } as const;
    const { exitCode = 1, all } = await execa("sh", ["-c", line], options);
    return { exitCode, text: all };
  }

  /** Changes the settings next to the program: maps are merged, anything else is replaced. */
  mergeSettings(changes: object): void {
    const file = this.settingsBeside;
    const { config, ...rest } = parse(readFileSync(file, "utf8"));
    writeFileSync(file, stringify({ ...rest, config: merge(config, changes) }));
  }

  /** Starts a command of the CLI in its own process group, so that it can be killed as a whole. */
  start(args: readonly string[]) {
    const { file, args: flagged, options } = this.command(args);
    return execa(file, flagged, {
      ...options,
      all: true,
      reject: false,
      detached: true,
      cleanup: true,
      stdin: "ignore",
    });
  }

  /** The command line and options for a command of the CLI on this stack. */
  command(args: readonly string[]) {
    return {
      file: path.join(PROJECT, "node_modules/.bin/pulumi"),
      args: this.#withFlags(args),
      options: { cwd: PROJECT, env: this.env },
    };
  }

  /** From the state's file: tests ask for them often, and the CLI takes half a second to read them. */
  async outputs(): Promise<StackOutputs> {
    const { resources } = this.deployment();
    const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
    return parseStackOutputs(JSON.stringify(stack?.outputs ?? {}));
  }

  /** The stack's resources, as `stack export` shows them. */
  deployment(): Deployment {
    return JSON.parse(this.stateText()).checkpoint.latest;
  }

  /** Name of a node's container. */
  containerOf(node: string): string {
    return `nats-regions-${this.name}-${node}`;
  }

  /** Names of the stack's containers, volumes and networks on the engine. */
  leftovers(): Promise<string[]> {
    return namesOnEngine(`nats-regions-${this.name}`);
  }

  /** Removes what is left of the stack from the engine, without a `destroy`, which has its own tests. */
  async remove(): Promise<void> {
    await removeFromEngine(`nats-regions-${this.name}`);
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.settingsBeside, { force: true });
  }

  /** Path of the settings file that users edit. */
  get settingsBeside(): string {
    return path.join(PROJECT, `Pulumi.${this.name}.yaml`);
  }

  get #stateFile(): string {
    const { PULUMI_BACKEND_URL: backend = "", PULUMI_STACK: stack } = this.env;
    return path.join(fileURLToPath(backend), ".pulumi/stacks/nats-regions", `${stack}.json`);
  }

  get #configFile(): string {
    return path.join(this.folder, "settings.yaml");
  }

  #withFlags(args: readonly string[]): string[] {
    const takesConfig = ["up", "preview", "refresh", "destroy", "config"].includes(args[0] ?? "");
    return takesConfig ? [...args, "--config-file", this.#configFile] : [...args];
  }
}
