import fs from "node:fs";
import path from "node:path";
import { replace } from "./full-disk.mjs";
import { isMatched, nodesNamedIn } from "./globs.mjs";
import { findLocks, listFiles } from "./killed.mjs";
import { valuesOf } from "./targets.mjs";

const VOLUME = "docker:index/volume:Volume";

/**
 * As a state has it.
 *
 * @typedef {{ urn: string, id: string, type: string, delete?: boolean, taint?: boolean }} Resource
 */

/**
 * Puts right what a replacement of volumes that was asked for by hand leaves of the states in a backend of files.
 * Pulumi makes the new one first, which is the old one still, as the engine keeps a volume whose name it is told to
 * create; then it deletes "the old one" in every later command, in vain while a node has it, and with all messages where
 * none does. Also takes away what marks a volume to be replaced by the next `up`.
 *
 * @param {string | undefined} backendUrl
 * @returns {string[]} the names of those volumes
 */
export function keepReplacedVolumes(backendUrl) {
  return listFiles(backendUrl, "stacks", ".json").flatMap((file) => {
    const stack = path.basename(file, ".json");
    const project = path.basename(path.dirname(file));
    // Whoever holds the lock is at work on it.
    if (findLocks(backendUrl, `${project}/${stack}`).length > 0) return [];
    try {
      return mend(file);
    } catch {
      // What can't be read or written is Pulumi's to name.
      return [];
    }
  });
}

/**
 * @param {string} file
 * @returns {string[]}
 */
function mend(file) {
  const text = fs.readFileSync(file, "utf8");
  // To parse large states would take each command its time.
  if (!/"(delete|taint)":\s*true/.test(text)) return [];
  const state = JSON.parse(text);
  /** @type {Resource[]} */
  const resources = state.checkpoint?.latest?.resources ?? [];
  const live = new Set(resources.filter(isLiveVolume).map(keyOf));
  /** @param {Resource} resource */
  const isCopy = (resource) =>
    resource.type === VOLUME && resource.delete && live.has(keyOf(resource));
  const copies = resources.filter(isCopy);
  const tainted = resources.filter((resource) => isLiveVolume(resource) && resource.taint);
  if (copies.length + tainted.length === 0) return [];
  for (const resource of tainted) delete resource.taint;
  state.checkpoint.latest.resources = resources.filter((resource) => !isCopy(resource));
  if (!replace(file, JSON.stringify(state))) return [];
  return [...new Set([...copies, ...tainted].map(({ id }) => id))];
}

/** @param {Resource} resource */
function isLiveVolume({ type, delete: isPending }) {
  return type === VOLUME && !isPending;
}

/**
 * Of the same name on the engine as well as in the program.
 *
 * @param {Resource} resource
 */
function keyOf({ urn, id }) {
  return `${urn} ${id}`;
}

/**
 * The volume that a command is told to replace, if any: to be refused, as it can't be done by that.
 *
 * @param {readonly string[]} args of the command line, without `pulumi`
 */
export function findReplacedVolume(args) {
  const values = valuesOf(args, ["--replace", "--target-replace"]);
  return values.find(
    (value) =>
      value.includes(VOLUME) ||
      nodesNamedIn([value]).some(({ volumes }) => volumes.some((urn) => isMatched(urn, [value]))),
  );
}
