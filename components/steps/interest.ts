import { createHash } from "node:crypto";
import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { createScript, NOTHING, nodeVariables, runCommand, type ScriptArgs } from "./script.ts";
import type { StepArgs } from "./step-args.ts";

/**
 * Makes the step before all others that change a node: all nodes know the accounts that are to come. It runs
 * whenever there are other accounts, exports or imports.
 */
export function createAccountsStep(
  name: string,
  args: StepArgs,
  parent: pulumi.Resource,
): local.Command {
  const { accounts } = args.plan;
  const traded = accounts.map(({ name, exports, imports }) => ({ name, exports, imports }));
  const environment = {
    ACCOUNTS: JSON.stringify(accounts.map(({ name }) => name)),
    TRADED: createHash("sha256").update(JSON.stringify(traded)).digest("hex"),
  };
  return createInterestScript(name, "tell-accounts", args, environment, { parent });
}

/**
 * Makes the step behind all nodes: what somebody wants is heard everywhere. It runs whenever the accounts step did, an
 * interrupted `up` included; and once in a cluster that was made before there was such a step.
 */
export function createInterestStep(
  name: string,
  args: StepArgs,
  accountsStep: local.Command,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): local.Command {
  const environment = { TOLD_AT: accountsStep.stdout };
  const options = { parent, dependsOn: [...after] };
  return createInterestScript(name, "hear-interest", args, environment, options);
}

/** Nodes that are yet to be made start with all accounts. */
function createInterestScript(
  name: string,
  verb: string,
  { plan, ownership, before, caCertificate }: StepArgs,
  environment: ScriptArgs["environment"],
  options: pulumi.CustomResourceOptions,
): local.Command {
  const update = runCommand(verb);
  return createScript(
    name,
    {
      create: before.containers.size > 0 ? update : NOTHING,
      update,
      environment: { ...environment, ...nodeVariables({ plan, ownership }, caCertificate) },
      isHeard: true,
    },
    options,
  );
}
