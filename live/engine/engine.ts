import { homedir } from "node:os";
import { z } from "zod";
import type { SettingsPlace } from "../../lib/base/settings-place.ts";
import type { EnginePlan } from "../../lib/topology/engines.ts";
import { type Ending, LARGEST_OUTPUT, type Output, runDocker } from "./run-docker.ts";
import { sshEnvironment } from "./ssh/ssh-environment.ts";

/** Variables by which `docker` chooses its engine and logs in to it. Without any, it uses the current context. */
const VARIABLES = [
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_TLS",
  "DOCKER_TLS_VERIFY",
  "DOCKER_CERT_PATH",
  "DOCKER_API_VERSION",
] as const;

export type EngineVariables = Readonly<Partial<Record<(typeof VARIABLES)[number], string>>>;

/** Where an engine is, as {@link EnginePlan} says, or as a script is told. */
export type EnginePlace = Pick<EnginePlan, "key" | "host" | "address" | "ssh" | "certPath">;

export interface EngineSettings {
  readonly variables: EngineVariables;
  /** Absent if one engine has all nodes. */
  readonly place?: EnginePlace;
  /** Present if it is no longer in the settings. */
  readonly isFormer?: true;
  /**
   * Milliseconds after which a command is killed. Default: 60,000, in which a busy engine answers; one that hangs or
   * doesn't exist never does, and `docker` itself has no time-out. 120,000 for `stop`.
   */
  readonly deadline?: number;
  /** Kills commands before that. Default: never. */
  readonly signal?: AbortSignal;
  /** Whether Ctrl-C at the terminal leaves running commands alone. Default: false. */
  readonly isShielded?: boolean;
}

const DEADLINE_MS = 60_000;
/** Includes the time that a container has to stop gracefully. */
const STOP_DEADLINE_MS = 120_000;

/** A failed `docker` command. The message names the command: `docker rm: …`. */
export class DockerError extends Error {
  override readonly name: string = "DockerError";
  /** The engine's error message, without its `Error response from daemon`. */
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

/**
 * Matched at the start of the message, because a missing socket or host is also reported as `no such`. Docker 20.10 to
 * 28.
 */
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

/** The fields of each listed object: an expression of Docker's templates and the schema of its value. */
export type Fields<Row> = {
  readonly [Key in keyof Row]: readonly [expression: string, schema: z.ZodType<Row[Key]>];
};

/** A text field, e.g. `.Name`. */
export function textField(expression: string): readonly [string, z.ZodType<string>] {
  return [expression, z.string()];
}

const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d) /;

/** A time in lists such as `docker ps`, e.g. `2026-11-30 17:00:18 +0530 IST`, to the second. */
export function timeField(expression: string): readonly [string, z.ZodType<Date>] {
  const schema = z.string().transform((text, context) => {
    const [, date, clock, hours, minutes] = text.match(TIME) ?? [];
    if (date === undefined) context.addIssue(`not a time: ${text}`);
    return new Date(`${date}T${clock}${hours}:${minutes}`);
  });
  return [expression, schema];
}

/** A label in lists such as `docker ps`; empty if an object doesn't have it. */
export function labelField(label: string): readonly [string, z.ZodType<string>] {
  return textField(`.Label "${label}"`);
}

/**
 * A Docker engine, reached with the `docker` command, so that contexts, ssh and credentials work as the user set them
 * up.
 */
export class Engine {
  readonly #settings: EngineSettings;

  constructor(settings: EngineSettings) {
    this.#settings = settings;
  }

  /** The region or zone that is on it; `""` if it has all nodes. */
  get key(): string {
    return this.#settings.place?.key ?? "";
  }

  /** Where the settings say that it is; undefined if it has all nodes. */
  get place(): EnginePlace | undefined {
    const { place } = this.#settings;
    if (place === undefined) return undefined;
    const { key, host, address, ssh, certPath } = place;
    return { key, host, address, ssh, ...(certPath === undefined ? {} : { certPath }) };
  }

  /** Whether it is no longer in the settings. */
  get isFormer(): boolean {
    return this.#settings.isFormer === true;
  }

  /** By which its machine is reached; undefined if that is where its ports are published. */
  get address(): string | undefined {
    return this.#settings.place?.address;
  }

  /** DOCKER_HOST, e.g. `ssh://box`; undefined if the engine comes from a context. */
  get host(): string | undefined {
    return this.#settings.variables.DOCKER_HOST || undefined;
  }

  /** DOCKER_CONTEXT; undefined if the environment names no context. */
  get context(): string | undefined {
    return this.#settings.variables.DOCKER_CONTEXT || undefined;
  }

  /**
   * Whether the environment names the engine, for every program that reads it. Otherwise it is docker's current
   * context.
   */
  get isNamed(): boolean {
    return Boolean(this.host || this.context);
  }

  /**
   * Whether ports that the engine publishes on loopback can be reached here. An engine that listens on tcp on loopback
   * is local, too.
   */
  get isLocal(): boolean {
    const { host = "" } = this;
    if (this.address !== undefined) return false;
    return (
      !/^(ssh|tcp):/.test(host) || /^tcp:\/\/(127\.[\d.]+|localhost|\[::1\])(:|\/|$)/.test(host)
    );
  }

  /** The environment for a process that runs `docker` itself. */
  environment(): NodeJS.ProcessEnv {
    const rest = { ...process.env };
    for (const name of VARIABLES) delete rest[name];
    // A context may lead to ssh as well.
    const isBySsh = this.host?.startsWith("ssh:") || this.context;
    const ssh = isBySsh ? sshEnvironment(rest, this.#settings.place?.ssh) : {};
    return { ...rest, ...this.#settings.variables, ...ssh };
  }

  /** The same engine with another deadline for commands, milliseconds, and optionally a signal that kills them. */
  within(deadline: number, signal?: AbortSignal): Engine {
    return new Engine({ ...this.#settings, deadline, ...(signal ? { signal } : {}) });
  }

  /** The same engine with commands that Ctrl-C doesn't interrupt. */
  shielded(): Engine {
    return new Engine({ ...this.#settings, isShielded: true });
  }

  /** Runs a `docker` command. @returns its stdout, without trailing white space. @throws DockerError */
  async run(...args: readonly string[]): Promise<string> {
    const { stdout } = await this.#execute(args);
    return stdout.toString().trimEnd();
  }

  /** Runs a command with binary output, e.g. the archives of `docker cp`. @throws DockerError */
  async read(...args: readonly string[]): Promise<Buffer> {
    return (await this.#execute(args)).stdout;
  }

  /** The last line of a container's log, from stderr if it wrote to that. @throws DockerError */
  async lastLog(container: string): Promise<string> {
    const { stdout, stderr } = await this.#execute(["logs", "--tail=1", container]);
    return (stderr || stdout.toString()).trim();
  }

  /**
   * Runs a command that prints a row for each object, such as `docker ps`, `docker inspect` or `docker events`.
   *
   * @throws DockerError; z.ZodError if the output has another form.
   */
  async list<Row>(fields: Fields<Row>, ...args: readonly string[]): Promise<Row[]> {
    const entries = Object.entries<Fields<Row>[keyof Row]>(fields);
    // Docker's own JSON joins all labels with commas, which labels may contain as well.
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
    const { isShielded = false, deadline, signal } = this.#settings;
    const limit = deadline ?? (args.includes("stop") ? STOP_DEADLINE_MS : DEADLINE_MS);
    const env = this.environment();
    const ending = await runDocker(args, { env, detached: isShielded, limit, signal });
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
        return wordsOf(ending.words) || `\`${command}\` failed`;
    }
  }

  get #description(): string {
    const { host, context } = this;
    if (host) return `DOCKER_HOST ${host}`;
    return context ? `docker context ${context}` : "of the docker context in use";
  }
}

/**
 * The engine that the environment chooses, as for the `docker` command. Only entry points of programs should call it.
 *
 * NATS_REGIONS_DOCKER_SECONDS replaces the default deadlines.
 */
export function engineFromEnvironment(): Engine {
  const { env } = process;
  const given = VARIABLES.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return new Engine({ variables: Object.fromEntries(given), ...deadlineFromEnvironment() });
}

function deadlineFromEnvironment(): Pick<EngineSettings, "deadline"> {
  const deadline = Number(process.env.NATS_REGIONS_DOCKER_SECONDS) * 1_000;
  return deadline ? { deadline } : {};
}

/** The engine at a place. Only entry points of programs should call it. */
export function engineAt(place: EnginePlace): Engine {
  return new Engine({ variables: variablesFor(place), place, ...deadlineFromEnvironment() });
}

/** An engine that is no longer in the settings. Its key is that of none that is. */
export function formerEngineAt(place: EnginePlace): Engine {
  const former = { ...place, key: `${formerKeyOf(place.key)}${FORMER}` };
  return new Engine({
    variables: variablesFor(place),
    place: former,
    isFormer: true,
    ...deadlineFromEnvironment(),
  });
}

const FORMER = " (former)";

/** The key that a former engine had in the settings. */
export function formerKeyOf(key: string): string {
  return key.replace(FORMER, "");
}

/** Whether an engine had the place in the settings that another one has now. */
export function isFormerOf(former: Engine, engine: Engine): boolean {
  return former.isFormer && former.key === `${engine.key}${FORMER}`;
}

function variablesFor({ host, certPath }: EnginePlace): EngineVariables {
  if (!host.includes("://")) return { DOCKER_CONTEXT: host };
  if (certPath === undefined) return { DOCKER_HOST: host };
  return { DOCKER_HOST: host, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: withHome(certPath) };
}

/**
 * A path with the user's home in the place of `~`, which neither `docker` nor Pulumi's Docker provider knows. Other
 * relative ones stay, so that the state is the same for all: programs, scripts and plugins run in the program's folder.
 */
export function withHome(file: string): string {
  return file.replace(/^~(?=\/|$)/, homedir());
}

/** The message for the user if no engine answers. */
export function noEngine({ reason }: DockerError, place: SettingsPlace = "config"): string {
  const start = "Start it, or set DOCKER_HOST or a docker context to one that runs";
  const setUp = place === "config" ? "; `npm start` sets one up" : "";
  return `No Docker engine to work with: ${reason}\n${start}${setUp}.`;
}

/** The message for the user if an engine doesn't answer: one of the settings, or the only one. */
export function noAnswer(
  error: DockerError,
  { key }: Pick<Engine, "key">,
  place: SettingsPlace,
): string {
  if (key === "") return noEngine(error, place);
  return `engines.${key}: its Docker engine doesn't answer: ${error.reason}`;
}

/** Why something failed: the engine's message, if a command failed. */
export function reasonOf(error: unknown): string {
  if (error instanceof DockerError) return error.reason;
  return error instanceof Error ? error.message : String(error);
}

/** For `engine.list(…).catch(nothing)`: an engine that doesn't answer has nothing. */
export function nothing(error: unknown): [] {
  if (error instanceof DockerError) return [];
  throw error;
}

/** Without what surrounds the words of the engine, or of the ssh that was to lead to it. */
function wordsOf(words: string): string {
  const [, ssh] = words.match(/ docker system dial-stdio\] has exited .* stderr=(.*)/s) ?? [];
  return ssh?.trim() ?? words.replace(/^Error response from daemon: /, "");
}

/** The command without its flags: formats and filters don't help the user. */
function commandOf(args: readonly string[]): string {
  return ["docker", ...args.filter((arg) => !arg.startsWith("--"))].join(" ");
}
