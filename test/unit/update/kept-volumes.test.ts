import { describe, expect, test } from "vitest";
import { describeKeptVolumes } from "../../../lib/update/kept-volumes.ts";

const returning = ["rg1-az1", "rg1-az2"].map((node) => ({ node, dataVolume: `dev-${node}-data` }));

describe("data volumes that were kept", () => {
  test("are nobody's concern where no node comes back to one", () => {
    const others = ["dev-rg2-az1-data"];
    expect(describeKeptVolumes({ returning: [], others, isNew: true })).toEqual([]);
  });

  test("are told of where all of them come back", () => {
    expect(describeKeptVolumes({ returning, others: [], isNew: true })).toEqual([
      "rg1-az1, rg1-az2 come back to the data volumes that were kept.",
    ]);
  });

  test("are told of where they say of which meta group they are", () => {
    const group = { size: 3, ids: ["a", "b", "c"] };
    const judged = {
      returning: returning.map((each) => ({ ...each, group, hasContainer: false })),
      planned: [],
      others: [],
      isNew: true,
    };
    const others = ["dev-rg2-az1-data"];
    expect(describeKeptVolumes({ returning, others, isNew: true, judged })).toEqual([
      "rg1-az1, rg1-az2 come back to the data volumes that were kept.",
      "Most of the 3 members of their meta group begin empty: it has no leader before all 3 run.",
    ]);
  });

  test("may be of another cluster than the one that their nodes come to", () => {
    const [told] = describeKeptVolumes({
      returning: returning.slice(0, 1),
      others: [],
      isNew: false,
    });
    expect(told).toMatch(
      /^rg1-az1 comes back to .* created again since, .*: docker volume rm dev-rg1-az1-data$/,
    );
  });

  test.each([
    [1, "a meta group of 3 waits for all of them"],
    [2, "a meta group of 4 has no leader without 3 of them, and nothing begins"],
  ])("don't make a cluster without %i others, which is told with the way out", (count, fate) => {
    const others = ["dev-rg2-az1-data", "dev-rg2-az2-data"].slice(0, count);
    const [told] = describeKeptVolumes({ returning, others, isNew: true });
    expect(told).toContain(fate);
    expect(told).toContain(
      `docker volume rm dev-rg1-az1-data dev-rg1-az2-data ${others.join(" ")}`,
    );
  });
});
