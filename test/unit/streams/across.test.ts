import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planSeating } from "../../../lib/placement/placement.ts";
import { draftCluster, nodesOf } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { countsIn, draftWith, estates } from "../../support/estates.ts";

const UNEVEN = {
  regions: ["us", "eu"],
  availabilityZones: { us: ["a", "b", "c"], eu: ["x", "y"] },
};
const ALIKE = { regions: ["us", "eu"], availabilityZones: ["a", "b", "c"] };

function draft(settings: object, across: object, replicas = 3) {
  const streams = { S: { replicas, placement: { across } } };
  const raw = { ...settings, streams };
  return draftCluster(parseSettings(raw, { project: "nats-regions", stack: "dev" }));
}

function place(settings: object, across: object, replicas?: number) {
  const [stream] = draft(settings, across, replicas).streams;
  return { tags: stream?.config.placement?.tags, placement: stream?.placement };
}

function problemsOf(settings: object, across: object, replicas?: number) {
  const [stream] = draft(settings, across, replicas).streams;
  return stream?.problems.map(({ path, message, fix }) => `${path}: ${message}; ${fix}`);
}

describe("numbers of zones by region", () => {
  test("are the first zones there, by a tag that their nodes alone have", () => {
    expect(place(UNEVEN, { us: 2, eu: 1 })).toEqual({
      tags: ["xr:a+b.x"],
      placement: { kind: "exact", hosts: ["us-a", "us-b", "eu-x"] },
    });
    const tagged = nodesOf(draft(UNEVEN, { us: 2, eu: 1 }))
      .filter(({ serverTags }) => serverTags.includes("xr:a+b.x"))
      .map(({ name }) => name);
    expect(tagged).toEqual(["us-a", "us-b", "eu-x"]);
  });

  test("are zones that all differ where regions have the same", () => {
    expect(place(ALIKE, { us: 2, eu: 1 }).tags).toEqual(["xr:a+b.c"]);
    expect(place(ALIKE, { us: 1, eu: 2 }).tags).toEqual(["xr:a.b+c"]);
    expect(place(ALIKE, { us: 1, eu: "a" }, 2).tags).toEqual(["xr:ba"]);
    expect(place(ALIKE, { eu: 2 }, 2).tags).toEqual(["xr:_.a+b"]);
  });

  test("leave witnesses out, and nodes of one zone to the servers", () => {
    const settings = { ...UNEVEN, witnesses: ["us-a"], nodesPerZone: { us: 2 } };
    expect(place(settings, { us: 2, eu: 1 })).toEqual({
      tags: ["xr:b+c.x"],
      placement: { kind: "choice", candidates: ["us-b", "us-b-2", "us-c", "us-c-2", "eu-x"] },
    });
  });

  test("go by the unique tag, whichever that is", () => {
    const serverTags = {
      "us-a": ["rack:1"],
      "us-b": ["rack:1"],
      "us-c": ["rack:2"],
      "eu-x": ["rack:2"],
      "eu-y": ["rack:3"],
    };
    const racks = { ...UNEVEN, uniqueTag: "rack:", serverTags };
    expect(place(racks, { us: 2, eu: 1 }).tags).toEqual(["xr:a+c.y"]);
    expect(place({ ...UNEVEN, uniqueTag: "none" }, { us: 2, eu: 1 }).tags).toEqual(["xr:a+b.x"]);
  });

  test("may be written as the tag, to have other zones", () => {
    const streams = { S: { replicas: 3, placement: { tags: ["xr:a+c.y"] } } };
    const { streams: drafts } = draftCluster(
      parseSettings({ ...UNEVEN, streams }, { project: "nats-regions", stack: "dev" }),
    );
    expect(drafts[0]?.placement).toEqual({ kind: "exact", hosts: ["us-a", "us-c", "eu-y"] });
  });

  test.each([
    [
      UNEVEN,
      { us: 2, eu: 1 },
      1,
      "streams.S.replicas: is 1, but placement.across has 3 in all; make both the same",
    ],
    [
      UNEVEN,
      { us: 1, eu: 4 },
      5,
      "streams.S.placement.across.eu: asks for 4 zones, of 2 that take streams (x, y); use 2 at most",
    ],
    [
      ALIKE,
      { us: 2, eu: 2 },
      4,
      'streams.S.placement.across: there are no such zones that have one "az:" tag each, and no two the same; use other numbers, or tags',
    ],
    [
      { ...UNEVEN, uniqueTag: "rg:" },
      { us: 2, eu: 1 },
      3,
      'streams.S.placement.across: there are no such zones that have one "rg:" tag each, and no two the same; use other numbers, or tags',
    ],
    [
      { ...UNEVEN, uniqueTag: "none", nodesPerZone: 2 },
      { us: 2, eu: 1 },
      3,
      "streams.S.placement.across: a zone with several nodes could get several replicas, as uniqueTag is none; set uniqueTag to az:",
    ],
    [
      UNEVEN,
      { us: 2, ap: 1 },
      3,
      'streams.S.placement.across: there is no region "ap"; use us or eu',
    ],
  ])("are refused: %j, %j of %i", (settings, across, replicas, problem) => {
    expect(problemsOf(settings, across, replicas)).toEqual([problem]);
  });

  test("leave nats-server no choice but as many replicas in each region", () => {
    let placed = 0;
    const cases = fc
      .constantFrom("az:", "rg:", "rack:", "none")
      .chain(estates)
      .chain((estate) => fc.tuple(fc.constant(estate), countsIn(estate)));
    fc.assert(
      fc.property(cases, ([estate, counts]) => {
        const plan = draftWith(estate, [counts]);
        const [stream] = plan.streams;
        if (!stream || stream.problems.length > 0) return;
        placed += 1;
        const replicas = stream.config.num_replicas ?? 1;
        const request = { replicas, tags: stream.config.placement?.tags ?? [] };
        const { seats } = planSeating(request, plan.fleet);
        expect(seats).toHaveLength(replicas);
        const regionOf = new Map(nodesOf(plan).map(({ name, region }) => [name, region]));
        const regions = seats.map((seat) => {
          const [region, ...others] = new Set(seat.map((name) => regionOf.get(name)));
          expect(others).toEqual([]);
          return region;
        });
        for (const [name, count] of Object.entries(counts)) {
          expect(regions.filter((region) => region === name)).toHaveLength(count);
        }
      }),
      { numRuns: 300 },
    );
    expect(placed).toBeGreaterThan(30);
  });
});
