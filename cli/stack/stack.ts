import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { parseStackOutputs, type StackOutputs } from "../../lib/plan/outputs.ts";
import { DEFAULT_STACK } from "../pulumi/environment.mjs";
import { project, pulumiEnvironment } from "../pulumi/project.mjs";
import { UserError } from "../terminal/user-error.ts";
import { askPulumi, expectWillRun } from "./pulumi-cli.ts";

/** A stack of this project in the backend. */
export interface Stack {
  /** In the form for Pulumi's `--stack`. */
  readonly name: string;
  readonly exists: boolean;
  /** Whether commands without `--stack` use this stack. */
  readonly isDefault: boolean;
  /** Whether Pulumi's own commands do, too: in a backend of the user's, they ask until a stack is selected. */
  readonly isSelected: boolean;
  /** Resources in its state; absent if the backend doesn't report the number. */
  readonly resourceCount?: number;
}

const stackList = z.array(
  z.object({
    name: z.string(),
    current: z.boolean().default(false),
    resourceCount: z.number().optional(),
  }),
);

/**
 * Finds a stack by name; without a name, the one that Pulumi's own commands would use.
 *
 * @throws UserError if that is one that is remembered, and gone.
 */
export async function findStack(named?: string): Promise<Stack> {
  if (named === undefined) expectWillRun(["config"]);
  const listing = ["stack", "ls", "--json"];
  const stacks = stackList.parse(JSON.parse(await askPulumi(listing)));
  const selected = stacks.find(({ current }) => current)?.name;
  const chosen = pulumiEnvironment(listing, process.env).env.PULUMI_STACK || selected;
  const standard = chosen ?? DEFAULT_STACK;
  const name = named ?? standard;
  const found = stacks.find((stack) => stackName(stack.name) === stackName(name));
  return {
    name,
    exists: found !== undefined,
    isDefault: stackName(name) === stackName(standard),
    isSelected: chosen !== undefined && stackName(name) === stackName(chosen),
    ...(found?.resourceCount === undefined ? {} : { resourceCount: found.resourceCount }),
  };
}

/** A stack's name without its organization, which Pulumi Cloud adds. */
export function stackName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** Option that makes commands use this stack: ` --stack NAME`, or nothing. */
export function stackOption({ name, isDefault }: Stack): string {
  return isDefault ? "" : ` --stack ${name}`;
}

/** The same for an npm script, whose options follow a `--`. */
export function scriptOption(stack: Stack): string {
  const option = stackOption(stack);
  return option === "" ? "" : ` --${option}`;
}

/** The stack's outputs as of the last `up`; undefined if there is no cluster. */
export async function readOutputs({ name }: Stack): Promise<StackOutputs | undefined> {
  const json = await askPulumi(["stack", "output", "--json", "--stack", name]);
  if (json.trim() === "{}") return undefined;
  try {
    return parseStackOutputs(json);
  } catch (cause) {
    const message = `The outputs of stack ${name} are incomplete: its last \`up\` did not finish. \`npm start\` goes on with it.`;
    throw new UserError(message, { cause });
  }
}

/** A setting in the output of `pulumi config --json`; a secret has no value. */
const configValue = z.object({
  value: z.string().optional(),
  objectValue: z.unknown().optional(),
  secret: z.boolean().default(false),
});

/** Settings by full name, e.g. `nats-regions:regions`. */
export type ConfigValues = Readonly<Record<string, z.output<typeof configValue>>>;

/**
 * Reads a stack's settings, with the defaults of Pulumi.yaml.
 *
 * @param file with other settings to read. Default: `Pulumi.<stack>.yaml`.
 */
export async function readStackConfig({ name }: Stack, file?: string): Promise<ConfigValues> {
  const from = file === undefined ? [] : ["--config-file", file];
  const json = await askPulumi(["config", "--json", "--stack", name, ...from]);
  return z.record(z.string(), configValue).parse(JSON.parse(json));
}

/** The project's name, which is also the namespace of its settings. */
export function projectName(): string {
  const name = /^name:\s*["']?([^"'\s]+)/m.exec(readProjectFile("Pulumi.yaml"))?.[1];
  if (name === undefined) throw new UserError("Pulumi.yaml names no project: it needs a `name:`.");
  return name;
}

/** Reads a file of the project. */
export function readProjectFile(name: string): string {
  return readFileSync(path.join(project, name), "utf8");
}

/** The file that holds the settings of a stack. */
export function settingsFile(stack: string): string {
  return `Pulumi.${stackName(stack)}.yaml`;
}
