import fc from "fast-check";
import { type ClusterDraft, draftCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { type Shape, zonePath } from "../../lib/topology/shape.ts";
import { placeNodes } from "../../lib/topology/topology.ts";
import { settingsFor, shapesUpTo } from "./shapes.ts";

/** A cluster whose regions need not be alike, of two to nine nodes, with tags of their own and witnesses. */
export interface Estate {
  readonly regions: readonly string[];
  readonly settings: object;
}

const shapes = shapesUpTo(4, 4).filter((shape) => {
  const nodes = zonesOf(shape).reduce((sum, zone) => sum + zone.nodes, 0);
  return nodes > 1 && nodes <= 9;
});

/** @param uniqueTag the setting. */
export function estates(uniqueTag: string): fc.Arbitrary<Estate> {
  return shapes.chain((shape) => {
    const regions = shape.map(({ name }) => name);
    const nodes = placeNodes(shape);
    const rack = fc.constantFrom("1", "2", "3", "4").map((value) => [`rack:${value}`]);
    const paths = nodes.map(({ region, zone }) => zonePath(region, zone));
    const parts = {
      racks: fc.array(rack, { minLength: nodes.length, maxLength: nodes.length }),
      withDisks: fc.subarray(regions),
      witnesses: fc.subarray(paths.slice(1), { maxLength: 1 }),
    };
    return fc.record(parts).map(({ racks, withDisks, witnesses }) => ({
      regions,
      settings: {
        ...settingsFor(shape),
        uniqueTag,
        witnesses: zonesOf(shape).length > 1 ? witnesses : [],
        serverTags: {
          ...Object.fromEntries(nodes.map(({ name }, index) => [name, racks[index]])),
          ...Object.fromEntries(withDisks.map((region) => [region, ["ssd"]])),
        },
      },
    }));
  });
}

function zonesOf(shape: Shape): Shape[number]["zones"] {
  return shape.flatMap(({ zones }) => zones);
}

/** How many replicas each of some regions has. */
export type Counts = Readonly<Record<string, number>>;

/** Numbers of replicas by region, five in all at most. */
export function countsIn({ regions }: Estate): fc.Arbitrary<Counts> {
  const places = fc.array(fc.constantFrom(...regions), { minLength: 1, maxLength: 5 });
  return places.map((names) =>
    Object.fromEntries(
      [...Map.groupBy(names, (name) => name)].map(([name, { length }]) => [name, length]),
    ),
  );
}

/** The plan of a cluster with streams across regions, one for each of the counts, in this order. */
export function draftWith({ settings }: Estate, counts: readonly Counts[]): ClusterDraft {
  const streams = counts.map((across, index) => {
    const replicas = Object.values(across).reduce((sum, count) => sum + count, 0);
    return [`S${index}`, { replicas, placement: { across } }];
  });
  const raw = { ...settings, streams: Object.fromEntries(streams) };
  return draftCluster(parseSettings(raw, { project: "nats-regions", stack: "dev" }));
}
