import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";

interface Claim {
  readonly cluster: string;
  readonly node: string;
  readonly address: string;
  readonly port: number;
}

/** By the stack of a run: clusters of one program know of each other by nothing else. */
const claims = new WeakMap<pulumi.Resource, Claim[]>();

/**
 * Refuses ports that another cluster of the program is to have. The engine has them free where both are yet to be made.
 *
 * @throws pulumi.RunError
 */
export function claimPorts(name: string, plan: ClusterPlan): void {
  const stack = pulumi.runtime.getStackResource();
  if (!stack) return;
  const known = claims.get(stack) ?? [];
  const own = nodesOf(plan).flatMap(({ name: node, clientPort, monitorPort }) => [
    { cluster: name, node, address: plan.bindAddress, port: clientPort },
    { cluster: name, node, address: plan.monitorAddress, port: monitorPort },
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

/** Whether two addresses are the same one: `0.0.0.0` is any. */
function areOne(a: Claim, b: Claim): boolean {
  return a.address === b.address || [a.address, b.address].includes("0.0.0.0");
}

/** Far from those of nodes that may come. */
function nextFree(known: readonly Claim[]): number {
  return Math.max(...known.map(({ port }) => port)) + 1;
}
