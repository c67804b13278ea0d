import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import { ownerFilter } from "../ownership.ts";
import type { StepArgs } from "./step-args.ts";

/** Says that a script has nothing to do, to the shell. */
export const NOTHING = ":";

/** The command that starts one of the scripts in run/, found from the program's folder as its imports are. */
export function runCommand(...words: string[]): string {
  return `node -e 'import("nats-regions/run")' ${words.join(" ")}`;
}

export interface ScriptArgs {
  /** What the shell runs where the state has no such script yet. That it is another one now is no change. @default nothing */
  readonly create?: string;
  /** What it runs whenever anything below has changed. @default nothing */
  readonly update?: string;
  /** What it runs when the script leaves the program, or the stack is destroyed. @default nothing */
  readonly delete?: string;
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** Variables that count in the updates which set them; one that is undefined is no change, whatever it was before. */
  readonly passing?: Readonly<Record<string, pulumi.Input<string> | undefined>>;
  /** Counts like such a variable, where it is there with undefined. */
  readonly stdin?: pulumi.Input<string> | undefined;
  /** Whether people see what it says on stderr. @default false */
  readonly isHeard?: boolean;
}

/** Makes a step of an update that runs something between its resources: a Command, whose inputs say when it is due. */
export function createScript(
  name: string,
  { environment, passing = {}, isHeard = false, ...args }: ScriptArgs,
  { ignoreChanges = [], ...options }: pulumi.CustomResourceOptions,
): local.Command {
  const variables = Object.entries(passing);
  const set = variables.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  const unset = variables.filter(([, value]) => value === undefined).map(([key]) => key);
  const { stdin, create = NOTHING, ...commands } = args;
  return new local.Command(
    name,
    {
      create,
      ...commands,
      ...(stdin === undefined ? {} : { stdin }),
      environment: { ...environment, ...Object.fromEntries(set) },
      logging: isHeard ? local.Logging.Stderr : local.Logging.None,
    },
    {
      ...options,
      ignoreChanges: [
        "create",
        ...unset.map((key) => `environment.${key}`),
        ...("stdin" in args && stdin === undefined ? ["stdin"] : []),
        ...ignoreChanges,
      ],
    },
  );
}

/** As scripts are told of whose nodes they ask, and whom they take for one; see run/given.ts. */
export function nodeVariables(
  { plan, ownership }: Pick<StepArgs, "plan" | "ownership">,
  ca: pulumi.Output<string> | undefined,
): Readonly<Record<string, pulumi.Input<string>>> {
  const place = settingsPlaceOf(plan.identity);
  return {
    OWNER: ownerFilter(ownership),
    ...(ca ? { CA: ca } : {}),
    // Nothing new for stacks whose config has the settings.
    ...(place === "program" ? { SETTINGS_IN: place } : {}),
  };
}
