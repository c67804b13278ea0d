import type { ObservedCluster } from "../../lib/observed/observed.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import type { Monitor } from "../../live/monitoring/monitoring.ts";
import { observeCluster } from "../../live/monitoring/observe-cluster.ts";
import type { EngineState } from "./inspect-engine.ts";

/**
 * Gives the cluster as it is, those of its nodes too that are to leave.
 *
 * @param isAfresh whether to look again: what was seen before may have been a matter of a moment.
 */
export type Observer = (isAfresh?: boolean) => Promise<ObservedCluster>;

/** Looks when it is first asked, and once: a preview that changes nothing needn't. */
export function observerOf(plan: ClusterPlan, before: EngineState): Observer {
  let observed: Promise<ObservedCluster> | undefined;
  return (isAfresh = false) => {
    if (isAfresh || !observed) observed = observeCluster(runningMonitors(plan, before));
    return observed;
  };
}

/** Where the nodes that have a container are asked as long as nothing has changed; those that are down have no URL. */
export function runningMonitors(
  plan: ClusterPlan,
  { containers, leaving, tls }: EngineState,
): Monitor[] {
  const trust = tls === undefined ? {} : { ca: tls.ca };
  const staying = nodesOf(plan).map(
    ({ name, containerName }) => [name, containers.get(containerName)] as const,
  );
  return [...staying, ...leaving].flatMap(([name, node]) =>
    node?.monitoringUrl === undefined ? [] : [{ name, url: node.monitoringUrl, ...trust }],
  );
}
