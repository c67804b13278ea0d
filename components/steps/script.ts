import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import type { Engine } from "../../live/engine/engine.ts";
import { enginesVariable } from "../../live/engine/told-engines.ts";
import { ownerFilter } from "../ownership.ts";
import type { StepArgs } from "./step-args.ts";

/** A shell command that does nothing. */
export const NOTHING = ":";

/**
 * The command that starts one of the scripts in run/. It finds the package from the program's folder, as imports do.
 */
export function runCommand(...words: string[]): string {
  return `node -e 'import("nats-regions/run")' ${words.join(" ")}`;
}

/** A shell command that runs `docker` on one of the cluster's engines. It needs the variable ENGINES. */
export function onEngine({ key }: Engine, command: string): string {
  if (key === "") return command;
  return runCommand("on-engine", key, `'${command.replaceAll("'", "'\\''")}'`);
}

export interface ScriptArgs {
  /** Shell command for a script that isn't in the state yet. A change of it is ignored. @default nothing */
  readonly create?: string;
  /** Shell command for any change of the fields below. @default nothing */
  readonly update?: string;
  /** Shell command for when the script leaves the program, or the stack is destroyed. @default nothing */
  readonly delete?: string;
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** Variables for some updates only: setting one is a change, but undefined keeps the former value and is none. */
  readonly transient?: Readonly<Record<string, pulumi.Input<string> | undefined>>;
  /** If the key is present with undefined, it keeps its former value as well. */
  readonly stdin?: pulumi.Input<string> | undefined;
  /** Whether its stderr is shown to the user. @default false */
  readonly showsStderr?: boolean;
}

/** Creates a Command that runs a script between other resources. It runs when its inputs change. */
export function createScript(
  name: string,
  { environment, transient = {}, showsStderr = false, ...args }: ScriptArgs,
  { ignoreChanges = [], ...options }: pulumi.CustomResourceOptions,
): local.Command {
  const variables = Object.entries(transient);
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
      logging: showsStderr ? local.Logging.Stderr : local.Logging.None,
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

/** The variables that tell a script whose nodes to ask, and which CA to trust; see run/variables.ts. */
export function nodeVariables(
  { plan, ownership, engines }: Pick<StepArgs, "plan" | "ownership" | "engines">,
  ca: pulumi.Output<string> | undefined,
): Readonly<Record<string, pulumi.Input<string>>> {
  const place = settingsPlaceOf(plan.identity);
  return {
    OWNER: ownerFilter(ownership),
    ...(ca ? { CA: ca } : {}),
    ...enginesVariable(engines),
    // Not set for settings in the config, so that existing stacks don't change.
    ...(place === "program" ? { SETTINGS_IN: place } : {}),
  };
}
