import { expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const IDENTITY = { project: "nats-regions", stack: "dev" };
const ENGINES = { rg1: { host: "ssh://m1" }, rg2: { host: "ssh://m2" } };
const planOf = (more: object) =>
  planCluster(parseSettings({ regions: ["rg1", "rg2"], engines: ENGINES, ...more }, IDENTITY));
const problemsOf = (more: object) => {
  try {
    planOf(more);
  } catch (error) {
    if (error instanceof PlanError) return error.message;
    throw error;
  }
  return "";
};

test("lost machines are those of regions and zones that the settings have no more", () => {
  expect(planOf({ lost: ["rg3", "rg2-az9"] }).lost).toEqual(["rg3", "rg2-az9"]);
  expect(planOf({}).lost).toEqual([]);
});

test("a lost machine that still is in engines is refused, as its nodes would be made anew", () => {
  expect(problemsOf({ lost: ["rg3", "rg2"] })).toContain('lost[1]: "rg2" is in engines');
});

test("lost machines are refused without engines, and by servers that don't get along without them", () => {
  expect(problemsOf({ engines: {}, lost: ["rg3"] })).toContain("lost: is for machines of engines");
  expect(problemsOf({ lost: ["rg3"], image: "nats:2.14.9" })).toContain(
    "lost: servers of nats:2.14.9 don't get along without lost ones",
  );
});
