import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A command at work, as its lock names it.
 *
 * @typedef {{ readonly pid?: number | undefined, readonly hostname?: string | undefined }} Lock
 */

/**
 * Where processes are looked for.
 *
 * @typedef {{ readonly hostname?: string, readonly isAlive?: (pid: number) => boolean }} Machine
 */

/**
 * Removes the locks that killed commands left in a backend of files, which would have every later command
 * ask for `pulumi cancel`: those of processes of this machine that are no more. A running command's lock, and
 * any of another machine's, stays.
 *
 * @param {string | undefined} backendUrl
 * @param {Machine} [machine]
 * @returns {number[]} the process ids that had held them
 */
export function clearStaleLocks(
  backendUrl,
  { hostname = os.hostname(), isAlive = isRunning } = {},
) {
  return listFiles(backendUrl, "locks", ".json").flatMap((file) => {
    const lock = readLock(file);
    if (lock.pid === undefined || !isStale(lock, hostname, isAlive)) return [];
    fs.rmSync(file, { force: true });
    return [lock.pid];
  });
}

/**
 * Finds the commands that are at work on a stack by their locks in a backend of files; of another backend
 * nothing is known.
 *
 * @param {string | undefined} backendUrl
 * @param {string} stack `project/stack`
 * @param {Machine} [machine]
 * @returns {Lock[]}
 */
export function findLocks(
  backendUrl,
  stack,
  { hostname = os.hostname(), isAlive = isRunning } = {},
) {
  return listFiles(backendUrl, path.join("locks", "organization", stack), ".json")
    .map(readLock)
    .filter((lock) => !isStale(lock, hostname, isAlive))
    .map(({ pid, hostname }) => ({ pid, hostname }));
}

/**
 * @param {Lock} lock
 * @param {string} here
 * @param {(pid: number) => boolean} isAlive
 */
function isStale({ pid, hostname }, here, isAlive) {
  return hostname === here && pid !== undefined && Number.isInteger(pid) && !isAlive(pid);
}

/**
 * Removes the empty attribute files that killed commands left in a backend of files. Pulumi writes a stack's
 * state aside and renames it, but not the attributes beside it (fileblob of gocloud.dev 0.46): over an empty
 * one every later command fails with `failed to load checkpoint: EOF`, while a missing one is as good.
 *
 * @param {string | undefined} backendUrl
 */
export function clearTornAttributes(backendUrl) {
  for (const file of listFiles(backendUrl, "stacks", ".attrs")) {
    if (sizeOf(file) === 0) fs.rmSync(file, { force: true });
  }
}

/**
 * The files of one kind in a backend of files, by their full names; none in any other backend.
 *
 * @param {string | undefined} backendUrl
 * @param {string} area
 * @param {string} extension
 * @returns {string[]}
 */
export function listFiles(backendUrl, area, extension) {
  const backend = folderOf(backendUrl);
  if (backend === undefined) return [];
  const folder = path.join(backend, ".pulumi", area);
  try {
    return fs
      .readdirSync(folder, { encoding: "utf8", recursive: true })
      .filter((name) => name.endsWith(extension))
      .map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/**
 * The folder of a backend of files; undefined for any other backend.
 *
 * @param {string | undefined} backendUrl
 */
export function folderOf(backendUrl) {
  try {
    return backendUrl?.startsWith("file://") ? fileURLToPath(backendUrl) : undefined;
  } catch {
    // Pulumi also takes `file://~` and relative paths, which are no URLs; those are left alone.
    return undefined;
  }
}

/** @param {string} file */
function sizeOf(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.size;
}

/**
 * @param {string} file
 * @returns {Lock}
 */
function readLock(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH";
  }
}

/**
 * A killed process whose parent doesn't ask for its end, as many a container's first process, stays listed.
 *
 * @param {number} pid
 */
function isZombie(pid) {
  try {
    return /^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
