import fc from "fast-check";
import type { Shape } from "../../lib/topology/shape.ts";

const REGIONS = Array.from({ length: 10 }, (_, index) => `rg${index + 1}`);
const ZONES = Array.from({ length: 10 }, (_, index) => `az${index + 1}`);

/** Zones of one region: the first of a row, or any. */
function zones(most: number): fc.Arbitrary<readonly string[]> {
  return fc.oneof(
    fc.integer({ min: 1, max: most }).map((count) => ZONES.slice(0, count)),
    fc.shuffledSubarray(ZONES, { minLength: 1, maxLength: most }),
  );
}

/** Shapes with as many regions, and zones in each, at most; alike or not. */
export function shapesUpTo(regions: number, zonesEach: number): fc.Arbitrary<Shape> {
  const nodes = fc.integer({ min: 1, max: 3 });
  const names = fc.integer({ min: 1, max: regions }).map((count) => REGIONS.slice(0, count));
  const alike = fc
    .tuple(names, zones(zonesEach), nodes)
    .map(([names, zones, nodes]) => names.map((name) => ({ name, zones, nodes })));
  const unlike = names.chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({ name: fc.constant(name), zones: zones(zonesEach), nodes }),
      ),
    ),
  );
  return fc.oneof(alike, unlike).map((regions) =>
    regions.map(({ name, zones, nodes }) => ({
      name,
      zones: zones.map((zone) => ({ name: zone, nodes })),
    })),
  );
}

export const shapes = shapesUpTo(10, 10);

/** The settings that have a shape. */
export function settingsFor(shape: Shape): object {
  return {
    regions: shape.map(({ name }) => name),
    availabilityZones: Object.fromEntries(
      shape.map(({ name, zones }) => [name, zones.map((zone) => zone.name)]),
    ),
    nodesPerZone: Object.fromEntries(shape.map(({ name, zones }) => [name, zones[0]?.nodes ?? 1])),
  };
}
