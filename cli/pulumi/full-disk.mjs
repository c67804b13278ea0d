import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { findLocks, listFiles } from "./killed.mjs";

/** Bytes that have to be free for a command that changes things: Pulumi writes the state again and again. */
const ROOM = 32 * 1024 ** 2;

/** What the copy of a state has behind its name. */
const COPY = ".whole";

/**
 * The folder in which a backend of files keeps the state, if there is too little room for it; undefined where
 * there is enough, or where the state is kept elsewhere.
 *
 * @param {string | undefined} backendUrl
 * @param {(folder: string) => Pick<fs.StatsFs, "bavail" | "bsize">} [statfs]
 * @returns {string | undefined}
 */
export function crampedFolder(backendUrl, statfs = fs.statfsSync) {
  try {
    const folder = fileURLToPath(backendUrl ?? "");
    const { bavail, bsize } = statfs(folder);
    return bavail * bsize < ROOM ? folder : undefined;
  } catch {
    // No folder, or a node that can't tell: Pulumi will.
    return undefined;
  }
}

/**
 * Keeps a copy of each state in a backend of files, and puts it back in the place of one that is torn: where the
 * disk is full, Pulumi 3.259 leaves half a state under its name and under that of its backup, and no command can
 * read it (fileblob of gocloud.dev 0.46 renames what it couldn't write to the end). What was done since the copy
 * is found by the next `up`, as after one that was killed. A copy goes when its state is gone, as after
 * `pulumi stack rm`: a new stack of that name must not come upon it.
 *
 * @param {string | undefined} backendUrl
 * @returns {string[]} the names of the stacks whose state was put back
 */
export function mendStates(backendUrl) {
  const copies = listFiles(backendUrl, "stacks", `.json${COPY}`);
  const states = new Set([
    ...listFiles(backendUrl, "stacks", ".json"),
    ...copies.map((copy) => copy.slice(0, -COPY.length)),
  ]);
  return [...states].flatMap((state) => {
    const stack = path.basename(state, ".json");
    // Whoever holds the lock is at work on it.
    const project = path.basename(path.dirname(state));
    if (findLocks(backendUrl, `${project}/${stack}`).length > 0) return [];
    try {
      return keepOrMend(state, state + COPY) ? [stack] : [];
    } catch {
      // What can't be touched is Pulumi's to name.
      return [];
    }
  });
}

/**
 * @param {string} state
 * @param {string} copy
 */
function keepOrMend(state, copy) {
  // Pulumi and this module rename new states over old ones: it is missing where it was removed, and only there.
  const written = statIfThere(state);
  if (!written) {
    fs.rmSync(copy, { force: true });
    return false;
  }
  if (isCopyOf(written, statIfThere(copy))) return false;
  const text = readIfThere(state);
  const kept = readIfThere(copy);
  if (text === undefined) return false;
  if (text !== kept && !isWhole(text)) return kept !== undefined && replace(state, kept);
  if (text === kept || replace(copy, text)) fs.utimesSync(copy, written.atime, timeOf(written));
  return false;
}

/** Milliseconds within which a file system may give two writings the same time. */
const TICK = 2_000;

/**
 * The time that tells a copy from those of other writings; none where the state may be written once more in the same
 * tick.
 *
 * @param {fs.Stats} written
 */
function timeOf({ mtime }) {
  return Date.now() - mtime.getTime() > TICK ? mtime : 0;
}

/**
 * By size and time: to read large states would take each command its time. Times that are set are whole milliseconds.
 *
 * @param {fs.Stats} written
 * @param {fs.Stats | undefined} copied
 */
function isCopyOf(written, copied) {
  return written.size === copied?.size && Math.abs(written.mtimeMs - copied.mtimeMs) < 1;
}

/**
 * Writes a file whole or not at all.
 *
 * @param {string} file
 * @param {string} text
 * @returns {boolean} false where there is no room for it
 */
export function replace(file, text) {
  const draft = `${file}.${process.pid}.draft`;
  try {
    fs.writeFileSync(draft, text, { mode: 0o600 });
    fs.renameSync(draft, file);
    return true;
  } catch {
    fs.rmSync(draft, { force: true });
    return false;
  }
}

/** @param {string} text */
function isWhole(text) {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** @param {string} file */
function statIfThere(file) {
  return fs.statSync(file, { throwIfNoEntry: false });
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
