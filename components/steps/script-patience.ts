import { PATIENCE_MS } from "../../lib/observed/waiting.ts";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import type { ManagerConnection } from "../../live/jetstream/connection.ts";

/**
 * The variables that tell scripts the `patience`. Empty for the default, so that stacks without the setting don't
 * change.
 */
export function scriptPatience({
  patience,
}: Pick<ClusterPlan, "patience">): Readonly<Record<string, string>> {
  return patience === PATIENCE_MS ? {} : { PATIENCE: String(patience) };
}

/** The same for the streams' provider. */
export function streamPatience({
  patience,
}: Pick<ClusterPlan, "patience">): Pick<ManagerConnection, "patience"> {
  return patience === PATIENCE_MS ? {} : { patience };
}
