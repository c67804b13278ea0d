import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeNodes, type Shape } from "../../../lib/topology/topology.ts";

const seed: Shape = {
  regions: ["rg1", "rg2", "rg3"],
  zones: ["az1", "az2", "az3"],
  nodesPerZone: 1,
};

const shapes = fc
  .record({
    regions: fc.integer({ min: 1, max: 10 }),
    zones: fc.integer({ min: 1, max: 10 }),
    nodesPerZone: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ regions, zones, nodesPerZone }) => shape(regions, zones, nodesPerZone));

function shape(regions: number, zones: number, nodesPerZone = 1): Shape {
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  return { regions: names("rg", regions), zones: names("az", zones), nodesPerZone };
}

describe("placeNodes", () => {
  test("gives the seed's nine nodes their tags and ports", () => {
    const nodes = placeNodes(seed);
    expect(nodes.map(({ name, serverTags }) => `${name}: ${serverTags.join(", ")}`)).toEqual([
      "rg1-az1: rg:1, az:1, xr:123, xr:132",
      "rg1-az2: rg:1, az:2, xr:213, xr:231",
      "rg1-az3: rg:1, az:3, xr:312, xr:321",
      "rg2-az1: rg:2, az:1, xr:213, xr:312",
      "rg2-az2: rg:2, az:2, xr:123, xr:321",
      "rg2-az3: rg:2, az:3, xr:132, xr:231",
      "rg3-az1: rg:3, az:1, xr:231, xr:321",
      "rg3-az2: rg:3, az:2, xr:132, xr:312",
      "rg3-az3: rg:3, az:3, xr:123, xr:213",
    ]);
    expect(nodes.map(({ portOffset }) => portOffset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("renders only what streams ask for where the combinations are too many", () => {
    const nodes = placeNodes(shape(5, 5), ["xr:12345", "xr:1_3", "xr:99", "rg:1"]);
    const tagged = nodes.filter(({ serverTags }) =>
      serverTags.some((tag) => tag.startsWith("xr:")),
    );
    expect(tagged.map(({ name, serverTags }) => [name, ...serverTags.slice(2)])).toEqual([
      ["rg1-az1", "xr:12345", "xr:1_3"],
      ["rg2-az2", "xr:12345"],
      ["rg3-az3", "xr:12345", "xr:1_3"],
      ["rg4-az4", "xr:12345"],
      ["rg5-az5", "xr:12345"],
    ]);
  });

  test("every cross-region tag stands on one node per region, in different zones", () => {
    const small = fc.tuple(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 2, max: 4 }));
    fc.assert(
      fc.property(small, ([regions, zones]) => {
        const nodes = placeNodes(shape(regions, zones));
        const byTag = Map.groupBy(
          nodes.flatMap((node) => node.serverTags.map((tag) => ({ tag, node }))),
          ({ tag }) => tag,
        );
        const crossRegion = [...byTag].filter(([tag]) => tag.startsWith("xr:"));
        expect(crossRegion).toHaveLength(zones < regions ? 0 : permutations(zones, regions));
        for (const [, carriers] of crossRegion) {
          expect(new Set(carriers.map(({ node }) => node.region)).size).toBe(regions);
          expect(new Set(carriers.map(({ node }) => node.zone)).size).toBe(regions);
          expect(carriers).toHaveLength(regions);
        }
      }),
    );
  });

  test("names, tags and ports never collide, and growth changes none of them", () => {
    fc.assert(
      fc.property(shapes, fc.nat(2), fc.nat(2), (small, moreRegions, moreZones) => {
        const large = shape(
          Math.min(10, small.regions.length + moreRegions),
          Math.min(10, small.zones.length + moreZones),
          small.nodesPerZone,
        );
        const grown = new Map(placeNodes(large).map((node) => [node.name, node]));
        expect(new Set([...grown.values()].map(({ portOffset }) => portOffset)).size).toBe(
          grown.size,
        );
        for (const node of placeNodes(small)) {
          const after = grown.get(node.name);
          expect(after?.portOffset).toBe(node.portOffset);
          expect(after?.serverTags.slice(0, 2)).toEqual(node.serverTags.slice(0, 2));
        }
      }),
    );
  });
});

function permutations(of: number, length: number): number {
  return length === 0 ? 1 : of * permutations(of - 1, length - 1);
}
