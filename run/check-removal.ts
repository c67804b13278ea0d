/**
 * Refuses that an `up` takes a cluster away with messages that somebody may miss, before anything of it is gone. Run by a
 * Command when that is deleted, as the first of its cluster's resources: no preview can tell, as Pulumi asks nobody about
 * what a program has no more.
 */
import { whyNotRemoved } from "../lib/update/removal.ts";
import { engineFromEnvironment } from "../live/engine/engine.ts";
import { listOwnNodes } from "../live/engine/own-nodes.ts";
import { observeCluster } from "../live/monitoring/observe-cluster.ts";
import { toldOfStep, whyDeleted } from "./deleted-step.ts";
import { given, trustOf } from "./given.ts";

const told = toldOfStep.extend(
  given.pick({ OWNER: true, CLUSTER: true, EXPENDABLE: true, KEEPS_VOLUMES: true, CA: true }).shape,
);

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER, CLUSTER, EXPENDABLE, KEEPS_VOLUMES, CA, ...step } = told.parse(env);
  if ((await whyDeleted(step)) !== "removed") return;
  const own = await listOwnNodes(engineFromEnvironment(), OWNER, trustOf(CA));
  const terms = {
    cluster: CLUSTER ?? "",
    expendable: EXPENDABLE,
    keepsVolumes: KEEPS_VOLUMES,
  };
  const refusal = whyNotRemoved(await observeCluster(own), own.length, terms);
  if (refusal !== undefined) throw new Error(refusal);
}
