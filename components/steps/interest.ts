import { createHash } from "node:crypto";
import type { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { formerEnginesVariable } from "../../live/engine/told-engines.ts";
import type { DriftTimes } from "../preflight/announce-changes.ts";
import { createScript, NOTHING, nodeVariables, runCommand, type ScriptArgs } from "./script.ts";
import type { StepArgs } from "./step-args.ts";

/**
 * Creates the step that announces new accounts to all nodes, before any step that changes a node. It runs whenever
 * accounts, exports or imports change, and where nodes on one of several engines run with another config: they may have
 * been beyond reach as accounts changed.
 */
export function createAccountsStep(
  name: string,
  args: StepArgs & { readonly driftTimes: DriftTimes },
  parent: pulumi.Resource,
): local.Command {
  const { accounts } = args.plan;
  const traded = accounts.map(({ name, exports, imports }) => ({ name, exports, imports }));
  const environment = {
    ACCOUNTS: JSON.stringify(accounts.map(({ name }) => name)),
    TRADED: createHash("sha256").update(JSON.stringify(traded)).digest("hex"),
  };
  return createInterestScript(
    name,
    "tell-accounts",
    args,
    environment,
    { parent },
    returning(args),
  );
}

/**
 * Creates the step behind all nodes that restores lost interest, so that every node knows the subscriptions of all
 * others. It runs whenever the accounts step did, also in an `up` that was interrupted, and once in a cluster that was
 * created before this step existed.
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

function returning({
  engines,
  driftTimes,
}: {
  readonly engines: StepArgs["engines"];
  readonly driftTimes: DriftTimes;
}) {
  const strayed = engines.length > 1 && driftTimes.size > 0;
  return { STRAYED: strayed ? JSON.stringify([...driftTimes]) : undefined };
}

/** New nodes start with all accounts, so a new cluster has nothing to do. */
function createInterestScript(
  name: string,
  verb: string,
  { plan, ownership, engines, before, caCertificate }: StepArgs,
  environment: ScriptArgs["environment"],
  options: pulumi.CustomResourceOptions,
  transient: ScriptArgs["transient"] = {},
): local.Command {
  const update = runCommand(verb);
  return createScript(
    name,
    {
      create: before.containers.size > 0 ? update : NOTHING,
      update,
      environment: {
        ...environment,
        ...nodeVariables({ plan, ownership, engines }, caCertificate),
      },
      transient: { ...transient, ...formerEnginesVariable(engines) },
      showsStderr: true,
    },
    options,
  );
}
