import { describe, expect, it } from "vitest";
import { findMisplacement, hostsApart } from "../../../lib/placement/in-place.ts";
import { SEED_FLEET } from "../../support/seed.ts";

describe("hostsApart", () => {
  it("groups hosts that may have one replica together", () => {
    const groups = [1, 2, 3].map((zone) => [1, 2, 3].map((rg) => `rg${rg}-az${zone}`));
    expect(hostsApart({ replicas: 3, tags: [] }, SEED_FLEET)).toEqual(groups);
  });

  it.each([
    ["one replica", { replicas: 1, tags: [] }, SEED_FLEET],
    ["one host in each zone", { replicas: 3, tags: ["rg:2"] }, SEED_FLEET],
    ["no unique tag", { replicas: 3, tags: [] }, { ...SEED_FLEET, uniqueTag: "" }],
    ["a zone of the placement's own", { replicas: 3, tags: ["az:1"] }, SEED_FLEET],
  ])("groups nothing with %s", (_, request, fleet) => {
    expect(hostsApart(request, fleet)).toEqual([]);
  });
});

describe("findMisplacement", () => {
  const place = { hosts: ["a", "b", "c", "d"], apart: [["a", "b"]] };

  it.each([
    [["a", "c", "d"], undefined],
    [["a"], undefined],
    [["a", "e"], { misplaced: ["e"], crowded: [] }],
    [["a", "b", "c"], { misplaced: [], crowded: ["a", "b"] }],
  ])("%j", (replicas, misplacement) => {
    expect(findMisplacement(replicas, place)).toEqual(misplacement);
  });

  it("finds none where nobody knows the hosts, but those that are apart", () => {
    expect(findMisplacement(["x", "y"], { hosts: [] })).toBeUndefined();
    expect(findMisplacement(["a", "b"], { hosts: [], apart: [["a", "b"]] })).toMatchObject({
      crowded: ["a", "b"],
    });
  });
});
