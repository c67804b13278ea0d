import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { replace } from "./full-disk.mjs";
import { folderOf } from "./killed.mjs";
import { commandOf, valuesOf } from "./targets.mjs";

/**
 * Pulumi writes the whole state of a backend of files twice for each resource that it changes: the time of many streams
 * grows with the square of their number. With PULUMI_SKIP_CHECKPOINTS it writes the state once, when the command ends,
 * also where it fails or is interrupted. Only a command that is killed doesn't come to it, so it is set where a killed
 * command is made good: in an `up` that changes streams only, as each stream that it may have made is noted first (see
 * providers/process/roster-note.ts), and in a `destroy`, which the next `destroy` goes on with.
 */

/** Changed streams for which it is worth it. */
const MANY = 20;

/** Options of an `up` that have no influence on what it changes; those that take the next argument as their value. */
const HARMLESS = new Set(
  "--yes -y --skip-preview -f --non-interactive --diff --emoji --suppress-outputs --suppress-permalink --suppress-progress --show-full-output".split(
    " ",
  ),
);
const HARMLESS_WITH_VALUE = new Set(
  "--stack -s --config-file --color --message -m --parallel -p".split(" "),
);

/** Commands after which an `up` may make nodes, though their settings haven't changed. */
const CHANGES_STATE = new Set(["refresh", "import", "watch", "state"]);

/**
 * What settings ask for, in short: of all but the streams, and of each stream.
 *
 * @typedef {{ readonly rest: string, readonly streams: Readonly<Record<string, string>> }} Digests
 */

/**
 * The files of a stack in a backend of files. What is beside its state goes when the state is gone, as after `pulumi stack
 * rm`: a new stack of that name must not come upon it.
 *
 * @param {string | undefined} backendUrl
 * @param {string} project its name
 * @param {string} stack its name, without its organization
 * @returns undefined where the stack has no state in files
 */
export function filesOf(backendUrl, project, stack) {
  const folder = folderOf(backendUrl);
  if (folder === undefined) return undefined;
  const state = path.join(folder, ".pulumi", "stacks", project, `${stack}.json`);
  const files = {
    state,
    /** What the last complete `up` had applied: {@link Digests}. */
    applied: `${state}.applied`,
    /** That a `destroy` without checkpoints has begun: the digest of the state that it found. */
    destroying: `${state}.destroying`,
    /** The streams of the last `up`: see providers/process/roster-note.ts. */
    rosterNote: `${state}.roster`,
  };
  if (fs.existsSync(state)) return files;
  for (const file of Object.values(files)) fs.rmSync(file, { force: true });
  return undefined;
}

/** @typedef {NonNullable<ReturnType<typeof filesOf>>} Files */

/**
 * A run of the CLI that is a part of a command.
 *
 * @typedef {{ readonly args: readonly string[], readonly set: Readonly<Record<string, string>>, readonly say?: string }} Step
 */

const ONCE = { PULUMI_SKIP_CHECKPOINTS: "true" };

/**
 * The runs of the CLI that a command is made of. Where nodes and many streams are to be made, the nodes are made first,
 * with checkpoints.
 *
 * @param {readonly string[]} args
 * @param {Files} files
 * @param {Digests | undefined} wanted
 * @returns {readonly Step[]}
 */
export function planSteps(args, files, wanted) {
  const command = commandOf(args);
  if (isDestroy(command)) {
    const isWhole = !args.some((arg) => /^(-[trx]|--(target|exclude|refresh))/.test(arg));
    return [{ args, set: isWhole && countStreams(files.state) >= MANY ? ONCE : {} }];
  }
  if (!isUp(command) || !wanted || !areHarmless(args)) return [{ args, set: {} }];
  const applied = readApplied(files);
  const before = applied?.streams ?? {};
  const names = new Set([...Object.keys(wanted.streams), ...Object.keys(before)]);
  const changed = [...names].filter((name) => wanted.streams[name] !== before[name]);
  if (changed.length < MANY) return [{ args, set: {} }];
  if (wanted.rest === applied?.rest) return [{ args, set: ONCE }];
  // Streams that the state has would be deleted if they were left for later.
  if (countStreams(files.state) > 0) return [{ args, set: {} }];
  const rest = args.filter((arg) => !/^(--yes|-y|--skip-preview|-f)$/.test(arg));
  return [
    {
      args,
      set: { NATS_REGIONS_NODES_FIRST: "true" },
      say: `The nodes come first. An update of its own then makes the ${changed.length} streams.`,
    },
    { args: [...rest, "--yes", "--skip-preview"], set: ONCE },
  ];
}

/**
 * The text of the settings file that a command reads; undefined if it reads none here.
 *
 * @param {readonly string[]} args
 * @param {string} project
 * @param {string} stack
 */
export function readSettings(args, project, stack) {
  const [file = path.join(project, `Pulumi.${stack}.yaml`)] = valuesOf(args, ["--config-file"]);
  try {
    return isUp(commandOf(args)) ? fs.readFileSync(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string | undefined} settings text of the stack's settings file
 * @param {() => readonly string[]} surroundings what else decides about nodes
 * @returns {Promise<Digests | undefined>} undefined if there is no such text
 */
export async function digestSettings(settings, surroundings) {
  if (settings === undefined) return undefined;
  // Most commands don't come here, and it takes a while to load.
  const { parse } = await import("yaml");
  try {
    const { config = {}, ...head } = parse(settings) ?? {};
    const { "nats-regions:streams": streams = {}, ...rest } = config;
    const each = Object.entries(streams).map(([name, stream]) => [name, digest(stream)]);
    return { rest: digest([head, rest, surroundings()]), streams: Object.fromEntries(each) };
  } catch {
    return undefined;
  }
}

/**
 * Text that is another one if the program is.
 *
 * @param {string} project
 */
export function describeProgram(project) {
  const parts = ["index.ts", "Pulumi.yaml", "package-lock.json"].concat(
    ...["components", "lib", "live", "providers", "run"].map((folder) =>
      fs
        .readdirSync(path.join(project, folder), { encoding: "utf8", recursive: true })
        .map((name) => path.join(folder, name)),
    ),
  );
  const stats = parts.sort().map((part) => {
    const stat = fs.statSync(path.join(project, part), { throwIfNoEntry: false });
    return stat?.isFile() ? [part, stat.size, stat.mtimeMs] : [part];
  });
  return digest(stats);
}

/**
 * Notes that a command without checkpoints begins.
 *
 * @param {string | undefined} command
 * @param {Files} files
 */
export function noteBegin(command, { state, destroying }) {
  if (isDestroy(command)) replace(destroying, digestFile(state));
}

/**
 * Notes how a command has ended.
 *
 * @param {readonly string[]} args
 * @param {number | null} status
 * @param {Files} files
 * @param {Digests | undefined} wanted
 */
export function noteEnd(args, status, files, wanted) {
  const command = commandOf(args);
  if (isUp(command) && wanted && areHarmless(args.filter((arg) => !/^(--refresh|-r)$/.test(arg)))) {
    if (status === 0) replace(files.applied, JSON.stringify(wanted));
  } else if (isUp(command) || isDestroy(command) || args.some((arg) => CHANGES_STATE.has(arg))) {
    // What nodes there are is another question now.
    fs.rmSync(files.applied, { force: true });
  }
  if (isDestroy(command) && status === 0) fs.rmSync(files.rosterNote, { force: true });
}

/**
 * Whether a `destroy` without checkpoints was killed: then the state has what may be gone.
 *
 * @param {Files} files
 */
export function wasDestroyKilled({ state, destroying }) {
  try {
    // It writes the state when it ends, however that is.
    if (fs.readFileSync(destroying, "utf8") === digestFile(state)) return true;
    fs.rmSync(destroying);
  } catch {
    // There was none.
  }
  return false;
}

/**
 * Whether a command goes by what the state says of nodes.
 *
 * @param {string | undefined} command
 */
export function goesByState(command) {
  return isUp(command) || ["preview", "pre", "refresh", "import", "watch"].includes(command ?? "");
}

/** @param {string | undefined} command */
function isUp(command) {
  return command === "up" || command === "update";
}

/** @param {string | undefined} command */
function isDestroy(command) {
  return command === "destroy" || command === "down" || command === "dn";
}

/** @param {readonly string[]} args */
function areHarmless(args) {
  const values = valuesOf(args, [...HARMLESS_WITH_VALUE]);
  return args.every((arg) => {
    const [option = ""] = arg.split("=");
    if (!arg.startsWith("-")) return arg === commandOf(args) || values.includes(arg);
    return HARMLESS.has(arg) || HARMLESS_WITH_VALUE.has(option);
  });
}

/**
 * @param {Files} files
 * @returns {Digests | undefined}
 */
function readApplied({ applied }) {
  try {
    return JSON.parse(fs.readFileSync(applied, "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {string} state */
function countStreams(state) {
  try {
    return (
      fs
        .readFileSync(state, "utf8")
        .split(/"type":\s*"pulumi-nodejs:dynamic\/nats:(?:Stream|Bucket|ObjectStore)"/).length - 1
    );
  } catch {
    return 0;
  }
}

/** @param {string} file */
function digestFile(file) {
  return digest(fs.readFileSync(file, "utf8"));
}

/** @param {unknown} value */
function digest(value) {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22);
}
