import fc from "fast-check";
import { draftCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { type Shape, zonePath } from "../../lib/topology/shape.ts";
import { placeNodes } from "../../lib/topology/topology.ts";
import { settingsFor, shapesUpTo } from "./shapes.ts";

/** Settings of clusters whose regions need not be alike, of two to nine nodes, with tags of their own and witnesses. */
export const estates: fc.Arbitrary<object> = shapesUpTo(4, 4)
  .filter((shape) => {
    const nodes = shape.flatMap(({ zones }) => zones).reduce((sum, zone) => sum + zone.nodes, 0);
    return nodes > 1 && nodes <= 9;
  })
  .chain((shape) => {
    const nodes = placeNodes(shape);
    const racks = fc.constantFrom("1", "2", "3", "4").map((rack) => [`rack:${rack}`]);
    return fc
      .tuple(
        fc.array(racks, { minLength: nodes.length, maxLength: nodes.length }),
        fc.subarray(shape.map(({ name }) => name)),
        fc.subarray(nodes.map(({ region, zone }) => zonePath(region, zone)).slice(1), {
          maxLength: 1,
        }),
      )
      .map(([racks, withDisks, witnesses]) => ({
        ...settingsFor(shape),
        witnesses: zoneCount(shape) > 1 ? witnesses : [],
        serverTags: {
          ...Object.fromEntries(nodes.map(({ name }, index) => [name, racks[index]])),
          ...Object.fromEntries(withDisks.map((region) => [region, ["ssd"]])),
        },
      }));
  });

function zoneCount(shape: Shape): number {
  return shape.flatMap(({ zones }) => zones).length;
}

/** The tags that the plan of some settings gives to each node. */
export function plannedTags(settings: object): readonly (readonly string[])[] {
  const parsed = parseSettings(settings, { project: "nats-regions", stack: "dev" });
  return draftCluster(parsed).fleet.servers.map(({ tags }) => tags);
}
