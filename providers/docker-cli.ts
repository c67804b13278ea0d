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

/** Runs the `docker` CLI, which finds the engine as the user set it up: context, DOCKER_HOST, ssh. */
export async function docker(...args: string[]): Promise<DockerResult> {
  try {
    const { stdout, stderr } = await run("docker", args);
    return { ok: true, stdout: stdout.trimEnd(), stderr: stderr.trimEnd(), error: "" };
  } catch (cause) {
    const { code, stderr = "" } = cause as NodeJS.ErrnoException & { stderr?: string };
    const error = code === "ENOENT" ? "there is no docker command" : stderr.trim();
    const said = error.replace(/^Error response from daemon: /, "");
    return { ok: false, stdout: "", stderr, error: said };
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
