import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placementRequest, planSeating } from "../../../lib/placement/placement.ts";
import { survives } from "../../../lib/placement/survivability.ts";
import { planWaves } from "../../../lib/placement/waves.ts";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import { uniformShape } from "../../../lib/topology/shape.ts";
import { placeNodes } from "../../../lib/topology/topology.ts";
import { SEED_FLEET } from "../../support/seed.ts";
import { shapes } from "../../support/shapes.ts";

const zoneNames = ["az1", "az2", "az3"];
const seed = placeNodes(uniformShape(["rg1", "rg2", "rg3"], zoneNames));
const byZone = { rollout: "zone", uniqueTag: "az:" } as const;

function seatingOf(config: Partial<StreamConfig>) {
  return planSeating(placementRequest({ name: "S", ...config }), SEED_FLEET);
}

const namesOf = (waves: readonly (readonly { readonly name: string }[])[]) =>
  waves.map((wave) => wave.map(({ name }) => name));

describe("planWaves", () => {
  test("takes the seed zone by zone", () => {
    const streams = [
      seatingOf({ num_replicas: 3, placement: { tags: ["rg:2"] } }),
      seatingOf({ num_replicas: 3, placement: { tags: ["xr:123"] } }),
      seatingOf({ num_replicas: 3 }),
    ];
    expect(namesOf(planWaves(seed, byZone, streams))).toEqual([
      ["rg1-az1", "rg2-az1", "rg3-az1"],
      ["rg1-az2", "rg2-az2", "rg3-az2"],
      ["rg1-az3", "rg2-az3", "rg3-az3"],
    ]);
  });

  test("goes node by node through a zone in which a stream has two replicas", () => {
    // A tag with the unique prefix switches uniqueness off.
    const streams = [seatingOf({ num_replicas: 3, placement: { tags: ["az:2"] } })];
    expect(namesOf(planWaves(seed, byZone, streams))).toEqual([
      ["rg1-az1", "rg2-az1", "rg3-az1"],
      ["rg1-az2"],
      ["rg2-az2"],
      ["rg3-az2"],
      ["rg1-az3", "rg2-az3", "rg3-az3"],
    ]);
  });

  test("isn't held up by a stream that no order could save", () => {
    const streams = [1, 2].map((num_replicas) => seatingOf({ num_replicas }));
    expect(planWaves(seed, byZone, streams)).toHaveLength(3);
  });

  test("goes node by node where uniqueness doesn't keep replicas apart by zone, and where told", () => {
    const nine = Array(9).fill(1);
    const sizes = (rollout: "zone" | "node", uniqueTag: string) =>
      planWaves(seed, { rollout, uniqueTag }).map((wave) => wave.length);
    expect(sizes("zone", "rg:")).toEqual(nine);
    expect(sizes("node", "az:")).toEqual(nine);
  });

  test("takes all at once where told", () => {
    expect(planWaves(seed, { ...byZone, rollout: "all" })).toEqual([seed]);
  });

  test("never takes the majority of the meta group, nor two zones at once", () => {
    fc.assert(
      fc.property(shapes, (anyShape) => {
        const nodes = placeNodes(anyShape);
        const waves = planWaves(nodes, byZone);
        expect(namesOf(waves).flat().sort()).toEqual(nodes.map(({ name }) => name).sort());
        for (const wave of waves) {
          expect(new Set(wave.map(({ zone }) => zone)).size).toBe(1);
          if (nodes.length > 2)
            expect(nodes.length - wave.length).toBeGreaterThan(nodes.length / 2);
        }
      }),
    );
  });

  test("never takes the majority of a stream that gets over the loss of any one node", () => {
    const tag = fc.constantFrom("rg:1", "rg:2", "az:1", "az:3", "xr:123", "!rg:3", "!az:2");
    const tags = fc.uniqueArray(tag, { maxLength: 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(tags, fc.constantFrom(1, 2, 3, 5))), (placements) => {
        const streams = placements.map(([tags, num_replicas]) =>
          seatingOf({ num_replicas, placement: { tags } }),
        );
        const waves = planWaves(seed, byZone, streams);
        const lasting = streams.filter((each) => seed.every(({ name }) => survives(each, [name])));
        for (const names of namesOf(waves)) {
          for (const stream of lasting) expect(survives(stream, names)).toBe(true);
        }
      }),
    );
  });
});
