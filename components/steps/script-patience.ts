import { PATIENCE_MS } from "../../lib/observed/waiting.ts";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import type { ManagerConnection } from "../../live/jetstream/connection.ts";

/** What the scripts that wait for nodes are told where `patience` is set: nothing new for a stack that doesn't set it. */
export function scriptPatience({
  patience,
}: Pick<ClusterPlan, "patience">): Readonly<Record<string, string>> {
  return patience === PATIENCE_MS ? {} : { PATIENCE: String(patience) };
}

/** The same for what waits for streams. */
export function streamPatience({
  patience,
}: Pick<ClusterPlan, "patience">): Pick<ManagerConnection, "patience"> {
  return patience === PATIENCE_MS ? {} : { patience };
}
