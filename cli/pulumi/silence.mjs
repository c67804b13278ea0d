import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { positionals } from "./environment.mjs";
import { isMatched } from "./globs.mjs";
import { valuesOf } from "./targets.mjs";

/** @import { Asked, SilentEngine } from "./ask-engines.ts" */

/**
 * A command whose engines are to be asked.
 *
 * @typedef {object} Asking
 * @property {readonly string[]} args of the command line, without `pulumi`
 * @property {string} cli
 * @property {NodeJS.ProcessEnv} env
 * @property {string} project the folder of Pulumi.yaml
 * @property {string} stack its name, without its organization
 * @property {string | undefined} state the file of its state; undefined in another backend
 */

/**
 * What a command does about engines that don't answer.
 *
 * @typedef {object} Silence
 * @property {readonly string[]} args to add to the command line
 * @property {readonly string[]} lines to show before it
 * @property {string} [refusal] why it isn't run, and the way out
 * @property {string} [left] to show after a `destroy`: what isn't destroyed
 */

/** @type {Silence} */
const NOTHING = { args: [], lines: [] };

/**
 * Asks the engines of a stack before a command that goes to all of them, as Pulumi would fail at the first that doesn't
 * answer: what is on such an engine is left out, by its URNs. A `destroy` also forgets in the state that it comes after
 * other nodes, which could not be deleted before it.
 *
 * @param {Asking} asking
 * @returns {Promise<Silence>}
 */
export async function findSilence(asking) {
  const { args, env } = asking;
  if (!goesToAll(args, asking.project)) return NOTHING;
  const exported = await readState(asking);
  if (exported === undefined) return NOTHING;
  const { silent, isAnyThere, refusal } = await askEngines(exported, env);
  if (refusal !== undefined) return { ...NOTHING, refusal };
  if (silent.length === 0) return NOTHING;
  const { args: added, ...silence } = decide(args, silent, isAnyThere, asking.stack);
  if (silence.refusal !== undefined) return { ...silence, args: added };
  env.NATS_REGIONS_SILENT = JSON.stringify(
    Object.fromEntries(silent.map(({ host, reason }) => [host, reason])),
  );
  try {
    if (isDestroy(args) && added.length > 0) await loosenState(asking, silent);
  } catch (error) {
    // E.g. another command holds the stack's lock.
    const { stderr, message } = /** @type {Error & { stderr?: string }} */ (error);
    return { ...NOTHING, refusal: stderr?.trim() || message };
  }
  return { ...silence, args: added };
}

/**
 * Whether a command asks all engines: one that refreshes or destroys, and isn't told to leave most out.
 *
 * @param {readonly string[]} args
 * @param {string} project
 */
export function goesToAll(args, project) {
  const [command = ""] = positionals(args);
  if (args.some((arg) => arg === "--help" || arg === "-h")) return false;
  if (command === "refresh" || isDestroy(args)) return true;
  return ["up", "update", "preview", "pre"].includes(command) && isRefreshing(args, project);
}

/**
 * @param {readonly string[]} args
 * @param {string} project
 */
function isRefreshing(args, project) {
  const given = args.findLast((arg) => /^(--refresh|-[a-z]*r[a-z]*)(=.*)?$/.test(arg));
  if (given !== undefined) return !/=(0|f|false)$/i.test(given);
  return /^ +refresh: *["']?always/m.test(readText(path.join(project, "Pulumi.yaml")) ?? "");
}

/** @param {readonly string[]} args */
function isDestroy(args) {
  return ["destroy", "down", "dn"].includes(positionals(args)[0] ?? "");
}

/**
 * The state, as `pulumi stack export` has it; undefined if there is none, or none with engines.
 *
 * @param {Asking} asking
 * @returns {Promise<unknown>}
 */
async function readState({ args, cli, env, project, stack, state }) {
  if (state !== undefined) {
    const text = readText(state) ?? "";
    // Large states take their time to parse.
    return text.includes('"ENGINES"')
      ? { deployment: JSON.parse(text).checkpoint?.latest }
      : undefined;
  }
  const [file = path.join(project, `Pulumi.${stack}.yaml`)] = valuesOf(args, ["--config-file"]);
  if (!/^\s+\S*:engines:/m.test(readText(file) ?? "")) return undefined;
  try {
    return JSON.parse(await exportStack(cli, env, args));
  } catch {
    // What is wrong with the stack is the command's to say.
    return undefined;
  }
}

/**
 * @param {unknown} exported
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Asked>}
 */
async function askEngines(exported, env) {
  const asking = promisify(execFile)(
    "node",
    ["--disable-warning=ExperimentalWarning", path.join(import.meta.dirname, "ask-engines.ts")],
    { env },
  );
  asking.child.stdin?.end(JSON.stringify(exported));
  return JSON.parse((await asking).stdout);
}

/**
 * @param {readonly string[]} args
 * @param {readonly SilentEngine[]} silent
 * @param {boolean} isAnyThere
 * @param {string} stack
 * @returns {Silence}
 */
export function decide(args, silent, isAnyThere, stack) {
  const engines = silent.map(({ key }) => `engines.${key}`).join(", ");
  const reasons = silent.map(({ key, reason }) => `${key}: ${reason}`).join("; ");
  const whose = `${engines}: ${silent.length === 1 ? "its engine doesn't" : "their engines don't"} answer`;
  const refuse = (/** @type {string} */ way) => ({
    ...NOTHING,
    refusal: `${whose} (${reasons}), and nothing was changed. ${way}`,
  });
  const forget = `Where none will ever again: npx pulumi stack rm --force --preserve-config ${stack}`;
  if (!isAnyThere) return refuse(isDestroy(args) ? forget : "No other one is there.");
  if (args.some((arg) => /^--(save-)?plan(=|$)/.test(arg))) {
    return refuse("A plan can't leave them out: leave out --refresh.");
  }
  const urns = silent.flatMap((engine) => engine.urns);
  const targets = valuesOf(args, ["--target", "-t", "--target-replace"]);
  if (targets.length > 0) {
    const target = targets.find((each) => urns.some((urn) => isMatched(urn, [each])));
    return target === undefined ? NOTHING : refuse(`Leave out --target ${target}.`);
  }
  if (args.includes("--exclude-dependents")) return refuse("Leave out --exclude-dependents.");
  const excluded = valuesOf(args, ["--exclude", "-x"]);
  const added = urns.filter((urn) => !isMatched(urn, excluded));
  if (added.length === 0) return NOTHING;
  const nodes = silent.flatMap((engine) => engine.nodes).join(", ");
  const what = `${nodes} with their volumes, network and image`;
  const rest = { args: added.flatMap((urn) => ["--exclude", urn]) };
  if (!isDestroy(args)) {
    const later = "`npx pulumi refresh` goes on when it answers.";
    return { ...rest, lines: [`${whose}, so that ${what} are left out. ${later} (${reasons})`] };
  }
  const machines = silent.map(({ host }) => host).join(", ");
  return {
    ...rest,
    lines: [`${whose}, so that ${what} stay there, and the stack with them. (${reasons})`],
    left: `Stack ${stack} isn't gone: ${what} are left on ${machines}. \`npx pulumi destroy\` goes on when it answers. ${forget}`,
  };
}

/**
 * @param {Asking} asking
 * @param {readonly SilentEngine[]} silent
 */
async function loosenState({ args, cli, env }, silent) {
  const exported = JSON.parse(await exportStack(cli, env, args));
  const urns = new Set(silent.flatMap((engine) => engine.urns));
  const resources = exported.deployment?.resources ?? [];
  exported.deployment.resources = loosen(resources, urns);
  const importing = promisify(execFile)(cli, ["stack", "import", ...stackOption(args)], { env });
  importing.child.stdin?.end(JSON.stringify(exported));
  await importing;
}

/**
 * @typedef {{ urn: string, dependencies?: string[], propertyDependencies?: Record<string, string[] | null> }} Resource
 */

/**
 * Takes from some resources what they depend on besides each other, so that it can be deleted before them. The next `up`
 * notes it again.
 *
 * @template {Resource} Kind
 * @param {readonly Kind[]} resources
 * @param {ReadonlySet<string>} urns of those resources
 * @returns {Kind[]}
 */
export function loosen(resources, urns) {
  const among = (/** @type {readonly string[] | null} */ all) =>
    (all ?? []).filter((urn) => urns.has(urn));
  return resources.map((resource) => {
    const { urn, dependencies, propertyDependencies } = resource;
    if (!urns.has(urn)) return resource;
    const byProperty = Object.entries(propertyDependencies ?? {}).map(([key, all]) => [
      key,
      among(all),
    ]);
    return {
      ...resource,
      ...(dependencies && { dependencies: among(dependencies) }),
      ...(propertyDependencies && { propertyDependencies: Object.fromEntries(byProperty) }),
    };
  });
}

/**
 * @param {string} cli
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} args
 */
async function exportStack(cli, env, args) {
  const options = { env, maxBuffer: Number.POSITIVE_INFINITY };
  const command = ["stack", "export", ...stackOption(args), "--non-interactive"];
  return (await promisify(execFile)(cli, command, options)).stdout;
}

/** @param {readonly string[]} args */
function stackOption(args) {
  return valuesOf(args, ["--stack", "-s"]).flatMap((name) => ["--stack", name]);
}

/** @param {string} file */
function readText(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
