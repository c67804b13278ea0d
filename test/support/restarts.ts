import type { Restarts } from "../../components/preflight/plan-restarts.ts";
import type { ClusterPlan } from "../../lib/plan/plan.ts";

/** The restarts of an `up` that restarts nothing. */
export function noRestarts({ waves }: ClusterPlan): Restarts {
  return {
    steps: waves,
    restarted: new Set(),
    former: { keys: new Set(), silent: new Set() },
  };
}
