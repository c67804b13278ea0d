import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  crossRegionChoices,
  crossRegionTag,
  regionTag,
  zoneTag,
} from "../../../lib/topology/tags.ts";

test.each([
  ["rg1", "rg:1"],
  ["rg-12", "rg:12"],
  ["us-east", "rg:us-east"],
  ["rg", "rg:rg"],
])("region %s is tagged %s", (region, tag) => {
  expect(regionTag(region)).toBe(tag);
});

test.each([
  ["az3", "az:3"],
  ["b", "az:b"],
])("zone %s is tagged %s", (zone, tag) => {
  expect(zoneTag(zone)).toBe(tag);
});

describe("crossRegionTag", () => {
  test.each([
    [[["az1"], ["az2"], ["az3"]], "xr:123"],
    [[["az1"], ["az12"], ["az3"]], "xr:1.12.3"],
    [[["az1"], [], ["az3"]], "xr:1_3"],
    [[["az1"], ["az2"], [], []], "xr:12"],
    [[[], ["az10"]], "xr:_.10"],
    [[["az12"], [], []], "xr:12._"],
    [[["a"], ["b"]], "xr:ab"],
    [[["a", "b"], ["x"]], "xr:a+b.x"],
    [[["az1", "az2"]], "xr:1+2._"],
    [[["a"], [], ["x", "y"]], "xr:a._.x+y"],
  ] as const)("%j is %s", (choice, tag) => {
    expect(crossRegionTag(choice)).toBe(tag);
  });

  test("tells any two choices apart", () => {
    const zone = fc.integer({ min: 1, max: 120 }).map((number) => `az${number}`);
    const choice = fc.array(fc.uniqueArray(zone, { maxLength: 2 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(choice, choice, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(crossRegionTag(a)).not.toBe(crossRegionTag(b));
      }),
    );
  });
});

test("there are A!/(A-R)! choices, no zone twice in any, up to 64", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      (regions, zones) => {
        const names = Array.from({ length: zones }, (_, index) => `az${index + 1}`);
        const choices = crossRegionChoices(Array.from({ length: regions }, () => names));
        const all = permutations(zones, regions);
        expect(choices).toHaveLength(regions === 1 || all > 64 ? 0 : all);
        for (const choice of choices) expect(new Set(choice.flat()).size).toBe(regions);
      },
    ),
  );
});

test("zones whose names differ, but not their tags, aren't chosen together", () => {
  const choices = crossRegionChoices([["az1", "b"], ["az-1"]]);
  expect(choices).toEqual([[["b"], ["az-1"]]]);
});

function permutations(of: number, length: number): number {
  if (of < length) return 0;
  return length === 0 ? 1 : of * permutations(of - 1, length - 1);
}
