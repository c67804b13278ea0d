import { expect, test } from "vitest";
import { describeLostData, describeNotKept } from "../../../lib/update/lost-data.ts";
import { planOf } from "../../support/cluster-report.ts";

const plan = planOf({
  streams: {
    ORDERS: { subjects: ["orders.*"], replicas: 3, placement: { region: "rg2" } },
    SOLO: { subjects: ["solo"], placement: { tags: ["rg:2", "az:1"] } },
    LOOSE: { subjects: ["loose"] },
  },
});

test("what has replicas elsewhere is copied back", () => {
  expect(describeLostData({ ...plan, streams: plan.streams.slice(0, 1) }, ["rg2-az1"])).toBe(
    "rg2-az1 has lost its data volume and will start empty: replicas are copied back from other nodes.",
  );
});

test("what had its majority there is gone, or may be", () => {
  expect(describeLostData(plan, ["rg2-az1"])).toMatch(
    /; the messages of SOLO are gone; the messages of LOOSE are gone if the servers had placed them there\.$/,
  );
  expect(describeLostData(plan, ["rg2-az2", "rg2-az3"])).toMatch(
    /^rg2-az2, rg2-az3 have lost their data volumes .*; the messages of ORDERS may be gone, the last ones at least, as most of their replicas are; /,
  );
  expect(describeLostData(plan, ["rg2-az1", "rg2-az2", "rg2-az3"])).toContain(
    "; the messages of ORDERS, SOLO are gone; the messages of LOOSE are gone if the servers",
  );
});

test("of nodes without a volume that was kept, nobody knows whether they had one", () => {
  expect(describeNotKept(plan, [])).toEqual([]);
  expect(describeNotKept(plan, ["rg2-az1", "rg2-az2", "rg2-az3"])).toEqual([
    expect.stringMatching(
      /^rg2-az1, rg2-az2, rg2-az3 have no data volume that was kept, and begin empty. Where they had one .*: .*; the messages of ORDERS, SOLO are gone; /,
    ),
  ]);
});
