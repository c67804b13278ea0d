import { describe, expect, test } from "vitest";
import type { ObservedCluster } from "../../../lib/observed/observed.ts";
import { type FormerLacks, formerLacks, whyNotItsTurn } from "../../../lib/update/turn.ts";
import { clusterWith, NODES, streamOn } from "../../support/observed.ts";

const HOSTS = ["rg1-az1", "rg1-az2", "rg1-az3"];
const ALL = new Set(NODES);
const WELL = clusterWith([streamOn("S", HOSTS)]);
const NONE: FormerLacks = { keys: new Set(), silent: new Set() };

interface Setting {
  readonly stepPeers?: readonly string[];
  readonly gone?: readonly string[];
  readonly changed?: readonly string[];
  readonly former?: FormerLacks;
}

const obstacle = (
  cluster: ObservedCluster,
  node: string,
  { stepPeers = [], gone = [], changed = gone, former = NONE }: Setting = {},
) =>
  whyNotItsTurn(cluster, {
    node,
    stepPeers: new Set([node, ...stepPeers]),
    gone: new Set(gone),
    changed: new Set(changed),
    former,
    planned: [],
  })?.reason;

const illAt = (...ill: string[]) => clusterWith([streamOn("S", HOSTS, { ill })]);

describe("it is a node's turn", () => {
  test("where all is well", () => {
    expect(obstacle(WELL, "rg1-az1")).toBeUndefined();
  });

  test("not before those before it are well again", () => {
    const gone = ["rg2-az1"];
    const silent = clusterWith([streamOn("S", HOSTS)], { silent: gone });
    expect(obstacle(silent, "rg1-az1", { gone })).toBe("no answer from rg2-az1");
    const other = streamOn("T", ["rg2-az1", "rg2-az2", "rg2-az3"], { ill: gone });
    const lagging = clusterWith([streamOn("S", HOSTS), { ...other, leader: "rg2-az2" }]);
    expect(obstacle(lagging, "rg1-az1", { gone })).toBe("stream T waits for rg2-az1");
    expect(obstacle(WELL, "rg1-az1", { gone })).toBeUndefined();
  });

  test("together with others of its step, but for those that it shares a majority with", () => {
    const stepPeers = ["rg2-az1"];
    const silent = clusterWith([streamOn("S", HOSTS)], { silent: stepPeers });
    expect(obstacle(silent, "rg1-az1", { stepPeers, gone: stepPeers })).toBeUndefined();
    const about = { stepPeers: ["rg1-az2"], gone: ["rg1-az2"], changed: [] };
    expect(obstacle(WELL, "rg1-az1", about)).toBe(
      "stream S would lose its majority, as rg1-az2 may be down too",
    );
  });

  test("not while others catch up, whoever is to blame", () => {
    expect(obstacle(illAt("rg1-az3"), "rg1-az1")).toBe(
      "stream S of account APP (not in the settings) has 2 of 3 replicas that are well (not on rg1-az3), and would lose its majority by a restart of rg1-az1",
    );
  });

  test("where it is the one that is ill", () => {
    expect(obstacle(illAt("rg1-az3"), "rg1-az3")).toBeUndefined();
  });

  test("in spite of what was ill before and costs it nothing, after a restart too", () => {
    const ill = illAt("rg1-az3");
    const former = formerLacks(ill, ALL);
    expect(obstacle(ill, "rg2-az1")).toBe("stream S waits for rg1-az3");
    expect(obstacle(ill, "rg2-az1", { former })).toBeUndefined();
    expect(obstacle(ill, "rg2-az1", { former, gone: ["rg1-az3"] })).toBeUndefined();
  });

  test("only once what was down before is back whole: an image may be to blame", () => {
    const down = clusterWith([streamOn("S", HOSTS, { ill: ["rg1-az3"] })], { silent: ["rg1-az3"] });
    const former = formerLacks(down, ALL);
    expect(obstacle(down, "rg2-az1", { former })).toBeUndefined();
    expect(obstacle(down, "rg2-az1", { former, gone: ["rg1-az3"] })).toBe("no answer from rg1-az3");
    expect(obstacle(illAt("rg1-az3"), "rg2-az1", { former, gone: ["rg1-az3"] })).toBe(
      "stream S waits for rg1-az3",
    );
  });

  test("not where an update that was stopped is started again: what its settings did is no former lack", () => {
    const ill = illAt("rg1-az1");
    const former = formerLacks(ill, new Set(["rg2-az2"]));
    expect(obstacle(ill, "rg2-az2", { former })).toBe("stream S waits for rg1-az1");
  });

  test("where it is down itself, whatever the others lack", () => {
    const down = { servers: [], silent: NODES, streams: [] };
    expect(obstacle(down, "rg1-az1")).toBeUndefined();
  });

  test("not while nobody leads the meta group", () => {
    const { meta: _, ...leaderless } = WELL;
    expect(obstacle(leaderless, "rg1-az1")).toBe("the meta group has no leader");
  });
});
