import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Fleet,
  type Placement,
  type PlacementRequest,
  placementWarnings,
  planPlacement,
  type Server,
} from "../../../lib/placement/placement.ts";
import { SEED_FLEET, SEED_SERVERS } from "../../support/seed.ts";

function plan(tags: readonly string[], replicas: number, fleet: Fleet = SEED_FLEET): Placement {
  return planPlacement({ tags, replicas }, fleet);
}

function withTags(name: string, tags: readonly string[]): Fleet {
  const servers = SEED_SERVERS.map((server) =>
    server.name === name ? { ...server, tags } : server,
  );
  return { ...SEED_FLEET, servers };
}

const region = (number: number) => [1, 2, 3].map((zone) => `rg${number}-az${zone}`);
const zone = (number: number) => [1, 2, 3].map((rg) => `rg${rg}-az${number}`);
const all = SEED_SERVERS.map(({ name }) => name);

describe("on the seed's nine servers", () => {
  it.each([
    { tags: ["xr:123"], replicas: 3, hosts: ["rg1-az1", "rg2-az2", "rg3-az3"] },
    { tags: ["rg:2"], replicas: 3, hosts: region(2) },
    { tags: ["RG:2"], replicas: 3, hosts: region(2) },
    { tags: [" rg:1 "], replicas: 3, hosts: region(1) },
    { tags: ["rg:1", "az:1"], replicas: 1, hosts: ["rg1-az1"] },
    { tags: ["az:1"], replicas: 3, hosts: zone(1) },
    { tags: ["!rg:1", "!rg:2"], replicas: 3, hosts: region(3) },
  ])("$tags x $replicas is exact", ({ tags, replicas, hosts }) => {
    expect(plan(tags, replicas)).toEqual({ kind: "exact", hosts });
  });

  it.each([
    { tags: ["rg:2"], replicas: 1, candidates: region(2) },
    { tags: ["xr:123"], replicas: 1, candidates: ["rg1-az1", "rg2-az2", "rg3-az3"] },
    { tags: [], replicas: 3, candidates: all },
    { tags: ["!rg:1"], replicas: 3, candidates: [...region(2), ...region(3)] },
    { tags: ["!az:1"], replicas: 5, candidates: all.filter((name) => !name.endsWith("az1")) },
    { tags: ["AZ:1"], replicas: 1, candidates: zone(1) },
  ])("$tags x $replicas leaves the server a choice", ({ tags, replicas, candidates }) => {
    expect(plan(tags, replicas)).toEqual({ kind: "choice", candidates });
  });

  // The server's own words, as tried on 2.15.2.
  it.each([
    { tags: ["rg:1"], replicas: 4, error: "tags not matched ['rg:1']" },
    { tags: [], replicas: 5, error: "server tag not unique" },
    { tags: ["xr:123"], replicas: 5, error: "tags not matched ['xr:123']" },
    { tags: ["!rg:1"], replicas: 5, error: "server tag not unique, tags excluded ['rg:1']" },
    { tags: ["AZ:1"], replicas: 3, error: "server tag not unique, tags not matched ['AZ:1']" },
    { tags: ["rg:1", "az:1"], replicas: 2, error: "tags not matched ['rg:1', 'az:1']" },
    { tags: ["rg:9"], replicas: 1, error: "tags not matched ['rg:9']" },
    { tags: [""], replicas: 1, error: "tags not matched ['']" },
  ])("$tags x $replicas can't be", ({ tags, replicas, error }) => {
    expect(plan(tags, replicas)).toMatchObject({
      kind: "impossible",
      serverError: `no suitable peers for placement, ${error}`,
    });
  });

  it("takes another cluster's servers for none, without a reason", () => {
    expect(planPlacement({ tags: [], replicas: 1, cluster: "C1" }, SEED_FLEET)).toMatchObject({
      serverError: "no suitable peers for placement",
      summary: 'needs 1 server, but no server is in cluster "C1" (clusters: c1)',
    });
  });

  it("leaves a drained server out", () => {
    const drained = withTags("rg1-az2", ["rg:1", "az:2", "!JetStream"]);
    expect(plan(["rg:1"], 3, drained)).toMatchObject({
      serverError: "no suitable peers for placement, exclude tag set, tags not matched ['rg:1']",
      nearest: expect.arrayContaining([
        { name: "rg1-az2", lacks: "kept free by the tag !jetstream" },
      ]),
    });
  });

  it("leaves a server without the unique tag out", () => {
    const untagged = withTags("rg1-az2", ["rg:1"]);
    expect(plan(["rg:1"], 3, untagged)).toMatchObject({
      serverError:
        "no suitable peers for placement, server tag not unique, tags not matched ['rg:1']",
      nearest: expect.arrayContaining([{ name: "rg1-az2", lacks: 'no "az:" tag' }]),
    });
    expect(plan(["rg:1"], 3, { ...untagged, uniqueTag: "" })).toMatchObject({ kind: "exact" });
  });

  it("counts the first unique tag of a server only", () => {
    const both = withTags("rg1-az2", ["rg:1", "az:1", "az:2"]);
    expect(plan(["rg:1"], 3, both)).toMatchObject({ kind: "impossible" });
  });
});

describe("in words", () => {
  it.each([
    {
      tags: ["rg:4"],
      replicas: 3,
      words:
        'needs 3 servers tagged rg:4 that differ in their "az:" tag, but no server carries rg:4 (there are rg:1, rg:2, rg:3)',
    },
    {
      tags: ["rg:2"],
      replicas: 5,
      words:
        'needs 5 servers tagged rg:2 that differ in their "az:" tag, but there are only 3 (rg2-az1, rg2-az2, rg2-az3)',
    },
    {
      tags: [],
      replicas: 5,
      words:
        'needs 5 servers that differ in their "az:" tag, but the 9 that fit share the 3 tags az:1, az:2, az:3',
    },
    {
      tags: ["rg:1", "!rg:1"],
      replicas: 1,
      words: "needs 1 server tagged rg:1 and not tagged rg:1, but there is none",
    },
  ])("$tags x $replicas", ({ tags, replicas, words }) => {
    expect(plan(tags, replicas)).toMatchObject({ summary: words });
  });

  it("names the servers that lack least", () => {
    expect(plan(["rg:1", "xr:213"], 2)).toMatchObject({
      nearest: [
        { name: "rg1-az1", lacks: "not tagged xr:213" },
        { name: "rg1-az3", lacks: "not tagged xr:213" },
        { name: "rg2-az1", lacks: "not tagged rg:1" },
      ],
    });
  });
});

describe("warnings", () => {
  const warn = (request: PlacementRequest) => placementWarnings(request, SEED_FLEET).join("\n");

  it("tell of a tag that switches uniqueness off, and of the case that does not", () => {
    expect(warn({ tags: ["!az:1"], replicas: 3 })).toContain("!az:1 switches unique_tag");
    expect(warn({ tags: ["AZ:1"], replicas: 1 })).toBe("");
  });

  it("tell of replicas that add nothing", () => {
    expect(warn({ tags: [], replicas: 2 })).toContain("survive no more failures than 1");
    expect(warn({ tags: [], replicas: 3 })).toBe("");
  });

  it("tell of servers without a spare", () => {
    expect(warn({ tags: ["xr:123"], replicas: 3 })).toContain("rg1-az1, rg2-az2, rg3-az3 fit");
    expect(warn({ tags: ["!xr:123", "!xr:132"], replicas: 3 })).toBe(
      "nothing else fits in place of rg1-az2 or rg1-az3: while one is down its replica has nowhere else to go",
    );
    expect(warn({ tags: ["!xr:123"], replicas: 3 })).toBe("");
  });
});

const value = fc.constantFrom("1", "2", "3");
const serverTag = fc
  .tuple(fc.constantFrom("rg", "az", "xr"), value)
  .map(([prefix, tag]) => `${prefix}:${tag}`);
const fleet: fc.Arbitrary<Fleet> = fc
  .record({
    uniqueTag: fc.constantFrom("", "az:", "rg:"),
    tags: fc.array(fc.array(serverTag, { maxLength: 4 }), { maxLength: 9 }),
  })
  .map(({ uniqueTag, tags }) => ({
    cluster: "c1",
    uniqueTag,
    servers: tags.map((list, index): Server => ({ name: `s${index}`, cluster: "c1", tags: list })),
  }));
const request: fc.Arbitrary<PlacementRequest> = fc.record({
  replicas: fc.integer({ min: 1, max: 5 }),
  tags: fc.array(
    fc.tuple(fc.constantFrom("", "!"), serverTag).map(([not, tag]) => `${not}${tag}`),
    { maxLength: 3 },
  ),
});

describe("whatever the fleet", () => {
  const hostsOf = (placement: Placement) =>
    placement.kind === "exact"
      ? placement.hosts
      : placement.kind === "choice"
        ? placement.candidates
        : [];

  it("is exact with as many hosts as replicas, a choice with more", () => {
    fc.assert(
      fc.property(request, fleet, (wanted, servers) => {
        const placement = planPlacement(wanted, servers);
        const hosts = hostsOf(placement);
        if (placement.kind === "exact") expect(hosts).toHaveLength(wanted.replicas);
        if (placement.kind === "choice") expect(hosts.length).toBeGreaterThan(wanted.replicas);
      }),
    );
  });

  it("names no server that misses a tag, and none twice", () => {
    fc.assert(
      fc.property(request, fleet, (wanted, servers) => {
        const hosts = hostsOf(planPlacement(wanted, servers));
        expect(new Set(hosts).size).toBe(hosts.length);
        for (const { tags } of servers.servers.filter(({ name }) => hosts.includes(name))) {
          for (const tag of wanted.tags) {
            expect(tags.includes(tag.replace("!", ""))).toBe(!tag.startsWith("!"));
          }
        }
      }),
    );
  });

  it("says no to more replicas wherever it says no to fewer", () => {
    fc.assert(
      fc.property(request, fleet, (wanted, servers) => {
        fc.pre(wanted.replicas < 5 && planPlacement(wanted, servers).kind === "impossible");
        const more = { ...wanted, replicas: wanted.replicas + 1 };
        expect(planPlacement(more, servers).kind).toBe("impossible");
      }),
    );
  });

  it("does not depend on the order of tags or servers", () => {
    fc.assert(
      fc.property(request, fleet, (wanted, servers) => {
        const plain = hostsOf(planPlacement(wanted, servers));
        const turned = planPlacement(
          { ...wanted, tags: wanted.tags.toReversed() },
          { ...servers, servers: servers.servers.toReversed() },
        );
        expect(hostsOf(turned).toReversed()).toEqual(plain);
      }),
    );
  });

  it("explains what can't be by servers that do lack something", () => {
    fc.assert(
      fc.property(request, fleet, (wanted, servers) => {
        const placement = planPlacement(wanted, servers);
        if (placement.kind !== "impossible") return;
        expect(placement.summary).toMatch(/^needs \d server/);
        for (const { lacks } of placement.nearest) expect(lacks).not.toBe("");
      }),
    );
  });
});
