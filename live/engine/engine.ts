import { spawn } from "node:child_process";
import { z } from "zod";
import type { SettingsPlace } from "../../lib/base/settings-place.ts";

/** What the `docker` command chooses its engine by, and gets into it with. Without any, it goes by the context in use. */
const VARIABLES = [
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_TLS",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "DOCKER_API_VERSION",
] as const;

export type EngineVariables = Readonly<Partial<Record<(typeof VARIABLES)[number], string>>>;

export interface EngineSettings {
  readonly variables: EngineVariables;
  /**
   * Milliseconds after which a command is given up. Default: 60,000, by which an engine that is busy answers, while one
   * that hangs, or is nowhere, never does, nor does `docker` give it up; 120,000 where a container is stopped.
   */
  readonly deadline?: number;
  /** Whether a Ctrl-C at the terminal leaves commands alone. Default: false. */
  readonly isShielded?: boolean;
}

const DEADLINE_MS = 60_000;
/** Beside the time that a container has to stop by itself. */
const STOP_DEADLINE_MS = 120_000;
/** Bytes: a config with thousands of users, logs. */
const LARGEST_OUTPUT = 256 * 1024 ** 2;

/** A `docker` command that failed. Its message names the command: `docker rm: …`. */
export class DockerError extends Error {
  override readonly name: string = "DockerError";
  /** What is wrong, in the engine's own words, without its `Error response from daemon`. */
  readonly reason: string;

  constructor(command: string, reason: string) {
    super(`docker ${command}: ${reason}`);
    this.reason = reason;
  }
}

/** The engine answers, and has no container, volume, network, image or file of that name. */
export class NotFound extends DockerError {
  override readonly name = "NotFound";
}

/** The engine has a container, volume or network of that name already. */
export class AlreadyExists extends DockerError {
  override readonly name = "AlreadyExists";
}

/** By how these begin, as a socket or host that isn't there is also a `no such`. Docker 20.10 to 28. */
const KINDS = [
  [
    NotFound,
    /^(Error: )?(get \S+: )?no such (container|volume|network|image|object)\b|^network \S+ not found|^Could not find the file /i,
  ],
  [
    AlreadyExists,
    /^(network|a volume) with (the )?name \S+ already exists|^Conflict\. The container name \S+ is already in use/,
  ],
] as const;

/** What is to be known of each thing that a command lists: an expression of Docker's templates, and what it comes to. */
export type Fields<Row> = {
  readonly [Key in keyof Row]: readonly [expression: string, schema: z.ZodType<Row[Key]>];
};

/** A field that is text, e.g. `.Name`. */
export function textField(expression: string): readonly [string, z.ZodType<string>] {
  return [expression, z.string()];
}

/** A label of what `docker ps` and the likes of it list; empty where a thing doesn't have it. */
export function labelField(label: string): readonly [string, z.ZodType<string>] {
  return textField(`.Label "${label}"`);
}

/** A Docker engine, reached by the `docker` command: so contexts, ssh and credentials are as the user set them up. */
export class Engine {
  readonly #settings: EngineSettings;

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** As DOCKER_HOST has it, e.g. `ssh://box`; undefined where the engine is a context's. */
  get host(): string | undefined {
    return this.#settings.variables.DOCKER_HOST || undefined;
  }

  /** As DOCKER_CONTEXT has it; undefined where the environment names no context. */
  get context(): string | undefined {
    return this.#settings.variables.DOCKER_CONTEXT || undefined;
  }

  /** Whether the environment names it, and so to all that read that; else it is that of docker's context in use. */
  get isNamed(): boolean {
    return Boolean(this.host || this.context);
  }

  /** Whether what the engine publishes on loopback is reached here: also by one that listens there on tcp. */
  get isLocal(): boolean {
    const { host = "" } = this;
    return (
      !/^(ssh|tcp):/.test(host) || /^tcp:\/\/(127\.[\d.]+|localhost|\[::1\])(:|\/|$)/.test(host)
    );
  }

  /** The environment for a process that starts `docker` by itself. */
  environment(): NodeJS.ProcessEnv {
    const rest = { ...process.env };
    for (const name of VARIABLES) delete rest[name];
    return { ...rest, ...this.#settings.variables };
  }

  /** The same engine, for what has to be done even where somebody presses Ctrl-C meanwhile. */
  shielded(): Engine {
    return new Engine({ ...this.#settings, isShielded: true });
  }

  /** Runs a `docker` command. @returns what it wrote, without the end of the last line. @throws DockerError */
  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await this.#execute(args);
    return stdout.toString().trimEnd();
  }

  /** The same for what is no text, e.g. the archives of `docker cp`. @throws DockerError */
  async read(...args: readonly string[]): Promise<Buffer> {
    return (await this.#execute(args)).stdout;
  }

  /** The last line that a container logged, in whichever stream. @throws DockerError */
  async lastLog(container: string): Promise<string> {
    const { stdout, stderr } = await this.#execute(["logs", "--tail=1", container]);
    return (stderr || stdout.toString()).trim();
  }

  /**
   * Runs a command that has a row for each thing, such as `docker ps`, `docker inspect` or `docker events`.
   *
   * @throws DockerError; z.ZodError where the engine's answer is of another form.
   */
  async list<Row>(fields: Fields<Row>, ...args: readonly string[]): Promise<Row[]> {
    const entries = Object.entries<Fields<Row>[keyof Row]>(fields);
    // JSON of all fields would have labels in one text, and commas in it that part them or are theirs.
    const members = entries.map(([key, [expression]]) => `"${key}":{{json (${expression})}}`);
    const schema = z.object(
      Object.fromEntries(entries.map(([key, [, schema]]) => [key, schema])),
    ) as unknown as z.ZodType<Row>;
    const [command = "", ...rest] = args;
    const rows = await this.run(command, ...rest, `--format={${members.join(",")}}`);
    return rows
      .split("\n")
      .filter((row) => row !== "")
      .map((row) => schema.parse(JSON.parse(row)));
  }

  async #execute(args: readonly string[]): Promise<Output> {
    const { isShielded = false, deadline } = this.#settings;
    const limit = deadline ?? (args.includes("stop") ? STOP_DEADLINE_MS : DEADLINE_MS);
    const ending = await runDocker(args, { env: this.environment(), detached: isShielded, limit });
    if (ending.kind === "done") return ending;
    const reason = this.#reasonFor(ending, commandOf(args), limit);
    const Kind = KINDS.find(([, pattern]) => pattern.test(reason))?.[0] ?? DockerError;
    throw new Kind(args[0] ?? "", reason);
  }

  #reasonFor(ending: Exclude<Ending, Output>, command: string, limit: number): string {
    switch (ending.kind) {
      case "missing":
        return "there is no docker command";
      case "too late":
        return `the engine (${this.#description}) didn't answer \`${command}\` within ${limit / 1_000} s`;
      case "too large":
        return `\`${command}\` wrote more than ${LARGEST_OUTPUT / 1024 ** 2} MiB`;
      case "failed":
        return ending.words.replace(/^Error response from daemon: /, "") || `\`${command}\` failed`;
    }
  }

  get #description(): string {
    const { host, context } = this;
    if (host) return `DOCKER_HOST ${host}`;
    return context ? `docker context ${context}` : "of the docker context in use";
  }
}

/**
 * The engine that the environment chooses, as the `docker` command does: for where a program starts, and nowhere else.
 *
 * NATS_REGIONS_DOCKER_SECONDS is for engines that take longer than the default deadlines.
 */
export function engineFromEnvironment(): Engine {
  const { env } = process;
  const given = VARIABLES.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const deadline = Number(env.NATS_REGIONS_DOCKER_SECONDS) * 1_000;
  return new Engine({
    variables: Object.fromEntries(given),
    ...(deadline ? { deadline } : {}),
  });
}

/** What a person is told where no engine answers. */
export function noEngine({ reason }: DockerError, place: SettingsPlace = "config"): string {
  const start = "Start it, or set DOCKER_HOST or a docker context to one that runs";
  const setUp = place === "config" ? "; `npm start` sets one up" : "";
  return `No Docker engine to work with: ${reason}\n${start}${setUp}.`;
}

/** Why something failed, in the engine's own words where a command did. */
export function reasonOf(error: unknown): string {
  if (error instanceof DockerError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/** To be caught with where an engine that doesn't answer has nothing: `engine.list(…).catch(nothing)`. */
export function nothing(error: unknown): [] {
  if (error instanceof DockerError) return [];
  throw error;
}

interface Output {
  readonly kind: "done";
  readonly stdout: Buffer;
  /** A container's log has the server's words here. */
  readonly stderr: string;
}

type Ending =
  | Output
  | { readonly kind: "missing" | "too late" | "too large" }
  | { readonly kind: "failed"; readonly words: string };

interface Terms {
  readonly env: NodeJS.ProcessEnv;
  /** Whether in a process group of its own, which no key at the terminal sends a signal to. */
  readonly detached: boolean;
  /** Milliseconds. */
  readonly limit: number;
}

/** Not by execFile, which knows no process groups. */
function runDocker(args: readonly string[], { env, detached, limit }: Terms): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn("docker", args, { env, detached, stdio: ["ignore", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    const end = (ending: Ending) => {
      clearTimeout(timer);
      resolve(ending);
    };
    const giveUp = (kind: "too late" | "too large") => {
      end({ kind });
      // By a signal that no ssh to nowhere withstands; what `docker` has started may hold its pipes.
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => giveUp("too late"), limit);
    const collect = (chunks: Buffer[]) => (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LARGEST_OUTPUT) giveUp("too large");
    };
    child.stdout.on("data", collect(stdout));
    child.stderr.on("data", collect(stderr));
    child.once("error", (error: NodeJS.ErrnoException) =>
      end(error.code === "ENOENT" ? { kind: "missing" } : { kind: "failed", words: error.message }),
    );
    child.once("close", (code) => {
      const words = Buffer.concat(stderr).toString();
      end(
        code === 0
          ? { kind: "done", stdout: Buffer.concat(stdout), stderr: words }
          : { kind: "failed", words: words.trim() },
      );
    });
  });
}

/** Formats and filters tell nobody anything. */
function commandOf(args: readonly string[]): string {
  return ["docker", ...args.filter((arg) => !arg.startsWith("--"))].join(" ");
}
