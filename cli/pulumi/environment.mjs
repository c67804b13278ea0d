import { createHash } from "node:crypto";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** @import { ChosenEngine, Decision, Facts, Known } from "./facts.ts" */

/** The stack that is meant where none is named or selected. */
export const DEFAULT_STACK = "dev";

/** Guards nothing secret: the salt of stack `dev` is committed, and so are the passwords of its demo users. */
const DEV_PASSPHRASE = "dev";

/** By this one, a stack's settings are known to be those of `dev` after `pulumi stack rename` too. */
const DEV_SALT = "v1:9/MAIyJcFdo=:v1:NW6hCFxXgZqYCMtP:8NeTZ1Kp8Ph10pgta8JNHadOImdRsw==";

/** Options of the CLI that take the next argument as their value. */
const TAKES_VALUE = new Set(
  "-C --cwd -s --stack --color --config-file --secrets-provider --copy-config-from --teams".split(
    " ",
  ),
);

/** Commands that should find the default stack, even on the first day. */
const WORKS_ON_STACK = new Set(["up", "update", "preview", "pre", "refresh", "config", "watch"]);

/** The others that take the selected stack where none is named; of `stack`, all but those that choose one. */
const TAKES_SELECTED = new Set("destroy down dn import export cancel stack state".split(" "));
const CHOOSES_STACK = new Set(["init", "ls", "select", "unselect"]);

/** Commands that come to ask the Docker engine. */
const ASKS_ENGINE = new Set(
  "up update preview pre refresh destroy down dn watch import".split(" "),
);

/** Where docker's context `default` leads. */
const LOCAL_ENGINE = "unix:///var/run/docker.sock";

/**
 * Where Pulumi keeps its CLIs, plugins and credentials.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} userHome
 */
export function pulumiHome(env, userHome) {
  return env.PULUMI_HOME || path.join(userHome, ".pulumi");
}

/**
 * Where state is kept unless the user has another backend.
 *
 * @param {string} project
 */
export function stateFolder(project) {
  return path.join(project, ".pulumi-state");
}

/**
 * Decides with which backend, stack, passphrase and Docker engine a Pulumi command runs. What the user has
 * set always stands; the rest is chosen so that a fresh clone works without a login or a question.
 *
 * @param {Facts} facts
 * @returns {Decision}
 */
export function decide({ args, env, userHome, project, read, exists }) {
  const readJson = (/** @type {string} */ file) => parse(read(file));
  const home = pulumiHome(env, userHome);
  const command = positionals(args);
  const [verb = ""] = command;
  const login = ["login", "logout"].includes(verb);
  const current = configuredBackend({ env, home, project, read });
  const own = current === undefined && !login;
  const state = stateFolder(project);
  const backend = current ?? pathToFileURL(state).href;

  const named = namedStack(args, command);
  const selected = selectedStack({ env, userHome, project, read });
  const stack = shortName(named ?? (selected || DEFAULT_STACK));
  const firstUse = own && stack === DEFAULT_STACK && WORKS_ON_STACK.has(verb);
  const stacks = path.join(state, ".pulumi", "stacks", projectName(project, read));
  const isThere = [".json", ".json.gz"].some((end) => exists(path.join(stacks, stack + end)));
  const takesSelected = named === undefined && !env.PULUMI_STACK && selected !== undefined;
  const engine = chosenEngine({ env, userHome, exists, readJson });
  const salt = saltOf(stack, project, read);
  const passphraseOf = (/** @type {string} */ name) =>
    passphraseFor({ env, own, stack: name, state, salt });

  const refusals = [
    ASKS_ENGINE.has(verb) ? engine.refusal : renameRefusal({ command, stack, passphraseOf }),
    own && takesSelected && !isThere ? goneRefusal({ args, command, stack }) : undefined,
  ];

  return {
    refusal: refusals.find((refusal) => refusal !== undefined),
    set: definedOnly({
      PULUMI_SKIP_UPDATE_CHECK: env.PULUMI_SKIP_UPDATE_CHECK ? undefined : "true",
      // The CLI makes garbage of its whole state at each write: collected less often, many streams take a
      // quarter less time. With 400, a preview of nine nodes takes 30 MiB more.
      GOGC: env.GOGC ? undefined : "300",
      PULUMI_BACKEND_URL: own ? backend : undefined,
      PULUMI_STACK: own && named === undefined && !selected ? DEFAULT_STACK : undefined,
      // What Pulumi's SDK asks by gRPC is on this machine; it would ask a proxy for that, too.
      no_grpc_proxy: env.no_grpc_proxy ? undefined : "127.0.0.1,localhost",
      DOCKER_HOST: engine.host,
      DOCKER_CONTEXT: engine.context,
      // By a login, a stack begins as the same one as by the variable.
      NATS_REGIONS_STATE_ID: (!env.PULUMI_BACKEND_URL && current) || undefined,
      ...passphraseOf(stack),
    }),
    createStack: firstUse && !isThere ? stack : undefined,
    stack,
    projectName: projectName(project, read),
  };
}

/**
 * The stack that `PULUMI_STACK` or `pulumi stack select` has chosen for this project, if any.
 *
 * @param {Omit<Facts, "args" | "exists">} facts
 * @returns {string | undefined}
 */
export function selectedStack({ env, userHome, project, read }) {
  const readJson = (/** @type {string} */ file) => parse(read(file));
  const home = pulumiHome(env, userHome);
  const backend = configuredBackend({ env, home, project, read });
  const workspace = readJson(workspaceFile(home, project, projectName(project, read)));
  return (
    env.PULUMI_STACK ||
    workspace?.stacks?.[backend ?? pathToFileURL(stateFolder(project)).href] ||
    workspace?.stack
  );
}

/**
 * @param {string} project
 * @param {Facts["read"]} read
 */
function projectName(project, read) {
  const projectFile = read(path.join(project, "Pulumi.yaml")) ?? "";
  return projectFile.match(/^name:\s*["']?([^"'\s]+)/m)?.[1] ?? "";
}

/**
 * The backend that the user has chosen: by the environment, in Pulumi.yaml, or by `pulumi login`; in Pulumi's order.
 *
 * @param {Pick<Facts, "env" | "project" | "read"> & { home: string }} facts
 * @returns {string | undefined}
 */
function configuredBackend({ env, home, project, read }) {
  const credentials = path.join(env.PULUMI_CREDENTIALS_PATH || home, "credentials.json");
  const login = parse(read(credentials))?.current || undefined;
  return (
    env.PULUMI_BACKEND_URL ||
    projectBackend(read(path.join(project, "Pulumi.yaml")) ?? "") ||
    login ||
    (env.PULUMI_ACCESS_TOKEN ? "" : undefined)
  );
}

/**
 * `backend.url` of Pulumi.yaml, as a block or in braces.
 *
 * @param {string} text
 */
function projectBackend(text) {
  const [, block = ""] = text.match(/^backend:(.*(?:\n(?:[ \t]+.*|#.*)?)*)/m) ?? [];
  return block.match(/(?:^|[\s{,])url:\s*["']?([^"'\s,}]+)/)?.[1];
}

/**
 * A state that others share needs a passphrase that they share: there it is the user's to give.
 *
 * @param {{ env: NodeJS.ProcessEnv, own: boolean, stack: string, state: string, salt: string | undefined }} facts
 *   `salt`: that of the stack's settings, if they have one.
 * @returns {Record<string, string>}
 */
function passphraseFor({ env, own, stack, state, salt }) {
  const ofDev = { PULUMI_CONFIG_PASSPHRASE: DEV_PASSPHRASE };
  // No other one opens these settings: one that is set is meant for other stacks.
  if (salt === DEV_SALT) return ofDev;
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined || env.PULUMI_CONFIG_PASSPHRASE_FILE) return {};
  if (stack === DEFAULT_STACK) return ofDev;
  if (!own) return {};
  return { PULUMI_CONFIG_PASSPHRASE_FILE: path.join(state, "passphrase") };
}

/**
 * What tells a passphrase from others; see `encryptionsalt` in the stack's file.
 *
 * @param {string} stack
 * @param {string} project
 * @param {Facts["read"]} read
 */
function saltOf(stack, project, read) {
  const settings = read(path.join(project, `Pulumi.${stack}.yaml`)) ?? "";
  return settings.match(/^encryptionsalt:\s*["']?([^"'\s]+)/m)?.[1];
}

/**
 * Why a stack can't be renamed yet: where its passphrase goes by its name, another name would lock it out. Its settings
 * keep their salt.
 *
 * @param {{ command: string[], stack: string, passphraseOf: (name: string) => Record<string, string> }} facts
 */
function renameRefusal({ command: [command, verb, name], stack, passphraseOf }) {
  if (command !== "stack" || verb !== "rename" || name === undefined) return undefined;
  const variablesOf = (/** @type {string} */ each) =>
    Object.entries(passphraseOf(each)).map((entry) => entry.join("="));
  const [before, after] = [variablesOf(stack), variablesOf(shortName(name))];
  if (before.join() === after.join()) return undefined;
  const [given = "PULUMI_CONFIG_PASSPHRASE=…"] = before;
  return `Stack ${shortName(name)} would have another passphrase than ${stack}, and could not read its own secrets.\nGive the one it has for good, then rename it: export ${given}`;
}

/**
 * Why a command can't take the selected stack: Pulumi remembers selections by the folder's path, outside of it, and what
 * was selected in a folder that was cloned again went with its state. The CLI would only say that none is selected.
 *
 * @param {{ args: readonly string[], command: string[], stack: string }} facts
 */
function goneRefusal({ args, command: [verb = "", subcommand = ""], stack }) {
  const isMade = stack === DEFAULT_STACK && WORKS_ON_STACK.has(verb);
  if (isMade || !(WORKS_ON_STACK.has(verb) || TAKES_SELECTED.has(verb))) return undefined;
  if (verb === "stack" && CHOOSES_STACK.has(subcommand)) return undefined;
  if (args.some((arg) => arg === "--help" || arg === "-h")) return undefined;
  return [
    `Pulumi remembers that stack ${stack} was selected in this folder, but there is no such stack any more, as after a new clone.`,
    ...(stack === DEFAULT_STACK
      ? []
      : [`Forget it, and go on with stack ${DEFAULT_STACK}: npx pulumi stack unselect`]),
    `Create it again: npm start -- --stack ${stack}`,
  ].join("\n");
}

/**
 * The stack that the arguments name; an empty string where the CLI will ask for a new one's name.
 *
 * @param {readonly string[]} args
 * @param {readonly string[]} command
 */
function namedStack(args, [command, verb, name]) {
  for (const [index, arg] of args.entries()) {
    if (arg === "--") break;
    if (arg === "-s" || arg === "--stack") return args[index + 1];
    if (arg.startsWith("--stack=")) return arg.slice("--stack=".length);
  }
  if (command !== "stack") return undefined;
  if (verb === "init") return name ?? "";
  return verb === "select" || verb === "rm" ? name : undefined;
}

/**
 * The command of a command line, with its subcommands and arguments.
 *
 * @param {readonly string[]} args
 */
export function positionals(args) {
  return args.filter(
    (arg, index) => !arg.startsWith("-") && !TAKES_VALUE.has(args[index - 1] ?? ""),
  );
}

/**
 * Where `pulumi stack select` keeps its choice, by backend.
 *
 * @param {string} home
 * @param {string} project
 * @param {string} projectName
 */
function workspaceFile(home, project, projectName) {
  const digest = createHash("sha1").update(path.join(project, "Pulumi.yaml")).digest("hex");
  return path.join(home, "workspaces", `${projectName}-${digest}-workspace.json`);
}

/**
 * Names one engine to all: the `docker` command goes by DOCKER_HOST, else by DOCKER_CONTEXT, else by the current context;
 * the Docker provider 5 by DOCKER_CONTEXT before DOCKER_HOST, and by no current context. Else nodes would be made on the
 * one engine, and their network on the other. A context's certificates can't be handed on with its host alone: there the
 * user has to.
 *
 * @param {Pick<Facts, "env" | "userHome" | "exists"> & { readJson: (file: string) => Known | undefined }} facts
 * @returns {ChosenEngine}
 */
function chosenEngine({ env, userHome, exists, readJson }) {
  const only = (/** @type {string | undefined} */ host) => ({
    host,
    context: env.DOCKER_CONTEXT ? "" : undefined,
  });
  if (env.DOCKER_HOST) return only(undefined);
  const folder = env.DOCKER_CONFIG || path.join(userHome, ".docker");
  const name = env.DOCKER_CONTEXT || readJson(path.join(folder, "config.json"))?.currentContext;
  if (!name) return {};
  if (name === "default") return env.DOCKER_CONTEXT ? only(LOCAL_ENGINE) : {};
  const digest = createHash("sha256").update(name).digest("hex");
  const meta = readJson(path.join(folder, "contexts", "meta", digest, "meta.json"));
  const { Host: host, SkipTLSVerify: unverified } = meta?.Endpoints?.docker ?? {};
  if (!host) return {};
  const certificates = path.join(folder, "contexts", "tls", digest, "docker");
  const secured = unverified || exists(certificates);
  if (/^(unix|ssh):/.test(host) || (!secured && host.startsWith("tcp:"))) return only(host);
  const variables = [
    `DOCKER_HOST=${host}`,
    ...(secured ? ["DOCKER_TLS_VERIFY=1", `DOCKER_CERT_PATH=${certificates}`] : []),
  ];
  return {
    refusal: `The docker context ${name} leads to ${host}, where Pulumi's Docker provider doesn't follow: nodes would be made on another engine than their network.\nName the engine to both: export ${variables.join(" ")}`,
  };
}

/** @param {string} stack */
function shortName(stack) {
  return stack.slice(stack.lastIndexOf("/") + 1);
}

/**
 * @param {string | undefined} text
 * @returns {Known | undefined}
 */
function parse(text) {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param {Record<string, string | undefined>} record
 * @returns {Record<string, string>}
 */
function definedOnly(record) {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
