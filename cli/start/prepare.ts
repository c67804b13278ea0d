import { randomBytes } from "node:crypto";
import { hasSimpleUser } from "../../lib/accounts/accounts.ts";
import { type UserPlace, usersWithoutLogin } from "../../lib/accounts/hidden-passwords.ts";
import { PlanError } from "../../lib/base/errors.ts";
import { listSome } from "../../lib/base/wording.ts";
import type { Settings } from "../../lib/plan/settings.ts";
import { DEFAULT_STACK } from "../pulumi/environment.mjs";
import { askPulumi } from "../stack/pulumi-cli.ts";
import { readStackSettings } from "../stack/settings-file.ts";
import {
  findStack,
  projectName,
  readProjectFile,
  readStackConfig,
  type Stack,
  settingsFile,
} from "../stack/stack.ts";
import { readPlan } from "../stack/stack-plan.ts";
import type { Log } from "../terminal/log.ts";
import { inherit } from "./inheritance.ts";

/**
 * Makes sure that a stack exists and has settings and passwords. Each is checked separately, so that an interrupted
 * start can be completed.
 */
export async function prepareStack(named: string | undefined, log: Log): Promise<Stack> {
  const stack = await findStack(named);
  const step = log.step(`Stack ${stack.name}`);
  const created = stack.exists ? [] : await createStack(stack);
  const selected = named === undefined && !stack.isSelected ? await selectStack(stack) : [];
  const copied = hasSettings(stack) ? undefined : await copySettings(stack);
  const passwords = await fillInPasswords(stack, copied?.hadPassword ?? false);
  const done = [...created, ...selected, ...(copied?.done ?? []), ...passwords];
  if (done.length > 0) step.done(done.join(", "));
  return stack.exists ? stack : { ...stack, exists: true, resourceCount: 0 };
}

async function createStack({ name }: Stack): Promise<string[]> {
  await askPulumi(["stack", "init", name, "--no-select"]);
  return ["created"];
}

/** So that `npx pulumi` goes on with this stack. In the project's own state, it does without. */
async function selectStack({ name }: Stack): Promise<string[]> {
  await askPulumi(["stack", "select", name]);
  return ["selected"];
}

/** An otherwise empty file: Pulumi itself writes only a salt. */
function hasSettings({ name }: Stack): boolean {
  return /^config:/m.test(readIfThere(settingsFile(name)));
}

interface Copied {
  /** What was done, one phrase each. */
  readonly done: readonly string[];
  /** Whether the first account's user had a password in the copied settings. */
  readonly hadPassword: boolean;
}

/** Copies the settings of `dev` to a stack, see {@link inherit}. */
async function copySettings(stack: Stack): Promise<Copied> {
  const source = settingsFile(DEFAULT_STACK);
  if (readIfThere(source) === "") return { done: [], hadPassword: false };
  const [defaults, config] = await Promise.all([
    readStackConfig(stack),
    readStackConfig(stack, source),
  ]);
  const namespace = projectName();
  const filed = readStackSettings(DEFAULT_STACK);
  const { values, leftOut } = inherit({ namespace, config, defaults, filed });
  const hadPassword = config[`${namespace}:password`] !== undefined;
  if (Object.keys(values).length === 0) return { done: [], hadPassword };
  const json = JSON.stringify(values);
  await askPulumi(["config", "set-all", "--json", json, "--stack", stack.name]);
  const without = leftOut.length > 0 ? ` without what is encrypted (${listSome(leftOut)})` : "";
  return { done: [`settings copied from ${source}${without}`], hadPassword };
}

/**
 * Generates missing passwords. They are passed on stdin, because others can read a command line. If the first account
 * has other users, its default user gets no password unless it had one before: it may have been removed on purpose.
 */
async function fillInPasswords(stack: Stack, hadPassword: boolean): Promise<string[]> {
  const config = await readStackConfig(stack);
  const isMissing = (name: string) => config[`${projectName()}:${name}`] === undefined;
  // First, because without these there is no plan to tell whether `password` is needed.
  const users = hasSettings(stack) ? usersWithoutPassword(stack) : [];
  for (const place of users) await generatePassword(stack, pathOf(place), "--path");
  const others = [
    ...(isMissing("password") && (hadPassword || (await needsSimpleUser(stack)))
      ? ["password"]
      : []),
    ...(isMissing("systemPassword") ? ["systemPassword"] : []),
    ...(isMissing("encryptionKey") && (await isEncrypted(stack)) ? ["encryptionKey"] : []),
  ];
  for (const name of others) await generatePassword(stack, name);
  const names = users.map(({ account, user }) => `${user} of ${account}`);
  const of = names.length > 0 ? `, also for ${listSome(names)}` : "";
  return users.length + others.length > 0 ? [`passwords generated${of}`] : [];
}

async function generatePassword(stack: Stack, at: string, ...options: string[]): Promise<void> {
  const password = randomBytes(18).toString("hex");
  const command = ["config", "set", "--secret", ...options, at, "--stack", stack.name];
  await askPulumi(command, password);
}

/** Users with an encrypted field already have a way to log in. */
function usersWithoutPassword({ name }: Stack): UserPlace[] {
  const { raw, unread } = readStackSettings(name);
  return usersWithoutLogin(raw.accounts).filter(
    ({ account, user }) => !unread.some((at) => at.includes(`accounts.${account}.users.${user}.`)),
  );
}

/** Quoted, because a name may contain dots. */
function pathOf({ account, user }: UserPlace): string {
  return `accounts["${account}"].users["${user}"].password`;
}

async function needsSimpleUser(stack: Stack): Promise<boolean> {
  const settings = await readSettings(stack);
  return settings === undefined || hasSimpleUser(settings);
}

async function isEncrypted(stack: Stack): Promise<boolean> {
  const settings = await readSettings(stack);
  return settings !== undefined && settings.encryption !== "none";
}

/** Undefined if they are wrong, which the `up` reports. */
async function readSettings(stack: Stack): Promise<Settings | undefined> {
  try {
    return (await readPlan(stack)).settings;
  } catch (error) {
    if (error instanceof PlanError) return undefined;
    throw error;
  }
}

function readIfThere(file: string): string {
  try {
    return readProjectFile(file);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
