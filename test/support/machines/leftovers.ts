/**
 * What a run has outside of its namespaces, which the kernel doesn't remove when the run is killed: a folder, and empty
 * control groups. Both have the name of the run, which has the PID of its process.
 */
import { mkdtemp, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
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
  const groups = (await groupsNamed((name) => name.startsWith(PREFIX))).map((group) =>
    path.basename(group),
  );
  const folders = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const name of new Set([...folders, ...groups])) {
    if (!(await isRunning(name))) await removeRun(path.join(tmpdir(), name));
  }
}

/** Whether the process of a run does anything: one that was killed may wait for its parent to notice. */
async function isRunning(run: string): Promise<boolean> {
  const pid = Number.parseInt(run.slice(PREFIX.length), 10);
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat !== undefined && !/^\) Z/.test(stat.slice(stat.lastIndexOf(")")));
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
