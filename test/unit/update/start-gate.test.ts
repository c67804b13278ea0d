import { describe, expect, test } from "vitest";
import type { ObservedCluster } from "../../../lib/observed/observed.ts";
import { judgeStart, type StartObservation } from "../../../lib/update/start-gate.ts";
import { clusterWith, NODES, reportOf, streamOn } from "../../support/observed.ts";

const ZONES = ["az1", "az2", "az3"].map((zone) => NODES.filter((name) => name.endsWith(zone)));
const waves = ZONES.map((zone) => Object.fromEntries(zone.map((name) => [name, "new"])));
const HOSTS = ["rg3-az1", "rg3-az2", "rg3-az3"];

/** A look at nodes of which some have the new settings already, and some have no container. */
function judge(
  observed: ObservedCluster,
  { done = [], missing = [] }: { done?: readonly string[]; missing?: readonly string[] } = {},
) {
  const there = NODES.filter((name) => !missing.includes(name));
  const isSilent = (name: string) => observed.silent.includes(name);
  const own = there.map((name) => ({
    name,
    isUp: !isSilent(name),
    restartSettings: done.includes(name) ? "new" : "old",
  }));
  const reports = there.map((name) => reportOf(name, observed));
  return judgeStart({ waves, own, reports, observed } satisfies StartObservation);
}

describe("the gate before the first wave", () => {
  test("opens where all is well, and where nothing is restarted", () => {
    expect(judge(clusterWith([streamOn("S", HOSTS)]))).toEqual({ kind: "go" });
    const ill = clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az2"] })]);
    expect(judge(ill, { done: NODES })).toEqual({ kind: "go" });
  });

  test("opens at once for what is not well itself: a setting that was put back, a node that is down", () => {
    // A larger store again, after the last wave's node couldn't restore its stream.
    const lastOne = clusterWith([streamOn("BIG", HOSTS, { ill: ["rg3-az3"] })]);
    expect(judge(lastOne)).toEqual({ kind: "go" });
    // An image again, after the first wave's took a stream offline.
    const firstOne = clusterWith([streamOn("LOOSE", [...HOSTS].reverse(), { ill: ["rg3-az1"] })]);
    expect(judge(firstOne, { done: [...(ZONES[1] ?? []), ...(ZONES[2] ?? [])] })).toEqual({
      kind: "go",
    });
    const down = clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az3"] })], { silent: ["rg3-az3"] });
    expect(judge(down)).toEqual({ kind: "go" });
  });

  test("would rather wait for what it can't help, and goes on where that costs no majority", () => {
    const elsewhere = clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az3"] })]);
    expect(judge(elsewhere, { done: ["rg3-az3"] })).toEqual({
      kind: "rather wait",
      reason: "rg3-az3: JetStream stream 'APP > S' is not current",
    });
  });

  test("is shut where each node that is to be changed would take a majority, and says what to do", () => {
    const ill = clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az3"] })]);
    const done = NODES.filter((name) => name !== "rg3-az1");
    expect(judge(ill, { done })).toEqual({
      kind: "blocked",
      reason:
        "rg3-az3: JetStream stream 'APP > S' is not current; stream S of account APP has 2 of 3 replicas that are well (not on rg3-az3)",
      remedy:
        "the log of rg3-az3 says why; nats stream edit S --replicas 1 has it do without, or delete it if nobody needs it",
    });
  });

  test("would rather wait where only some of what isn't well is to be changed", () => {
    const one = streamOn("S", HOSTS, { ill: ["rg3-az3"] });
    const other = streamOn("T", ["rg1-az1", "rg1-az2", "rg1-az3"], { ill: ["rg1-az1"] });
    const done = NODES.filter((name) => name !== "rg3-az3");
    expect(judge(clusterWith([one, other]), { done })).toMatchObject({ kind: "rather wait" });
  });

  test("is shut where what isn't well would take one another's majority", () => {
    const one = streamOn("S", HOSTS, { ill: ["rg3-az3"] });
    const other = streamOn("T", HOSTS, { ill: ["rg3-az2"] });
    const done = NODES.filter((name) => !["rg3-az2", "rg3-az3"].includes(name));
    expect(judge(clusterWith([one, other]), { done })).toMatchObject({ kind: "blocked" });
  });

  test("lets a member come back whose container somebody removed, and names it otherwise", () => {
    const cluster = clusterWith([streamOn("S", HOSTS, { ill: ["rg3-az3"] })]);
    const meta = { hosts: NODES, leader: "rg1-az1", ill: ["rg3-az3"], behind: 0 };
    const removed = { ...cluster, meta };
    expect(judge(removed, { missing: ["rg3-az3"] })).toEqual({ kind: "go" });
  });
});
