import * as pulumi from "@pulumi/pulumi";
import { nodesOf } from "../../lib/plan/plan.ts";
import { formerEnginesVariable } from "../../live/engine/told-engines.ts";
import type { Access } from "../cluster-plan.ts";
import { serversOf } from "../parts/jetstream-provider.ts";
import { createScript, NOTHING, nodeVariables, runCommand, type ScriptArgs } from "./script.ts";
import { scriptPatience } from "./script-patience.ts";
import type { StepArgs } from "./step-args.ts";

/**
 * Creates the step that drains leaving nodes, before any remaining node changes: leaving nodes take no new replicas,
 * and learn the new accounts, because one of them may lead the meta group. `stdin` is ignored while no node leaves, so
 * that a change of accounts doesn't run the step.
 *
 * @param accountsConf a secret.
 * @param after the dependencies: all remaining nodes know at least the accounts that the leaving ones know.
 */
export function createDrain(
  name: string,
  args: StepArgs,
  accountsConf: pulumi.Output<string>,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const stdin = args.before.leaving.size > 0 ? accountsConf : undefined;
  return createDepartureScript(name, "drain", args, { stdin }, after, parent);
}

/**
 * Creates the last step: leaving nodes are stopped one by one, and removed from the meta group.
 *
 * @param after the dependencies: all streams have moved.
 */
export function createRetirement(
  name: string,
  args: StepArgs & { readonly access: pulumi.Output<Access> },
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const { plan, access } = args;
  const connection = pulumi
    .all([serversOf(plan, args), access])
    .apply(([servers, { system, remover }]) => ({
      ...servers,
      ...(plan.clientCertificates?.map ? { seed: remover } : system),
    }));
  const inputs = {
    stdin: pulumi.secret(pulumi.jsonStringify(connection)),
    environment: { FLEET: JSON.stringify(plan.fleet), IMAGE: plan.image },
  };
  return createDepartureScript(name, "retire", args, inputs, after, parent);
}

/** Creates a script that runs whenever the set of nodes changes. The script finds the leaving nodes itself. */
function createDepartureScript(
  name: string,
  verb: string,
  { plan, ownership, engines, before, caCertificate }: StepArgs,
  { environment, ...inputs }: Pick<ScriptArgs, "stdin"> & Partial<Pick<ScriptArgs, "environment">>,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const staying = nodesOf(plan).map((node) => node.name);
  const update = runCommand(verb);
  return createScript(
    name,
    {
      ...inputs,
      create: before.leaving.size > 0 ? update : NOTHING,
      update,
      environment: {
        ...environment,
        NODES: JSON.stringify(staying),
        ...scriptPatience(plan),
        ...nodeVariables({ plan, ownership, engines }, caCertificate),
      },
      transient: formerEnginesVariable(engines),
      showsStderr: true,
    },
    { parent, dependsOn: [...after] },
  );
}
