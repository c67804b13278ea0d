import { randomBytes } from "node:crypto";
import { hasSimpleUser } from "../../lib/accounts.ts";
import { PlanError } from "../../lib/errors.ts";
import { DEFAULT_STACK } from "../pulumi/environment.mjs";
import type { Log } from "../steps.mjs";
import { askPulumi } from "./pulumi-cli.ts";
import {
  type ConfigValues,
  findStack,
  projectName,
  readConfig,
  readProjectFile,
  type Stack,
  settingsFile,
} from "./stack.ts";
import { readPlan } from "./stack-plan.ts";

/**
 * Makes sure that a stack exists, has settings, and passwords. Each is looked for by itself, so that what
 * an interrupted start left out is made up for by the next.
 */
export async function prepareStack(named: string | undefined, log: Log): Promise<Stack> {
  const stack = await findStack(named);
  const step = log.step(`Stack ${stack.name}`);
  const done = [
    ...(stack.exists ? [] : await createStack(stack)),
    ...(hasSettings(stack) ? [] : await copySettings(stack)),
    ...(await fillInPasswords(stack)),
  ];
  if (done.length > 0) step.done(done.join(", "));
  return stack.exists ? stack : { ...stack, exists: true, resourceCount: 0 };
}

async function createStack({ name }: Stack): Promise<string[]> {
  await askPulumi(["stack", "init", name, "--no-select"]);
  return ["created"];
}

/** Pulumi itself writes a salt only. */
function hasSettings({ name }: Stack): boolean {
  return /^config:/m.test(readIfThere(settingsFile(name)));
}

/** Gives a stack the settings of `dev`, but not its ports, which follow from the stack's name, nor its passwords. */
async function copySettings(stack: Stack): Promise<string[]> {
  const source = settingsFile(DEFAULT_STACK);
  if (readIfThere(source) === "") return [];
  const [defaults, settings] = await Promise.all([readConfig(stack), readConfig(stack, source)]);
  const ports = ["clientPort", "monitorPort"].map((name) => `${projectName()}:${name}`);
  const copied = Object.entries(settings).filter(
    ([key, { value, secret }]) => !secret && !ports.includes(key) && value !== defaults[key]?.value,
  );
  if (copied.length === 0) return [];
  const json = JSON.stringify(Object.fromEntries(copied) satisfies ConfigValues);
  await askPulumi(["config", "set-all", "--json", json, "--stack", stack.name]);
  return [`settings copied from ${source}`];
}

/**
 * Passwords go by stdin: what stands in a command line is there for all to see. Where the first account has other
 * users, the one that had none before isn't made up: its password may have been taken away.
 */
async function fillInPasswords(stack: Stack): Promise<string[]> {
  const config = await readConfig(stack);
  const isMissing = (name: string) => config[`${projectName()}:${name}`] === undefined;
  const missing = [
    ...(isMissing("password") && (await needsSimpleUser(stack)) ? ["password"] : []),
    ...(isMissing("systemPassword") ? ["systemPassword"] : []),
  ];
  for (const name of missing) {
    const password = randomBytes(18).toString("hex");
    await askPulumi(["config", "set", "--secret", name, "--stack", stack.name], password);
  }
  return missing.length > 0 ? ["passwords generated"] : [];
}

/** Settings that are in error are the `up`'s to refuse. */
async function needsSimpleUser(stack: Stack): Promise<boolean> {
  try {
    return hasSimpleUser((await readPlan(stack)).settings);
  } catch (error) {
    if (error instanceof PlanError) return true;
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
