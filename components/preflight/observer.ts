import type { ObservedCluster } from "../../lib/observed/observed.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import type { Monitor } from "../../live/monitoring/monitoring.ts";
import { observeCluster } from "../../live/monitoring/observe-cluster.ts";
import type { EngineState } from "./inspect-engine.ts";

/**
 * Observes the cluster as it is, including nodes that are about to leave.
 *
 * @param isAfresh whether to look again instead of returning the earlier observation.
 */
export type Observer = (isAfresh?: boolean) => Promise<ObservedCluster>;

/** Observes on the first call only. A preview without changes never calls it. */
export function observerOf(plan: ClusterPlan, before: EngineState): Observer {
  let observed: Promise<ObservedCluster> | undefined;
  return (isAfresh = false) => {
    if (isAfresh || !observed) observed = observeCluster(runningMonitors(plan, before));
    return observed;
  };
}

/** Monitors of the nodes at their current addresses. Nodes that are down have no URL and are left out. */
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
