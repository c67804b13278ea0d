/**
 * The planner as a library: it turns settings into a plan, and predicts where nats-server puts a stream's replicas.
 * It is pure, without network, Pulumi or Docker.
 */
export { PlanError, type Problem } from "./base/errors.ts";
export {
  type Fleet,
  type NearMiss,
  type Placement,
  type PlacementRequest,
  placementWarnings,
  plannedHosts,
  planPlacement,
  type Server,
} from "./placement/placement.ts";
export {
  judgeLosses,
  type Loss,
  type LossOutcome,
  lossesOf,
  type Outcome,
  type Survivability,
} from "./placement/survivability.ts";
export {
  type ClusterPlan,
  type NodePlan,
  nodesOf,
  planCluster,
  type RegionPlan,
  type StreamPlan,
  type ZonePlan,
} from "./plan/plan.ts";
export { parseSettings, type Settings } from "./plan/settings.ts";
