import type fc from "fast-check";
import { draftCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { settingsFor, shapesUpTo } from "./shapes.ts";

/** Settings of clusters whose regions need not be alike, of two to nine nodes. */
export const estates: fc.Arbitrary<object> = shapesUpTo(4, 4)
  .filter((shape) => {
    const nodes = shape.flatMap(({ zones }) => zones).reduce((sum, zone) => sum + zone.nodes, 0);
    return nodes > 1 && nodes <= 9;
  })
  .map(settingsFor);

/** The tags that the plan of some settings gives to each node. */
export function plannedTags(settings: object): readonly (readonly string[])[] {
  const parsed = parseSettings(settings, { project: "nats-regions", stack: "dev" });
  return draftCluster(parsed).fleet.servers.map(({ tags }) => tags);
}
