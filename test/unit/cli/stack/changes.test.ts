import { describe, expect, test } from "vitest";
import { describeStreamChanges } from "../../../../cli/stack/changes.ts";
import { outputsOf, planOf } from "../../../support/cluster-report.ts";

const orders = (placement: object, replicas = 3) => ({
  streams: { ORDERS: { subjects: ["orders.*"], placement, replicas } },
});
const seed = planOf(orders({ region: "rg2" }));

describe("describeStreamChanges", () => {
  test("finds none where the cluster is what the settings say", () => {
    expect(describeStreamChanges(seed, outputsOf(seed))).toEqual([]);
  });

  test("lists everything where there is no cluster yet", () => {
    const small = planOf({ regions: ["rg1"], ...orders({ region: "rg1" }) });
    expect(describeStreamChanges(small)).toEqual([
      "nodes: 3 new (rg1-az1, rg1-az2, rg1-az3)",
      "ORDERS: new, on rg1-az1, rg1-az2, rg1-az3",
    ]);
  });

  test("says from where to where streams move", () => {
    const outputs = outputsOf(seed);
    const across = planOf(orders({ across: { rg1: "az1", rg2: "az2", rg3: "az3" } }));
    expect(describeStreamChanges(across, outputs)).toEqual([
      "ORDERS: from rg2-az1, rg2-az2, rg2-az3 to rg1-az1, rg2-az2, rg3-az3 (already there: rg2-az2)",
    ]);
    const single = planOf(orders({ tags: ["rg:1"] }, 1));
    expect(describeStreamChanges(single, outputs)).toEqual([
      "ORDERS: from rg2-az1, rg2-az2, rg2-az3 to 1 of rg1-az1, rg1-az2, rg1-az3",
    ]);
  });

  test("knows streams by their names, and by their accounts where they have the same", () => {
    const placement = { region: "rg2" };
    const one = { subjects: ["orders.*"], replicas: 3, placement };
    const bills = { ...one, stream: "ORDERS", account: "BILLING" };
    const accounts = { BILLING: {} };
    const both = planOf({ accounts, streams: { ORDERS: one, BILLS: bills } });
    const renamed = planOf({ accounts, streams: { MAIN: { ...one, stream: "ORDERS" }, B: bills } });
    expect(describeStreamChanges(both, outputsOf(both))).toEqual([]);
    expect(describeStreamChanges(renamed, outputsOf(both))).toEqual([]);
    const moved = { ...bills, placement: { region: "rg3" } };
    const next = planOf({ accounts, streams: { BILLS: moved } });
    expect(describeStreamChanges(next, outputsOf(both))).toEqual([
      "ORDERS (BILLING): from rg2-az1, rg2-az2, rg2-az3 to rg3-az1, rg3-az2, rg3-az3",
      "ORDERS (APP): removed, with its messages",
    ]);
  });

  test("says which consumers come, go and scale", () => {
    const having = (consumers: object) =>
      planOf({
        streams: { ORDERS: { ...orders({ region: "rg2" }).streams.ORDERS, consumers } },
      });
    const outputs = outputsOf(having({ worker: {}, audit: {} }));
    expect(describeStreamChanges(having({ worker: {}, audit: {} }), outputs)).toEqual([]);
    expect(describeStreamChanges(having({ worker: { replicas: 1 }, late: {} }), outputs)).toEqual([
      "ORDERS/worker: from 3 replicas to 1",
      "ORDERS/late: new",
      "ORDERS/audit: removed, with where it stands",
    ]);
  });

  test("says what goes", () => {
    const shrunk = planOf({ regions: ["rg1", "rg2"] });
    expect(describeStreamChanges(shrunk, outputsOf(seed))).toEqual([
      "nodes: 3 removed (rg3-az1, rg3-az2, rg3-az3)",
      "ORDERS: removed, with its messages",
    ]);
  });
});
