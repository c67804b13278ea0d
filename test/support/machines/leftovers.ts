/**
 * What a run has outside of its namespaces, which the kernel doesn't remove when the run is killed: a folder, and empty
 * control groups. Both have the name of the run, which has the PID of its process.
 */
import { mkdtemp, readdir, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isAlive } from "../../../tools/setup/staged.ts";
import { eventually } from "../eventually.ts";

const PREFIX = "nats-regions-machines-";
const CGROUPS = "/sys/fs/cgroup";

/** A new run's folder; its name is the run's. */
export async function newRun(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Removes what a run has left, as soon as all of its processes have ended. */
export async function removeRun(folder: string): Promise<void> {
  const name = path.basename(folder);
  await eventually(async () => {
    for (const group of await groupsNamed((found) => found === name)) await removeGroup(group);
    await rm(folder, { recursive: true, force: true });
    return true;
  });
}

/** Removes what runs have left whose process was killed. */
export async function removeDeadRuns(): Promise<void> {
  const isDead = (name: string) => {
    const pid = name.startsWith(PREFIX)
      ? Number.parseInt(name.slice(PREFIX.length), 10)
      : Number.NaN;
    return pid > 0 && !isAlive(pid);
  };
  const folders = (await readdir(tmpdir())).filter(isDead);
  const groups = (await groupsNamed(isDead)).map((group) => path.basename(group));
  for (const name of new Set([...folders, ...groups])) await removeRun(path.join(tmpdir(), name));
}

/** Those at the top of each hierarchy of version 1, and of version 2. */
async function groupsNamed(isWanted: (name: string) => boolean): Promise<string[]> {
  const hierarchies = [CGROUPS, ...(await foldersIn(CGROUPS))];
  const groups = await Promise.all(hierarchies.map(foldersIn));
  return groups.flat().filter((group) => isWanted(path.basename(group)));
}

async function removeGroup(group: string): Promise<void> {
  for (const child of await foldersIn(group)) await removeGroup(child);
  await rmdir(group);
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
}
