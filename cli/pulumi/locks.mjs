import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Removes the locks that killed commands left in a backend of files, which would have every later command
 * ask for `pulumi cancel`: those of processes of this machine that are no more. A running command's lock, and
 * any of another machine's, stays.
 *
 * @returns the process ids that had held them
 */
export function clearStaleLocks(
  backendUrl,
  { hostname = os.hostname(), isAlive = isRunning } = {},
) {
  if (!backendUrl?.startsWith("file://")) return [];
  const locks = path.join(folderOf(backendUrl), ".pulumi", "locks");
  return listFiles(locks).flatMap((file) => {
    const { pid, hostname: holder } = readLock(file);
    if (holder !== hostname || !Number.isInteger(pid) || isAlive(pid)) return [];
    fs.rmSync(file, { force: true });
    return [pid];
  });
}

/** Pulumi also takes `file://~` and relative paths, which are no URLs; those are left alone. */
function folderOf(backendUrl) {
  try {
    return fileURLToPath(backendUrl);
  } catch {
    return os.devNull;
  }
}

function listFiles(folder) {
  try {
    return fs
      .readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith(".json"))
      .map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

function readLock(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}
