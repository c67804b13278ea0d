import { createHash } from "node:crypto";
import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../lib/plan/plan.ts";
import { scriptTrust } from "./node-certificates.ts";
import { type Ownership, ownerFilter } from "./ownership.ts";
import type { EngineState } from "./preflight.ts";
import { runCommand } from "./run-command.ts";

export interface InterestArgs {
  readonly plan: ClusterPlan;
  readonly ownership: Ownership;
  readonly before: EngineState;
  /** PEM of the authorities that certify nodes; undefined where they have no TLS. */
  readonly caCertificate: pulumi.Output<string> | undefined;
}

/**
 * Makes the step before all others that change a node: all nodes know the accounts that are to come. It runs
 * whenever there are other accounts, exports or imports.
 */
export function createAccountsStep(
  name: string,
  args: InterestArgs,
  parent: pulumi.Resource,
): local.Command {
  const { accounts } = args.plan;
  const traded = accounts.map(({ name, exports, imports }) => ({ name, exports, imports }));
  const environment = {
    ACCOUNTS: JSON.stringify(accounts.map(({ name }) => name)),
    TRADED: createHash("sha256").update(JSON.stringify(traded)).digest("hex"),
  };
  return createStep(name, runCommand("tell-accounts"), args, environment, { parent });
}

/**
 * Makes the step behind all nodes: what somebody wants is heard everywhere. It runs whenever the accounts step did, an
 * interrupted `up` included; and once in a cluster that was made before there was such a step.
 */
export function createInterestStep(
  name: string,
  args: InterestArgs & { readonly accountsStep: local.Command },
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): local.Command {
  const environment = { TOLD_AT: args.accountsStep.stdout };
  const options = { parent, dependsOn: [...after] };
  return createStep(name, runCommand("hear-interest"), args, environment, options);
}

/** Nodes that are yet to be made start with all accounts. */
function createStep(
  name: string,
  script: string,
  { ownership, before, caCertificate }: InterestArgs,
  environment: Readonly<Record<string, pulumi.Input<string>>>,
  options: pulumi.CustomResourceOptions,
): local.Command {
  return new local.Command(
    name,
    {
      create: before.containers.size > 0 ? script : ":",
      update: script,
      environment: {
        ...environment,
        OWNER: ownerFilter(ownership),
        ...scriptTrust(caCertificate),
      },
      logging: local.Logging.Stderr,
    },
    { ...options, ignoreChanges: ["create"] },
  );
}
