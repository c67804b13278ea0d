import { describe, expect, test } from "vitest";
import {
  describeRemedy,
  describeUnhealthy,
  groupsOf,
  losesMajority,
  type ReplicaGroup,
  whyNotWell,
} from "../../../lib/observed/majorities.ts";
import type { ObservedCluster } from "../../../lib/observed/observed.ts";
import { clusterWith, NODES, streamOn } from "../../support/observed.ts";

const HOSTS = ["rg1-az1", "rg1-az2", "rg1-az3"];
const [A, B, C] = HOSTS as [string, string, string];

const groupNamed = (cluster: ObservedCluster, name: string): ReplicaGroup => {
  const found = groupsOf(cluster).find((group) => group.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const streamOf = (...args: Parameters<typeof clusterWith>) =>
  groupNamed(clusterWith(...args), "stream S");

describe("a group", () => {
  test("of three gets over one node, and not over two", () => {
    const group = streamOf([streamOn("S", HOSTS)]);
    expect(HOSTS.map((host) => losesMajority(group, [host]))).toEqual([false, false, false]);
    expect(losesMajority(group, [A, B])).toBe(true);
    expect(losesMajority(group, ["rg2-az1", "rg3-az1"])).toBe(false);
  });

  test("that is ill at a node loses nothing by that one, and its majority by any other", () => {
    const group = streamOf([streamOn("S", HOSTS, { ill: [C] })]);
    expect(HOSTS.map((host) => losesMajority(group, [host]))).toEqual([true, true, false]);
  });

  test("without a majority keeps the replica that counts, which may be the only one that has it all", () => {
    const group = streamOf([streamOn("S", HOSTS, { ill: [B, C] })]);
    expect(HOSTS.map((host) => losesMajority(group, [host]))).toEqual([true, false, false]);
    expect(losesMajority(group, [B, C])).toBe(false);
  });

  test("of five gets over two that are ill or down, and not over three", () => {
    const hosts = [...HOSTS, "rg2-az1", "rg2-az2"];
    const group = streamOf([streamOn("S", hosts, { ill: [C] })]);
    expect(losesMajority(group, [A])).toBe(false);
    expect(losesMajority(group, [A, B])).toBe(true);
  });

  test("of one or two stops with any of its nodes, which no order can help", () => {
    for (const hosts of [[A], [A, B]]) {
      expect(losesMajority(streamOf([streamOn("S", hosts)]), [A])).toBe(false);
      expect(losesMajority(streamOf([streamOn("S", hosts)]), hosts)).toBe(false);
    }
  });

  test("of two keeps what it has in memory, and waits while the other catches up", () => {
    const inMemory = streamOf([streamOn("S", [A, B], { storage: "memory" })]);
    expect(losesMajority(inMemory, [A])).toBe(false);
    expect(losesMajority(inMemory, [A, B])).toBe(true);
    const empty = streamOf([streamOn("S", [A, B], { storage: "memory", messages: 0 })]);
    expect(losesMajority(empty, [A, B])).toBe(false);
    const behind = streamOf([streamOn("S", [A, B], { ill: [B] })]);
    expect([A, B].map((host) => losesMajority(behind, [host]))).toEqual([true, false]);
  });

  test("that lacks a replica altogether is not to lose another", () => {
    expect(losesMajority(streamOf([streamOn("S", [A, B], { replicas: 3 })]), [A])).toBe(true);
  });

  test("without a leader counts the nodes that answer; in memory it bars them all", () => {
    const place = { leader: "", ill: HOSTS } as const;
    const group = streamOf([streamOn("S", HOSTS, place)], { silent: [B, C] });
    expect(HOSTS.map((host) => losesMajority(group, [host]))).toEqual([true, false, false]);
    const there = streamOf([streamOn("S", HOSTS, place)]);
    expect(losesMajority(there, [A])).toBe(false);
    const volatile = streamOf([streamOn("S", HOSTS, { ...place, storage: "memory" })]);
    expect(losesMajority(volatile, [A])).toBe(true);
  });

  test("is ill where its server is above its limit", () => {
    const group = streamOf([streamOn("S", HOSTS)], { full: [A] });
    expect(HOSTS.map((host) => losesMajority(group, [host]))).toEqual([false, true, true]);
    expect(whyNotWell([group], { isAwaited: () => true })).toBe(
      "rg1-az1 holds more than its maxFileStore, and stores nothing more of stream S",
    );
  });

  test("doesn't count on a node that doesn't answer, nor takes it for one that has nothing to lose", () => {
    const cluster = { ...clusterWith([streamOn("S", HOSTS)]), silent: [C] };
    const group = groupNamed(cluster, "stream S");
    expect(HOSTS.map((host) => losesMajority(group, [host]))).toEqual([true, true, false]);
    const two = groupNamed(
      { ...cluster, streams: [streamOn("S", HOSTS, { ill: [B] })] },
      "stream S",
    );
    expect(losesMajority(two, [C])).toBe(true);
  });

  test("may be a consumer with fewer replicas than its stream, or the meta group", () => {
    const consumer = { name: "work", hosts: [A, "rg2-az1", "rg3-az1"], leader: A, ill: [] };
    const five = ["rg1-az1", "rg2-az1", "rg3-az1", "rg1-az2", "rg2-az2"];
    const cluster = clusterWith([streamOn("S", five, { consumers: [consumer] })]);
    const group = groupNamed(cluster, "consumer work of stream S");
    expect(losesMajority(group, [A, "rg2-az1"])).toBe(true);
    const meta = groupNamed(cluster, "the meta group");
    expect(losesMajority(meta, NODES.slice(0, 4))).toBe(false);
    expect(losesMajority(meta, NODES.slice(0, 5))).toBe(true);
  });
});

describe("whyNotWell", () => {
  const reason = (cluster: ObservedCluster, isAwaited = (_: string) => true) =>
    whyNotWell(
      groupsOf(cluster).filter(({ stream }) => stream),
      { isAwaited },
    );

  test("finds nothing wrong with a full group, nor with a lone replica", () => {
    expect(reason(clusterWith([streamOn("S", HOSTS), streamOn("ONE", [A])]))).toBeUndefined();
  });

  test("misses a leader, and replicas", () => {
    expect(reason(clusterWith([streamOn("S", HOSTS, { leader: "", ill: HOSTS })]))).toBe(
      "stream S has no leader",
    );
    expect(reason(clusterWith([streamOn("S", HOSTS, { ill: [B, C] })]))).toBe(
      "stream S waits for rg1-az2, rg1-az3",
    );
    expect(reason(clusterWith([streamOn("S", [A, B], { replicas: 3 })]))).toBe(
      "stream S has 2 of 3 replicas",
    );
  });

  test("doesn't wait for nodes that needn't run, nor for a leader while most of a group isn't there", () => {
    const led = clusterWith([streamOn("S", HOSTS, { ill: [C] })]);
    expect(reason(led, (host) => host !== C)).toBeUndefined();
    const headless = clusterWith([streamOn("S", HOSTS, { leader: "", ill: HOSTS })]);
    expect(reason(headless, (host) => host !== C)).toBe("stream S has no leader");
    expect(reason(headless, (host) => host === A)).toBeUndefined();
  });

  test("says who bars restarts, whether it is the stack's own, and what to do", () => {
    const group = streamOf([streamOn("S", HOSTS, { ill: [C] })]);
    expect(describeUnhealthy(group, [])).toBe(
      "stream S of account APP (not in the settings) has 2 of 3 replicas that are well (not on rg1-az3)",
    );
    expect(describeUnhealthy(group, [{ account: "APP", name: "S" }])).toMatch(
      /^stream S has 2 of 3/,
    );
    expect(describeRemedy(group)).toBe(
      "the log of rg1-az3 says why; nats stream edit S --replicas 1 has it do without, or delete it if nobody needs it",
    );
    expect(describeRemedy(streamOf([streamOn("S", HOSTS, { ill: [C], replicas: 1 })]))).toBe(
      "the log of rg1-az3 says why; nats stream cluster step-down S has its change go on",
    );
  });
});
