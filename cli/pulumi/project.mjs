import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_STACK, decide, pulumiHome, selectedStack, stateFolder } from "./environment.mjs";
import { mendStates } from "./full-disk.mjs";
import { clearTornAttributes } from "./killed.mjs";
import { keepReplacedVolumes } from "./replaced.mjs";
import { commandOf } from "./targets.mjs";
import { homeWithoutLogs } from "./unlogged-home.mjs";

/** @import { Decision } from "./facts.ts" */

const self = path.dirname(fs.realpathSync(fileURLToPath(import.meta.url)));
const keptCompiled = path.join(self, "kept-compiled.cjs");
const lazySdk = path.join(self, "lazy-sdk.cjs");
const orphaned = path.join(self, "orphaned.cjs");
const quietSdk = path.join(self, "quiet-sdk.cjs");

/** The folder of Pulumi.yaml: the nearest one upwards from this package. */
export const project = folderOf("Pulumi.yaml", self);

/**
 * What is pinned: see tools/toolchain/versions.json.
 *
 * @type {Readonly<Record<"pulumi" | "dockerPlugin" | "commandPlugin" | "natsServer" | "natsCli", string>>}
 */
export const versions = JSON.parse(
  fs.readFileSync(path.join(project, "tools", "toolchain", "versions.json"), "utf8"),
);

/**
 * Where the pinned CLI lies, as Pulumi's own installers have it.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function pinnedCli(env) {
  return path.join(pulumiHome(env, os.homedir()), "versions", versions.pulumi, "bin", "pulumi");
}

/**
 * The CLI to use: the pinned one, else one on PATH; undefined where there is neither.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function findCli(env) {
  const pinned = pinnedCli(env);
  return isExecutable(pinned) ? pinned : cliOnPath(env);
}

/**
 * A `pulumi` on PATH that is not this package's own.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function cliOnPath(env) {
  const folders = (env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute);
  return folders
    .map((folder) => path.join(folder, "pulumi"))
    .find((file) => isExecutable(file) && path.dirname(fs.realpathSync(file)) !== self);
}

/**
 * The environment that a Pulumi command of this project runs in, and the stack to create first if the
 * backend doesn't have it. Creates the folder of the state, its id and the passphrase if they are needed,
 * and puts right what a killed command, or a full disk, left of the state.
 *
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Omit<Decision, "set"> & { env: NodeJS.ProcessEnv }}
 */
export function pulumiEnvironment(args, env) {
  const { set, refusal, ...decided } = decideHere(args, env);
  const ownState = set.PULUMI_BACKEND_URL && stateFolder(project);
  if (set.PULUMI_CONFIG_PASSPHRASE_FILE) createOnce(set.PULUMI_CONFIG_PASSPHRASE_FILE);
  const backend = set.PULUMI_BACKEND_URL ?? env.PULUMI_BACKEND_URL;
  clearTornAttributes(backend);
  for (const stack of mendStates(backend)) {
    console.error(`Put back the state that stack ${stack} had before it was torn.`);
  }
  for (const volume of keepReplacedVolumes(backend)) {
    console.error(`Volume ${volume} stays: a replacement would have been itself.`);
  }
  const bin = path.join(project, "node_modules", ".bin");
  // The `ssh` that Pulumi's Docker provider finds: one connection for each machine, see there.
  const ssh = path.join(project, "live", "engine", "ssh");
  const cache = path.join(project, "node_modules", ".cache");
  const isDebugged = isDebugging(args);
  const preloads = [keptCompiled, lazySdk, orphaned, ...(isDebugged ? [] : [quietSdk])];
  const home = pulumiHome(env, os.homedir());
  return {
    ...decided,
    refusal,
    env: {
      ...env,
      ...set,
      ...(!isDebugged && homeWithoutLogs(commandOf(args), { backend, home, folder: cache })),
      ...(ownState && { NATS_REGIONS_STATE_ID: stateId(ownState) }),
      PATH: [bin, ssh, env.PATH].join(path.delimiter),
      // Nearly all that is made waits for the engine, not for a core: 18 volumes take their 2 s at once.
      PULUMI_PARALLEL: env.PULUMI_PARALLEL ?? "32",
      // The program and the dynamic provider load in half the time.
      NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE ?? path.join(cache, "compile"),
      NODE_OPTIONS: [
        // What is young is collected sooner than by the default of 16 MiB: 40 MiB less, in the same time.
        "--max-semi-space-size=4",
        ...(env.NODE_OPTIONS ? [env.NODE_OPTIONS] : []),
        ...preloads.map((file) => `--require ${JSON.stringify(file)}`),
      ].join(" "),
      // Where the shell came here by a symbolic link, Pulumi would look for the selected stack elsewhere.
      PWD: process.cwd(),
    },
  };
}

/**
 * Why a Pulumi command can't be run here, and the way out; undefined where it can. Asks nobody and touches nothing.
 *
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export function refusalOf(args, env) {
  return decideHere(args, env).refusal;
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function decideHere(args, env) {
  return decide({ args, env, userHome: os.homedir(), project, read, exists: fs.existsSync });
}

/**
 * Whether somebody asks for all that the CLI can tell.
 *
 * @param {readonly string[]} args
 */
function isDebugging(args) {
  return args.some((arg) => /^(-[a-z]*[dv]|--(debug|verbose|logtostderr|logflow)\b)/i.test(arg));
}

/**
 * The stack that commands mean that name none. Asks nobody and touches nothing.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function standardStack(env) {
  return selectedStack({ env, userHome: os.homedir(), project, read }) || DEFAULT_STACK;
}

/**
 * The id of the state in a folder, made at first use. By it, a stack that begins there differs from others: see
 * lib/plan/stack-identity.ts.
 *
 * @param {string} folder
 */
export function stateId(folder) {
  const file = path.join(folder, "id");
  createOnce(file);
  return fs.readFileSync(file, "utf8");
}

/**
 * Gives a file random text unless it is there. Written aside and linked into place, so that no other process
 * ever reads half of it.
 *
 * @param {string} file
 */
function createOnce(file) {
  if (fs.existsSync(file)) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, randomBytes(32).toString("base64url"), { mode: 0o600 });
  try {
    fs.linkSync(draft, file);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  } finally {
    fs.rmSync(draft);
  }
}

/**
 * @param {string} name
 * @param {string} from
 * @returns {string}
 */
function folderOf(name, from) {
  if (fs.existsSync(path.join(from, name))) return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error(`There is no ${name} in any folder above ${self}.`);
  return folderOf(name, parent);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

/** @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
