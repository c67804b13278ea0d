import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { pulumiHome } from "../../cli/pulumi/environment.mjs";

/** What set-up works with: the environment, its folders, and the signal that ends it early. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly folders: Folders;
}

export interface Folders {
  readonly pulumi: string;
  /** What this project keeps on this machine for all its checkouts. */
  readonly cache: string;
  /** Programs that are this project's own: nats-server and nats. */
  readonly bin: string;
}

export function folders(env: NodeJS.ProcessEnv): Folders {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "nats-regions");
  return { pulumi: pulumiHome(env, homedir()), cache, bin: join(cache, "bin") };
}

/** Finds a program the way a shell does. */
export async function onPath(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (env.PATH ?? "").split(delimiter).filter(Boolean)) {
    const file = join(folder, program);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

export async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
