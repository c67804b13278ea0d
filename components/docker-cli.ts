import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How a `docker` command ended. */
export interface DockerResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** What `docker` complained about, without its `Error response from daemon`. */
  readonly error: string;
}

/** Runs the `docker` CLI, which finds the engine as the user set it up: context, DOCKER_HOST, ssh. */
export async function docker(...args: string[]): Promise<DockerResult> {
  try {
    const { stdout } = await run("docker", args);
    return { ok: true, stdout: stdout.trimEnd(), error: "" };
  } catch (cause) {
    const { code, stderr = "" } = cause as NodeJS.ErrnoException & { stderr?: string };
    const error = code === "ENOENT" ? "there is no docker command" : stderr.trim();
    return { ok: false, stdout: "", error: error.replace(/^Error response from daemon: /, "") };
  }
}
