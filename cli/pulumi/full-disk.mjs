import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { findLocks, listFiles } from "./killed.mjs";

/** Bytes that have to be free for a command that changes things: Pulumi writes the state again and again. */
const ROOM = 32 * 1024 ** 2;

/**
 * The folder in which a backend of files keeps the state, if there is too little room for it; undefined where
 * there is enough, or where the state is kept elsewhere.
 */
export function crampedFolder(backendUrl, statfs = fs.statfsSync) {
  try {
    const folder = fileURLToPath(backendUrl);
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
 * is found by the next `up`, as after one that was killed.
 *
 * @returns the names of the stacks whose state was put back
 */
export function mendStates(backendUrl) {
  return listFiles(backendUrl, "stacks", ".json").flatMap((state) => {
    const stack = path.basename(state, ".json");
    // Whoever holds the lock is at work on it.
    const project = path.basename(path.dirname(state));
    if (findLocks(backendUrl, `${project}/${stack}`).length > 0) return [];
    return keepOrMend(state, `${state}.whole`) ? [stack] : [];
  });
}

function keepOrMend(state, copy) {
  const text = readIfThere(state);
  const kept = readIfThere(copy);
  if (text === undefined || text === kept) return false;
  if (isWhole(text)) {
    replace(copy, text);
    return false;
  }
  return kept !== undefined && replace(state, kept);
}

/** Writes a file whole or not at all. @returns false where there is no room for it */
function replace(file, text) {
  const draft = `${file}.draft`;
  try {
    fs.writeFileSync(draft, text, { mode: 0o600 });
    fs.renameSync(draft, file);
    return true;
  } catch {
    fs.rmSync(draft, { force: true });
    return false;
  }
}

function isWhole(text) {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
