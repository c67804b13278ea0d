import * as pulumi from "@pulumi/pulumi";
import { nodesOf } from "../../lib/plan/plan.ts";
import type { SettingValues } from "../../lib/settings/setting-values.ts";
import type { Access } from "../cluster-plan.ts";
import { serversOf } from "../parts/jetstream-provider.ts";
import { accountsWithStreams, type LostNodes } from "../preflight/lost-nodes.ts";
import { createScript, NOTHING, nodeVariables, runCommand } from "./script.ts";
import { scriptPatience } from "./script-patience.ts";
import type { StepArgs } from "./step-args.ts";

/**
 * Creates the step that lets go of lost nodes, before anything else waits for the meta group, of which they are members.
 * It runs in each `up` that finds some of them, and does nothing in any other.
 *
 * @param after the dependencies.
 */
export function createLossStep(
  name: string,
  args: StepArgs & { readonly access: pulumi.Output<Access>; readonly lost: LostNodes },
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const { plan, access, before, caCertificate, lost } = args;
  const run = runCommand("let-go");
  const isNeeded = lost.nodes.length > 0;
  const expendable = plan.streams.filter(({ policy }) => policy.allowDataLoss);
  const variables = {
    NODES: JSON.stringify(nodesOf(plan).map((node) => node.name)),
    LOST_NODES: JSON.stringify(lost.nodes),
    ACCOUNTS: JSON.stringify(accountsWithStreams(plan)),
    EXPENDABLE: JSON.stringify(expendable.map(({ account, name }) => ({ account, name }))),
    // Nodes that were let go of, came back and were lost again are the same as before.
    AT: pulumi.runtime.isDryRun() ? pulumi.output(pulumi.unknown).apply(String) : `${Date.now()}`,
    ...scriptPatience(plan),
    ...nodeVariables(args, caCertificate),
  };
  // Nodes haven't changed yet, so they take the login that they took before.
  const ownPair = before.login?.clientCa === undefined ? undefined : before.login.pair;
  const maps = [...before.containers.values()].some(({ settings }) => isMapped(settings));
  const connection = pulumi
    .all([serversOf(plan, { caCertificate, ownPair }), access])
    .apply(([servers, { system, remover, managerKey }]) => ({
      ...servers,
      ...(maps ? { seed: remover } : system),
      managerKey,
    }));
  return createScript(
    name,
    {
      create: isNeeded ? run : NOTHING,
      update: run,
      environment: {},
      transient: isNeeded
        ? variables
        : Object.fromEntries(Object.keys(variables).map((key) => [key, undefined])),
      stdin: isNeeded ? pulumi.secret(pulumi.jsonStringify(connection)) : undefined,
      showsStderr: true,
    },
    { parent, dependsOn: [...after] },
  );
}

/** Whether a node with these restart settings takes users by their certificates, and the system user by none. */
function isMapped(settings: SettingValues | undefined): boolean {
  return settings !== undefined && Object.hasOwn(settings, "clientCertificates.map");
}
