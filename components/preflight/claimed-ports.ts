import * as pulumi from "@pulumi/pulumi";
import { overlap } from "../../lib/base/addresses.ts";
import type { Listener } from "../../lib/nodes/listeners.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";

interface Claim {
  readonly cluster: string;
  /** Where the node's engine is; empty if the environment chooses it. */
  readonly host: string;
  /** Which setting chooses the port. */
  readonly setting: "clientPort" | "routePort" | "monitorPort" | Listener["setting"];
  readonly node: string;
  readonly address: string;
  readonly port: number;
}

/** By the run's stack resource, the only thing that the clusters of one program share. */
const claims = new WeakMap<pulumi.Resource, Claim[]>();

/**
 * Refuses ports that another cluster of the same program uses. The engine can't tell while both are yet to be created.
 *
 * @throws pulumi.RunError
 */
export function claimPorts(name: string, plan: ClusterPlan): void {
  const stack = pulumi.runtime.getStackResource();
  if (!stack) return;
  const known = claims.get(stack) ?? [];
  const own = nodesOf(plan).flatMap((node) => claimsOf(node, name, plan));
  claims.set(stack, [...known, ...own]);
  for (const claim of own) {
    const rival = known.find((each) => each.port === claim.port && areOne(each, claim));
    if (!rival) continue;
    throw new pulumi.RunError(
      `${claim.setting}: ${claim.node} and ${rival.node} of ${rival.cluster} would both have port ${claim.port}.\nGive one of the clusters others, e.g. ${claim.setting}: ${nextFree(known)}.`,
    );
  }
}

function claimsOf(
  { name, engine, bindAddress, clientPort, routePort, monitorPort, listeners }: NodePlan,
  cluster: string,
  { monitorAddress }: ClusterPlan,
): Claim[] {
  const ports = [
    ["clientPort", bindAddress, clientPort],
    ["routePort", bindAddress, routePort],
    ["monitorPort", monitorAddress, monitorPort],
    ...listeners.map(({ setting, port }) => [setting, bindAddress, port] as const),
  ] as const;
  return ports.flatMap(([setting, address, port]) =>
    port === undefined
      ? []
      : [{ cluster, node: name, host: engine?.host ?? "", setting, address, port }],
  );
}

/** Whether two ports are on one machine, at addresses that overlap. */
function areOne(a: Claim, b: Claim): boolean {
  return a.host === b.host && overlap(a.address, b.address);
}

/** A port above all others, so that either cluster can grow. */
function nextFree(known: readonly Claim[]): number {
  return Math.max(...known.map(({ port }) => port)) + 1;
}
