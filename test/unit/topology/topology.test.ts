import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Shape, uniformShape } from "../../../lib/topology/shape.ts";
import { placeNodes } from "../../../lib/topology/topology.ts";
import { shapes, shapesUpTo } from "../../support/shapes.ts";

const seed = uniformShape(["rg1", "rg2", "rg3"], ["az1", "az2", "az3"]);

function shape(regions: number, zones: number): Shape {
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  return uniformShape(names("rg", regions), names("az", zones));
}

/** Three regions that aren't alike; `b` is a zone of two of them. */
const UNEVEN: Shape = [
  { name: "us", zones: ["a", "b", "c"].map((name) => ({ name, nodes: 2 })) },
  { name: "eu", zones: ["b", "y"].map((name) => ({ name, nodes: 1 })) },
  { name: "tie", zones: [{ name: "t", nodes: 1 }] },
];

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

  test("gives nodes of regions that aren't alike their tags and ports", () => {
    const nodes = placeNodes(UNEVEN, ["xr:b", "xr:ay", "xr:bb", "xr:y"]);
    const shown = nodes.map(
      ({ name, portOffset, serverTags }) => `${portOffset} ${name}: ${serverTags.join(", ")}`,
    );
    expect(shown).toEqual([
      "0 us-a: rg:us, az:a, xr:abt, xr:ay, xr:ayt",
      "100 us-a-2: rg:us, az:a, xr:abt, xr:ay, xr:ayt",
      "1 us-b: rg:us, az:b, xr:b, xr:bb, xr:byt",
      "101 us-b-2: rg:us, az:b, xr:b, xr:bb, xr:byt",
      "2 us-c: rg:us, az:c, xr:cbt, xr:cyt",
      "102 us-c-2: rg:us, az:c, xr:cbt, xr:cyt",
      "3 eu-b: rg:eu, az:b, xr:abt, xr:bb, xr:cbt",
      "4 eu-y: rg:eu, az:y, xr:ay, xr:ayt, xr:byt, xr:cyt",
      "6 tie-t: rg:tie, az:t, xr:abt, xr:ayt, xr:byt, xr:cbt, xr:cyt",
    ]);
  });

  test("gives witnesses a tag that keeps streams away, and no part in combinations", () => {
    const shape: Shape = [
      { name: "eu", zones: ["x", "y"].map((name) => ({ name, nodes: 1 })) },
      { name: "tie", zones: [{ name: "t", nodes: 1, witness: true }] },
      {
        name: "us",
        zones: [
          { name: "a", nodes: 1 },
          { name: "b", nodes: 1, witness: true },
        ],
      },
    ];
    const nodes = placeNodes(shape, ["xr:xta", "xr:x_b"], { tie: ["ssd"] });
    expect(nodes.map(({ name, serverTags }) => `${name}: ${serverTags.join(", ")}`)).toEqual([
      "eu-x: rg:eu, az:x, xr:x_a",
      "eu-y: rg:eu, az:y, xr:y_a",
      "tie-t: rg:tie, az:t, ssd, !jetstream",
      "us-a: rg:us, az:a, xr:x_a, xr:y_a",
      "us-b: rg:us, az:b, !jetstream",
    ]);
    expect(nodes.filter(({ witness }) => witness).map(({ name }) => name)).toEqual([
      "tie-t",
      "us-b",
    ]);
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

  test("every cross-region tag stands in one zone per region, in zones that differ", () => {
    fc.assert(
      fc.property(shapesUpTo(4, 4), (anyShape) => {
        const nodes = placeNodes(anyShape);
        const byTag = Map.groupBy(
          nodes.flatMap((node) => node.serverTags.map((tag) => ({ tag, node }))),
          ({ tag }) => tag,
        );
        const crossRegion = [...byTag].filter(([tag]) => tag.startsWith("xr:"));
        const count = countChoices(anyShape.map(({ zones }) => zones.map(({ name }) => name)));
        const isRendered = anyShape.length > 1 && count <= 64;
        expect(crossRegion).toHaveLength(isRendered ? count : 0);
        for (const [, carriers] of crossRegion) {
          const places = new Set(carriers.map(({ node }) => `${node.region}-${node.zone}`));
          expect(places.size).toBe(anyShape.length);
          expect(new Set(carriers.map(({ node }) => node.region)).size).toBe(anyShape.length);
          expect(new Set(carriers.map(({ node }) => node.zone)).size).toBe(anyShape.length);
        }
      }),
    );
  });

  test("names, tags and ports never collide, and growth changes none of them", () => {
    fc.assert(
      fc.property(shapes, shapes, (large, sizes) => {
        const nodes = new Map(placeNodes(large).map((node) => [node.name, node]));
        const offsets = new Set([...nodes.values()].map(({ portOffset }) => portOffset));
        expect(offsets.size).toBe(large.flatMap(nodesIn).length);
        expect(nodes.size).toBe(offsets.size);
        for (const node of placeNodes(beginningOf(large, sizes))) {
          const after = nodes.get(node.name);
          expect(after?.portOffset).toBe(node.portOffset);
          expect(after?.serverTags.slice(0, 2)).toEqual(node.serverTags.slice(0, 2));
        }
      }),
    );
  });
});

/** The first regions of a shape, with the first zones and nodes of each: as many as another shape has. */
function beginningOf(large: Shape, sizes: Shape): Shape {
  return large.slice(0, sizes.length).map((region, index) => ({
    ...region,
    zones: region.zones.slice(0, sizes[index]?.zones.length).map((zone, place) => ({
      ...zone,
      nodes: Math.min(zone.nodes, sizes[index]?.zones[place]?.nodes ?? 1),
    })),
  }));
}

function nodesIn({ zones }: Shape[number]): unknown[] {
  return zones.flatMap(({ nodes }) => Array.from({ length: nodes }));
}

/** How many choices there are of a zone for each region, none twice. */
function countChoices([zones, ...others]: readonly (readonly string[])[]): number {
  if (zones === undefined) return 1;
  const without = (zone: string) => others.map((each) => each.filter((name) => name !== zone));
  return zones.reduce((sum, zone) => sum + countChoices(without(zone)), 0);
}
