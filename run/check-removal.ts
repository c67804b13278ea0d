/**
 * Refuses an `up` that removes a cluster with messages, before any of it is deleted. Run by the `delete` of a Command,
 * which is the first of its cluster's resources to be deleted. No preview can check this, because Pulumi doesn't call
 * providers for resources that a program no longer has.
 */
import { whyNotRemoved } from "../lib/update/removal.ts";
import { listOwnNodes } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { observeCluster } from "../live/monitoring/observe-cluster.ts";
import { deletedStepVariables, whyDeleted } from "./deleted-step.ts";
import { scriptVariables, trustOf } from "./variables.ts";

const variables = deletedStepVariables.extend(
  scriptVariables.pick({
    OWNER: true,
    CLUSTER: true,
    EXPENDABLE: true,
    KEEPS_VOLUMES: true,
    CA: true,
  }).shape,
);

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER, CLUSTER, EXPENDABLE, KEEPS_VOLUMES, CA, ...step } = variables.parse(env);
  if ((await whyDeleted(step)) !== "removed") return;
  const own = await listOwnNodes(enginesFromEnvironment(env), OWNER, trustOf(CA));
  const terms = {
    cluster: CLUSTER ?? "",
    expendable: EXPENDABLE,
    keepsVolumes: KEEPS_VOLUMES,
  };
  const refusal = whyNotRemoved(await observeCluster(own), own.length, terms);
  if (refusal !== undefined) throw new Error(refusal);
}
