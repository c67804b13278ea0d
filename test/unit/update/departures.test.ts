import { describe, expect, test } from "vitest";
import {
  describeDepartures,
  describeStranded,
  heldStream,
  unplannedStreams,
} from "../../../lib/update/departures.ts";
import { planOf } from "../../support/cluster-report.ts";

const plan = planOf({ streams: { ORDERS: { replicas: 3, placement: { tags: ["rg:2"] } } } });
const stream = (name: string, replicas: number, ...tags: string[]) =>
  heldStream("APP", { name, num_replicas: replicas, placement: { tags } });
const orders = stream("ORDERS", 3, "rg:2");
const loose = stream("LOOSE", 3, "rg:1");

describe("streams on nodes that leave", () => {
  test("are those of the settings, which have a plan of their own, and others, each once", () => {
    const leaving = [
      { name: "rg1-az4", held: [orders, loose] },
      { name: "rg2-az4", held: [loose, heldStream("OTHER", { name: "ORDERS" })] },
      { name: "rg3-az4" },
    ];
    const names = unplannedStreams(leaving, plan).map(({ account, name }) => `${account} ${name}`);
    expect(names).toEqual(["APP LOOSE", "OTHER ORDERS"]);
  });

  test("are stranded where no node that stays fits them", () => {
    expect(describeStranded([loose], plan.fleet, plan.image)).toEqual([]);
    const [reason] = describeStranded([loose, stream("STUCK", 1, "az:4")], plan.fleet, plan.image);
    expect(reason).toContain(
      "stream STUCK of account APP, which is not in the settings, has nowhere",
    );
    expect(reason).toContain("nearest: rg1-az1 (not tagged az:4)");
  });

  test("are stranded where the servers are too old to be told to move them", () => {
    expect(describeStranded([loose], plan.fleet, "nats:2.14.9")).toEqual([
      "stream LOOSE of account APP, which is not in the settings, can't be moved by servers before 2.15: move it yourself, or name it there",
    ]);
    expect(describeStranded([loose], plan.fleet, "nats:2.15.0")).toEqual([]);
  });
});

describe("what is said of a departure", () => {
  test("is nothing where nobody leaves", () => {
    expect(describeDepartures([], plan)).toEqual([]);
  });

  test("names who leaves, what moves along, who doesn't answer, and what becomes of volumes", () => {
    const leaving = [{ name: "rg1-az4", held: [orders, loose] }, { name: "rg2-az4" }];
    expect(describeDepartures(leaving, { ...plan, keepsVolumes: true })).toEqual([
      "leave: rg1-az4, rg2-az4: what they hold moves first; then one after the other is stopped and taken out of the meta group; its volumes stay",
      "streams that are not in the settings move too: LOOSE (account APP)",
      "no answer from rg2-az4: started first, and then asked what streams are there",
    ]);
    expect(describeDepartures(leaving, plan)[0]).toMatch(/; its volumes are deleted$/);
  });
});
