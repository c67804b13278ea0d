import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";

interface Claim {
  readonly cluster: string;
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
  const own = nodesOf(plan).flatMap(({ name: node, clientPort, monitorPort, listeners }) => [
    { cluster: name, node, address: plan.bindAddress, port: clientPort },
    ...(monitorPort === undefined
      ? []
      : [{ cluster: name, node, address: plan.monitorAddress, port: monitorPort }]),
    ...listeners.map(({ port }) => ({ cluster: name, node, address: plan.bindAddress, port })),
  ]);
  claims.set(stack, [...known, ...own]);
  for (const claim of own) {
    const rival = known.find((each) => each.port === claim.port && areOne(each, claim));
    if (!rival) continue;
    throw new pulumi.RunError(
      `clientPort: ${claim.node} and ${rival.node} of ${rival.cluster} would both have port ${claim.port}.\nGive one of the clusters others, e.g. clientPort: ${nextFree(known)}.`,
    );
  }
}

/** Whether two addresses overlap: `0.0.0.0` is every address. */
function areOne(a: Claim, b: Claim): boolean {
  return a.address === b.address || [a.address, b.address].includes("0.0.0.0");
}

/** A port above all others, so that either cluster can grow. */
function nextFree(known: readonly Claim[]): number {
  return Math.max(...known.map(({ port }) => port)) + 1;
}
