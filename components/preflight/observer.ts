import type { ObservedCluster } from "../../lib/observed/observed.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import { loginOf, type Monitor } from "../../live/monitoring/monitor.ts";
import { observeCluster } from "../../live/monitoring/observe-cluster.ts";
import type { EngineNode } from "./engine-finds.ts";
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
    if (isAfresh || !observed) {
      observed = observeCluster(runningMonitors(plan, before), undefined, before.silent);
    }
    return observed;
  };
}

/** Monitors of the nodes at their current addresses. Nodes that are down have none and are left out. */
export function runningMonitors(
  plan: ClusterPlan,
  { containers, leaving, silent, ...access }: EngineState,
): Monitor[] {
  // Their servers may run, and be reached, although their engine doesn't answer.
  const beyond = nodesOf(plan)
    .filter(({ name }) => silent.has(name))
    .map(({ name, dial }) => monitorOf(name, { clientAddress: dial }, access));
  const staying = nodesOf(plan).map(
    ({ name, containerName }) => [name, containers.get(containerName)] as const,
  );
  const running = [...staying, ...leaving].flatMap(([name, node]) =>
    node?.clientAddress === undefined ? [] : [monitorOf(name, node, access)],
  );
  return [...running, ...beyond];
}

/** A node as it can be asked now. */
export function monitorOf(
  name: string,
  {
    clientAddress: address,
    monitoringUrl: url,
  }: Pick<EngineNode, "clientAddress" | "monitoringUrl">,
  { tls, login }: Pick<EngineState, "tls" | "login">,
): Monitor {
  return {
    name,
    ...(address === undefined ? {} : { address }),
    ...(url === undefined ? {} : { url }),
    ...(tls === undefined ? {} : { ca: tls.ca }),
    ...(login && loginOf(login)),
  };
}
