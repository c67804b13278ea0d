import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupsOf, lacksOf, losesMajority } from "../../../lib/observed/majorities.ts";
import type { ObservedCluster } from "../../../lib/observed/observed.ts";
import { describeOrder, orderRestarts } from "../../../lib/update/rollout-order.ts";
import { clusterWith, NODES, streamOn } from "../../support/observed.ts";

const ZONES = ["az1", "az2", "az3"].map((zone) => NODES.filter((name) => name.endsWith(zone)));
const WAVES = ZONES.map((zone) => zone.map((name) => ({ name })));
const ALL = new Set(NODES);

const order = (cluster: ObservedCluster, restarted: Iterable<string> = ALL) =>
  orderRestarts(WAVES, new Set(restarted), cluster);
const stepsOf = (...args: Parameters<typeof order>) =>
  order(...args).steps.map((step) => step.map(({ name }) => name));
const ORDERS = streamOn("ORDERS", ["rg2-az1", "rg2-az2", "rg2-az3"]);

describe("restarts", () => {
  test("go by the planned waves where no group loses its majority by them", () => {
    expect(stepsOf(clusterWith([ORDERS]))).toEqual(ZONES);
  });

  test("go one by one through a zone in which a stream has two replicas now", () => {
    const cluster = clusterWith([ORDERS, streamOn("S", ZONES[0] ?? [])]);
    expect(stepsOf(cluster)).toEqual([["rg1-az1"], ["rg2-az1"], ["rg3-az1"], ...ZONES.slice(1)]);
    expect(describeOrder(order(cluster), []).notices).toEqual([
      "not all nodes of a zone are restarted together, as stream S of account APP (not in the settings) would lose the majority where its replicas are now",
    ]);
  });

  test("leave together what isn't restarted", () => {
    const cluster = clusterWith([streamOn("S", ZONES[0] ?? [])]);
    expect(stepsOf(cluster, ["rg1-az1", "rg1-az2"])).toEqual(ZONES);
  });

  test("go by consumers that have fewer replicas than their stream", () => {
    const hosts = ["rg1-az1", "rg2-az1", "rg1-az2", "rg2-az2", "rg1-az3"];
    const place = (names: readonly string[]) => ({ hosts: names, leader: names[0] ?? "", ill: [] });
    const consumer = { name: "work", ...place(["rg1-az1", "rg2-az1", "rg1-az2"]) };
    expect(stepsOf(clusterWith([streamOn("S", hosts)]))).toEqual(ZONES);
    expect(stepsOf(clusterWith([streamOn("S", hosts, { consumers: [consumer] })]))[0]).toEqual([
      "rg1-az1",
      "rg3-az1",
    ]);
  });

  test("keep what has two replicas in memory", () => {
    const cache = streamOn("CACHE", ["rg1-az1", "rg2-az1"], { storage: "memory" });
    expect(stepsOf(clusterWith([cache])).slice(0, 2)).toEqual([
      ["rg1-az1", "rg3-az1"],
      ["rg2-az1"],
    ]);
  });

  test("begin with a node that is down, which brings back what bars others", () => {
    const ill = streamOn("ORDERS", ORDERS.hosts, { ill: ["rg2-az3"] });
    const cluster = clusterWith([ill], { silent: ["rg2-az3"] });
    expect(stepsOf(cluster)).toEqual([["rg2-az3"], ...ZONES.slice(0, 2), ["rg1-az3", "rg3-az3"]]);
  });

  test("begin with a node that is ill, and end with those that it bars", () => {
    const ill = streamOn("ORDERS", ORDERS.hosts, { ill: ["rg2-az3"] });
    expect(stepsOf(clusterWith([ill]))).toEqual([
      ["rg2-az3"],
      ["rg1-az1", "rg3-az1"],
      ["rg1-az2", "rg3-az2"],
      ["rg1-az3", "rg3-az3"],
      ["rg2-az1"],
      ["rg2-az2"],
    ]);
  });

  test("name what bars nodes and how to get it well, where its own node isn't among those restarted", () => {
    const loose = streamOn("LOOSE", ["rg1-az1", "rg1-az2", "rg1-az3"], { ill: ["rg1-az3"] });
    const found = order(clusterWith([loose]), ["rg1-az1", "rg2-az1"]);
    expect(found.steps.at(-1)).toEqual([{ name: "rg1-az1" }]);
    expect(describeOrder(found, []).warnings).toEqual([
      "restarted last, and only once it is well: rg1-az1, as stream LOOSE of account APP (not in the settings) has 2 of 3 replicas that are well (not on rg1-az3). To get it well: the log of rg1-az3 says why; nats stream edit LOOSE --replicas 1 has it do without, or delete it if nobody needs it.",
    ]);
  });

  test("take a stopped wave back at once: its nodes are those that are down", () => {
    const first = ZONES[0] ?? [];
    const ill = streamOn("ORDERS", ORDERS.hosts, { ill: ["rg2-az1"] });
    expect(stepsOf(clusterWith([ill], { silent: first }), first)[0]).toEqual(first);
  });

  test("go by the planned waves where nothing runs", () => {
    expect(stepsOf({ servers: [], silent: NODES, streams: [] })).toEqual(ZONES);
  });

  test("never take a majority, whatever is where, as long as each step waits for the one before", () => {
    const hosts = fc.uniqueArray(fc.constantFrom(...NODES), { minLength: 1, maxLength: 5 });
    const streams = fc
      .array(hosts, { maxLength: 6 })
      .map((places) => places.map((place, index) => streamOn(`S${index}`, place)));
    fc.assert(
      fc.property(streams, fc.subarray(NODES), (placed, restarted) => {
        const cluster = clusterWith(placed);
        const { steps, early, late } = order(cluster, restarted);
        expect(
          steps
            .flat()
            .map(({ name }) => name)
            .sort(),
        ).toEqual([...NODES].sort());
        expect([early, late]).toEqual([[], []]);
        for (const step of steps) {
          const down = step.map(({ name }) => name).filter((name) => restarted.includes(name));
          for (const group of groupsOf(cluster)) expect(losesMajority(group, down)).toBe(false);
        }
      }),
    );
  });

  test("never take a majority in the steps before those that wait for it, whatever is ill", () => {
    const place = fc
      .uniqueArray(fc.constantFrom(...NODES), { minLength: 1, maxLength: 5 })
      .chain((hosts) => fc.tuple(fc.constant(hosts), fc.subarray(hosts.slice(1))));
    fc.assert(
      fc.property(fc.array(place, { maxLength: 6 }), (places) => {
        const cluster = clusterWith(
          places.map(([hosts, ill], index) => streamOn(`S${index}`, hosts, { ill })),
        );
        const { steps, late } = order(cluster);
        const blocked = new Set(late.map(({ node }) => node));
        const lacking = new Set(lacksOf(groupsOf(cluster)).map(({ group }) => group));
        for (const step of steps) {
          if (step.some((node) => blocked.has(node))) continue;
          for (const { name } of step) {
            for (const group of lacking) expect(losesMajority(group, [name])).toBe(false);
          }
        }
      }),
    );
  });
});
