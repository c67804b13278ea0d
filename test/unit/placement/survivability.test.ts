import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Fleet,
  type PlacementRequest,
  planSeating,
  type Server,
} from "../../../lib/placement/placement.ts";
import {
  judgeLosses,
  type Loss,
  lossesOf,
  majorityOf,
  metaSeating,
  type Outcome,
  type Survivability,
} from "../../../lib/placement/survivability.ts";
import { uniformShape } from "../../../lib/topology/shape.ts";
import { placeNodes } from "../../../lib/topology/topology.ts";

function gridOf(regions: number, zones: number, nodesPerZone = 1, requestedTags: string[] = []) {
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
  const shape = uniformShape(names("rg", regions), names("az", zones), nodesPerZone);
  return placeNodes(shape, requestedTags);
}

function fleetOf(nodes: ReturnType<typeof gridOf>, uniqueTag = "az:"): Fleet {
  const servers = nodes.map(({ name, serverTags: tags }) => ({ name, cluster: "c1", tags }));
  return { cluster: "c1", uniqueTag, servers };
}

function judge(request: PlacementRequest, nodes = gridOf(3, 3), uniqueTag = "az:"): Survivability {
  return judgeLosses(planSeating(request, fleetOf(nodes, uniqueTag)), lossesOf(nodes));
}

const losers = ({ losses }: Survivability, outcome: Outcome) =>
  losses.filter((loss) => loss.outcome === outcome).map(({ kind, name }) => `${kind} ${name}`);

describe("on the seed's nine servers", () => {
  test("EVENTS gets over any loss, but its replicas have nowhere else to go", () => {
    const events = judge({ replicas: 3, tags: ["xr:123"] });
    expect(losers(events, "survives")).toHaveLength(9 + 9 + 3 + 3);
    expect(events.irreplaceable).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
  });

  test("ORDERS dies with its region only", () => {
    const orders = judge({ replicas: 3, tags: ["rg:2"] });
    expect(losers(orders, "lost")).toEqual(["region rg2"]);
    expect(losers(orders, "depends")).toEqual([]);
  });

  test.each([
    [["xr:123"], 3, "survives any node, zone or region"],
    [["rg:2"], 3, "survives any node or zone; lost with region rg2"],
    [["rg:2"], 1, "lost with region rg2; may be lost with node rg2-az1, rg2-az2 or rg2-az3"],
    [["rg:2", "az:1"], 1, "lost with node rg2-az1"],
    [[], 3, "survives any node or zone; may be lost with any region"],
    [[], 1, "may be lost with any node"],
    [["!rg:1"], 1, "may be lost with node rg2-az1, rg2-az2, rg2-az3 or 3 more"],
    [["xr:123"], 2, "may be lost with node rg1-az1, rg2-az2 or rg3-az3"],
    [["az:1"], 3, "survives any node, zone or region; lost with zone az1 in all regions at once"],
    [
      ["!az:1"],
      5,
      "survives any node, zone or region; may be lost with zone az2 or az3 in all regions at once",
    ],
  ])("%j x %i: %s", (tags, replicas, summary) => {
    expect(judge({ replicas, tags }).summary).toBe(summary);
  });

  test("the meta group gets over any loss", () => {
    const nodes = gridOf(3, 3);
    expect(judgeLosses(metaSeating(fleetOf(nodes)), lossesOf(nodes)).summary).toBe(
      "survives any node, zone or region",
    );
  });
});

describe("in other shapes", () => {
  const orders = { replicas: 3, tags: ["rg:1"] };

  test("a zone of two nodes is more than a node", () => {
    const nodes = gridOf(2, 1, 3);
    expect(judge({ replicas: 3, tags: [] }, nodes, "").summary).toBe(
      "survives any node; lost with zone az1 in all regions at once; may be lost with any zone",
    );
    expect(judge(orders, nodes, "").summary).toBe("survives any node; lost with zone rg1-az1");
  });

  test("the other node of a zone takes a replica's place", () => {
    expect(judge(orders, gridOf(1, 3, 2)).irreplaceable).toEqual([]);
    expect(judge(orders, gridOf(1, 3)).irreplaceable).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
    expect(judge(orders, gridOf(1, 4)).irreplaceable).toEqual([]);
  });

  test("without a majority nobody brings another up to date", () => {
    const all = ["rg1-az1", "rg1-az2", "rg1-az3"];
    expect(judge({ replicas: 1, tags: ["rg:1"] }).irreplaceable).toEqual(all);
    expect(judge({ replicas: 2, tags: ["rg:1"] }).irreplaceable).toEqual(all);
  });

  test("half of the servers is no majority of the meta group", () => {
    const nodes = gridOf(2, 2);
    expect(judgeLosses(metaSeating(fleetOf(nodes)), lossesOf(nodes)).summary).toBe(
      "survives any node or zone; lost with any zone in all regions at once, or any region",
    );
  });
});

const tag = fc
  .tuple(fc.constantFrom("rg", "az"), fc.constantFrom("1", "2", "3"))
  .map(([prefix, value]) => `${prefix}:${value}`);
const anyFleet: fc.Arbitrary<Fleet> = fc
  .record({
    uniqueTag: fc.constantFrom("", "az:", "rg:"),
    tags: fc.array(fc.array(tag, { maxLength: 3 }), { minLength: 1, maxLength: 8 }),
  })
  .map(({ uniqueTag, tags }) => ({
    cluster: "c1",
    uniqueTag,
    servers: tags.map((list, index): Server => ({ name: `s${index}`, cluster: "c1", tags: list })),
  }));
const anyRequest: fc.Arbitrary<PlacementRequest> = fc.record({
  replicas: fc.integer({ min: 1, max: 5 }),
  tags: fc.array(tag, { maxLength: 1 }),
});

/** All sets of hosts that nats-server might choose, one by one and without seats. */
function choicesOf({ replicas, tags }: PlacementRequest, { servers, uniqueTag }: Fleet) {
  const unique = uniqueTag !== "" && !tags.some((wanted) => wanted.startsWith(uniqueTag));
  const uniqueValue = (server: Server) => server.tags.find((each) => each.startsWith(uniqueTag));
  const fitting = servers.filter((server) => tags.every((wanted) => server.tags.includes(wanted)));
  const isLegal = (hosts: readonly Server[]) => {
    const values = hosts.map(uniqueValue);
    return !unique || (!values.includes(undefined) && new Set(values).size === hosts.length);
  };
  const legal = subsetsOf(fitting, replicas).filter(isLegal);
  const canReplace = (hosts: readonly Server[], lost: Server) =>
    fitting.some(
      (server) =>
        !hosts.includes(server) && isLegal([...hosts.filter((host) => host !== lost), server]),
    );
  return { legal, canReplace };
}

function subsetsOf<Item>([first, ...rest]: readonly Item[], size: number): Item[][] {
  if (size === 0) return [[]];
  if (first === undefined) return [];
  return [
    ...subsetsOf(rest, size - 1).map((subset) => [first, ...subset]),
    ...subsetsOf(rest, size),
  ];
}

describe("whatever the fleet", () => {
  const anyLoss = fc
    .uniqueArray(fc.integer({ min: 0, max: 7 }))
    .map((lost): Loss => ({ kind: "region", name: "x", nodes: lost.map((index) => `s${index}`) }));

  test("a loss is judged as by trying every choice", () => {
    fc.assert(
      fc.property(anyRequest, anyFleet, anyLoss, (request, fleet, loss) => {
        const { legal } = choicesOf(request, fleet);
        fc.pre(legal.length > 0);
        const kept = new Set(
          legal.map((hosts) => {
            const left = hosts.filter(({ name }) => !loss.nodes.includes(name)).length;
            return left >= majorityOf(request.replicas);
          }),
        );
        const outcome = kept.size === 2 ? "depends" : kept.has(true) ? "survives" : "lost";
        const { losses } = judgeLosses(planSeating(request, fleet), [loss]);
        expect(losses[0]?.outcome).toBe(outcome);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a host is irreplaceable where no choice with it has a spare", () => {
    fc.assert(
      fc.property(anyRequest, anyFleet, (request, fleet) => {
        const { legal, canReplace } = choicesOf(request, fleet);
        fc.pre(legal.length > 0 && request.replicas > 2);
        const { irreplaceable } = judgeLosses(planSeating(request, fleet), []);
        for (const hosts of legal) {
          for (const host of hosts) {
            expect(irreplaceable.includes(host.name)).toBe(!canReplace(hosts, host));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("more nodes gone is never better", () => {
    fc.assert(
      fc.property(anyRequest, anyFleet, anyLoss, anyLoss, (request, fleet, loss, more) => {
        const seating = planSeating(request, fleet);
        fc.pre(seating.seats.length >= request.replicas);
        const both = { ...loss, nodes: [...loss.nodes, ...more.nodes] };
        const rank = { survives: 0, depends: 1, lost: 2 };
        const [less, worse] = judgeLosses(seating, [loss, both]).losses.map(
          ({ outcome }) => rank[outcome],
        );
        expect(worse).toBeGreaterThanOrEqual(less ?? 0);
      }),
    );
  });
});
