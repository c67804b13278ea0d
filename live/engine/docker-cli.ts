import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How a `docker` command ended. */
export interface DockerResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** A container's log has the server's words here. */
  readonly stderr: string;
  /** What `docker` complained about, without its `Error response from daemon`. */
  readonly error: string;
}

/**
 * An engine that is busy answers by then; one that hangs, or is nowhere, never does, nor does `docker` give it up.
 * NATS_REGIONS_DOCKER_SECONDS is for engines that take longer.
 */
const DEADLINE_MS = 60_000;
/** Beside the time that a container has to stop by itself. */
const STOP_DEADLINE_MS = 120_000;
/** A config with thousands of users, logs. */
const LARGEST_OUTPUT = 256 * 1024 ** 2;

/** Runs the `docker` CLI, which finds the engine as the user set it up: context, DOCKER_HOST, ssh. */
export async function docker(...args: string[]): Promise<DockerResult> {
  try {
    const { stdout, stderr } = await run("docker", args, limitsOf(args));
    return { ok: true, stdout: stdout.trimEnd(), stderr: stderr.trimEnd(), error: "" };
  } catch (cause) {
    return { ok: false, stdout: "", stderr: stderrOf(cause), error: describeFailure(cause, args) };
  }
}

/** Runs a `docker` command that has to succeed, and gives its stdout. @throws Error in `docker`'s own words. */
export async function expectDocker(...args: string[]): Promise<string> {
  const { ok, stdout, error } = await docker(...args);
  if (!ok) throw new Error(`docker ${args[0]}: ${error}`);
  return stdout;
}

/** What a person is told where no engine answers. @param error `docker`'s words. */
export function noEngine(error: string): string {
  return `No Docker engine to work with: ${error}\nStart it, or set DOCKER_HOST or a docker context to one that runs; \`npm start\` sets one up.`;
}

/** Runs a `docker` command that has to succeed, and gives the bytes that it writes. @throws Error in `docker`'s own words. */
export async function readDocker(...args: string[]): Promise<Buffer> {
  try {
    const { stdout } = await run("docker", args, { ...limitsOf(args), encoding: "buffer" });
    return stdout;
  } catch (cause) {
    throw new Error(`docker ${args[0]}: ${describeFailure(cause, args)}`);
  }
}

function limitsOf(args: readonly string[]) {
  const given = Number(process.env.NATS_REGIONS_DOCKER_SECONDS) * 1_000;
  const timeout = given || (args.includes("stop") ? STOP_DEADLINE_MS : DEADLINE_MS);
  // By a signal that no ssh to nowhere withstands.
  return { timeout, killSignal: "SIGKILL", maxBuffer: LARGEST_OUTPUT } as const;
}

interface Failure extends NodeJS.ErrnoException {
  readonly stderr?: string | Buffer;
  readonly killed?: boolean;
}

function stderrOf(cause: unknown): string {
  return `${(cause as Failure).stderr ?? ""}`;
}

function describeFailure(cause: unknown, args: readonly string[]): string {
  const { code, killed = false } = cause as Failure;
  if (code === "ENOENT") return "there is no docker command";
  if (code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") {
    return `\`${commandOf(args)}\` wrote more than ${LARGEST_OUTPUT / 1024 ** 2} MiB`;
  }
  if (killed) {
    return `the engine (${engine()}) didn't answer \`${commandOf(args)}\` within ${limitsOf(args).timeout / 1_000} s`;
  }
  return stderrOf(cause)
    .trim()
    .replace(/^Error response from daemon: /, "");
}

/** Formats and filters tell nobody anything. */
function commandOf(args: readonly string[]): string {
  return ["docker", ...args.filter((arg) => !arg.startsWith("--"))].join(" ");
}

function engine(): string {
  const { DOCKER_HOST: host, DOCKER_CONTEXT: context } = process.env;
  if (host) return `DOCKER_HOST ${host}`;
  return context ? `docker context ${context}` : "of the docker context in use";
}
