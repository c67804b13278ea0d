import type { ClusterPlan } from "../lib/plan.ts";
import { PATIENCE_MS } from "../lib/waiting.ts";

/** What the scripts that wait for nodes are told where `patience` is set: nothing new for a stack that doesn't set it. */
export function scriptPatience({
  patience,
}: Pick<ClusterPlan, "patience">): Readonly<Record<string, string>> {
  return patience === PATIENCE_MS ? {} : { PATIENCE: String(patience) };
}
