import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, nodesOf } from "../lib/plan/plan.ts";
import {
  describeDepartures,
  describeStranded,
  type LeavingNode,
  unplannedStreams,
} from "../lib/update/departures.ts";
import { askHeldStreams } from "../live/monitoring/monitoring.ts";
import { serversOf } from "./jetstream-provider.ts";
import { scriptTrust } from "./node-certificates.ts";
import { type Ownership, ownerFilter } from "./ownership.ts";
import type { EngineNode, EngineState } from "./preflight.ts";
import { runCommand } from "./run-command.ts";
import { scriptPatience } from "./script-patience.ts";
import type { Access } from "./stack-settings.ts";

/**
 * Says what becomes of nodes that the settings have no more, and of what they hold.
 *
 * @throws pulumi.RunError where a stream that is not in the settings would be left without a place.
 */
export async function announceDepartures(
  plan: ClusterPlan,
  { leaving, tls }: EngineState,
): Promise<void> {
  const trust = tls === undefined ? {} : { ca: tls.ca };
  const nodes = await Promise.all([...leaving].map(([name, node]) => lookAt(name, node, trust)));
  const stranded = describeStranded(unplannedStreams(nodes, plan), plan.fleet, plan.image);
  if (stranded.length > 0) {
    throw new pulumi.RunError(
      `The settings leave out ${nodes.map(({ name }) => name).join(", ")}, but not all that is there can move:\n${stranded.map((line) => `  ${line}`).join("\n")}\nPut the region, zone or number of nodes back, or change or delete the streams.`,
    );
  }
  for (const line of describeDepartures(nodes, plan)) void pulumi.log.info(line);
}

async function lookAt(
  name: string,
  { monitoringUrl: url }: EngineNode,
  trust: { readonly ca?: string },
): Promise<LeavingNode> {
  if (url === undefined) return { name };
  return await askHeldStreams({ name, url, ...trust }).then(
    (held) => ({ name, held }),
    () => ({ name }),
  );
}

export interface DeparturesArgs {
  readonly plan: ClusterPlan;
  readonly ownership: Ownership;
  readonly before: EngineState;
  /** PEM of the authorities that certify nodes; undefined where they have no TLS. */
  readonly caCertificate: pulumi.Output<string> | undefined;
}

export interface DrainArgs extends DeparturesArgs {
  readonly accountsConf: pulumi.Output<string>;
  /** What has to be done before: no node knows less of accounts than those that leave. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Makes the step before all nodes that stay: nodes that leave take no new replicas, and know the accounts that are to come, as
 * one of them may lead the meta group. Where none leaves, it must not change with the accounts.
 */
export function createDrain(
  name: string,
  args: DrainArgs,
  parent: pulumi.Resource,
): pulumi.Resource {
  const { before, accountsConf: stdin, after } = args;
  const [inputs, ignoreChanges] = before.leaving.size > 0 ? [{ stdin }, []] : [{}, ["stdin"]];
  const options = { parent, ignoreChanges, dependsOn: [...after] };
  return createStep(name, runCommand("drain"), args, inputs, options);
}

export interface RetirementArgs extends DeparturesArgs {
  readonly access: pulumi.Output<Access>;
  /** What has to be done before: all streams have moved. */
  readonly after: readonly pulumi.Resource[];
}

/** Makes the last step: nodes that leave are stopped one by one, and forgotten by the others. */
export function createRetirement(
  name: string,
  args: RetirementArgs,
  parent: pulumi.Resource,
): pulumi.Resource {
  const { plan, access, after, caCertificate } = args;
  const connection = pulumi
    .all([serversOf(plan, caCertificate), access])
    .apply(([servers, { system }]) => ({ ...servers, ...system }));
  return createStep(
    name,
    runCommand("retire"),
    args,
    {
      stdin: pulumi.secret(pulumi.jsonStringify(connection)),
      environment: { FLEET: JSON.stringify(plan.fleet), IMAGE: plan.image },
    },
    { parent, dependsOn: [...after] },
  );
}

/** A step that runs whenever other nodes are planned; it finds those that leave by itself. */
function createStep(
  name: string,
  script: string,
  { plan, ownership, before, caCertificate }: DeparturesArgs,
  {
    environment,
    ...inputs
  }: { readonly stdin?: pulumi.Output<string>; readonly environment?: Record<string, string> },
  options: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const staying = nodesOf(plan).map((node) => [node.name, node.monitoringUrl] as const);
  return new local.Command(
    name,
    {
      ...inputs,
      create: before.leaving.size > 0 ? script : ":",
      update: script,
      environment: {
        ...environment,
        OWNER: ownerFilter(ownership),
        NODES: JSON.stringify(Object.fromEntries(staying)),
        ...scriptPatience(plan),
        ...scriptTrust(caCertificate),
      },
      logging: local.Logging.Stderr,
    },
    { ...options, ignoreChanges: ["create", ...(options.ignoreChanges ?? [])] },
  );
}
