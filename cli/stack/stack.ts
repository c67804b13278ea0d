import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { parseStackOutputs, type StackOutputs } from "../../lib/plan/outputs.ts";
import { DEFAULT_STACK } from "../pulumi/environment.mjs";
import { project, pulumiEnvironment } from "../pulumi/project.mjs";
import { UserError } from "../terminal/user-error.ts";
import { askPulumi } from "./pulumi-cli.ts";

/** A stack of this project, as the backend knows it. */
export interface Stack {
  /** As Pulumi's `--stack` takes it. */
  readonly name: string;
  readonly exists: boolean;
  /** Whether commands that name no stack mean this one. */
  readonly isDefault: boolean;
  /** Resources in its state; absent where the backend doesn't say. */
  readonly resourceCount?: number;
}

const stackList = z.array(
  z.object({
    name: z.string(),
    current: z.boolean().default(false),
    resourceCount: z.number().optional(),
  }),
);

/** Finds a stack by name; without one the stack that Pulumi's own commands would take. */
export async function findStack(named?: string): Promise<Stack> {
  const listing = ["stack", "ls", "--json"];
  const stacks = stackList.parse(JSON.parse(await askPulumi(listing)));
  const selected = stacks.find(({ current }) => current)?.name;
  const standard =
    pulumiEnvironment(listing, process.env).env.PULUMI_STACK ?? selected ?? DEFAULT_STACK;
  const name = named ?? standard;
  const found = stacks.find((stack) => stackName(stack.name) === stackName(name));
  return {
    name,
    exists: found !== undefined,
    isDefault: stackName(name) === stackName(standard),
    ...(found?.resourceCount === undefined ? {} : { resourceCount: found.resourceCount }),
  };
}

/** A stack's name without the organization that Pulumi Cloud puts before it. */
export function stackName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** What a command needs to mean this stack: ` --stack NAME`, or nothing. */
export function stackOption({ name, isDefault }: Stack): string {
  return isDefault ? "" : ` --stack ${name}`;
}

/** The same for an npm script, which takes options behind a `--`. */
export function scriptOption(stack: Stack): string {
  const option = stackOption(stack);
  return option === "" ? "" : ` --${option}`;
}

/** What the last `up` made of the stack; undefined where there is no cluster. */
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

/** A setting as `pulumi config --json` shows it; no value where it is a secret. */
const configValue = z.object({
  value: z.string().optional(),
  objectValue: z.unknown().optional(),
  secret: z.boolean().default(false),
});

/** Settings by full name, e.g. `nats-regions:regions`. */
export type ConfigValues = Readonly<Record<string, z.output<typeof configValue>>>;

/**
 * Reads the settings of a stack, defaults of Pulumi.yaml included.
 *
 * @param file read these instead of the stack's own. Default: `Pulumi.<stack>.yaml`.
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
