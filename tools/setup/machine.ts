import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { pulumiHome } from "../../cli/pulumi/environment.mjs";

/** The environment of set-up: variables, folders, and the signal that aborts it. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly folders: Folders;
}

export interface Folders {
  readonly pulumi: string;
  /** Cache on this machine, shared by all checkouts. */
  readonly cache: string;
  /** The project's own programs: nats-server and nats. */
  readonly bin: string;
}

export function folders(env: NodeJS.ProcessEnv): Folders {
  const cache = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "nats-regions");
  return { pulumi: pulumiHome(env, homedir()), cache, bin: join(cache, "bin") };
}

/** Finds a program on PATH, as a shell does. */
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
