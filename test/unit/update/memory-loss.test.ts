import { expect, test } from "vitest";
import { nodesOf } from "../../../lib/plan/plan.ts";
import { describeMemoryLosses, type MemoryStream } from "../../../lib/update/memory-loss.ts";
import { planOf } from "../../support/cluster-report.ts";

const SETTINGS = {
  streams: {
    CACHE: { subjects: ["cache"], storage: "memory" },
    SPENT: { subjects: ["spent"], storage: "memory", allowDataLoss: true },
  },
};

function lossesOf(held: readonly MemoryStream[], settings: object = {}, restarted?: string[]) {
  const plan = planOf({ ...SETTINGS, ...settings });
  const names = restarted ?? nodesOf(plan).map(({ name }) => name);
  return describeMemoryLosses(held, new Set(names), plan);
}

const holding = (name: string, ...hosts: string[]): MemoryStream => ({
  account: "APP",
  name,
  hosts,
  messages: 2,
  bytes: 80,
});

test("a stream of one replica is emptied by a restart of its node, and of no other", () => {
  const held = [holding("CACHE", "rg1-az1")];
  const refused = ["stream CACHE of account APP has 2 messages (80 B) in the memory of rg1-az1"];
  expect(lossesOf(held)).toEqual({ refused, allowed: [] });
  expect(lossesOf(held, {}, ["rg1-az2"])).toEqual({ refused: [], allowed: [] });
});

test("one without messages has none to lose", () => {
  const empty = { ...holding("CACHE", "rg1-az1"), messages: 0 };
  expect(lossesOf([empty]).refused).toEqual([]);
});

test("one with a replica in another wave is filled from there", () => {
  const region = ["rg2-az1", "rg2-az2", "rg2-az3"];
  const zone = ["rg1-az1", "rg2-az1"];
  expect(lossesOf([holding("CACHE", ...region)]).refused).toEqual([]);
  expect(lossesOf([holding("CACHE", ...zone)]).refused).toHaveLength(1);
  expect(lossesOf([holding("CACHE", ...zone)], {}, ["rg1-az1"]).refused).toEqual([]);
  expect(lossesOf([holding("CACHE", ...region)], { rollout: "all" }).refused).toHaveLength(1);
});

test("what its settings let go goes, and each stream is told of once", () => {
  const spent = holding("SPENT", "rg1-az1", "rg2-az1");
  const { refused, allowed } = lossesOf([spent, spent]);
  expect(refused).toEqual([]);
  expect(allowed).toEqual([
    "stream SPENT of account APP has 2 messages (80 B) in the memory of rg1-az1, rg2-az1",
  ]);
});

test("one that is not in the settings counts too, and one of the same name elsewhere isn't it", () => {
  const other = { ...holding("SPENT", "rg1-az1"), account: "OTHER" };
  expect(lossesOf([other]).refused).toEqual([
    "stream SPENT of account OTHER, which is not in the settings, has 2 messages (80 B) in the memory of rg1-az1",
  ]);
});
