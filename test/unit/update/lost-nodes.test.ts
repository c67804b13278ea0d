import { describe, expect, test } from "vitest";
import type { ObservedStream } from "../../../lib/observed/observed.ts";
import {
  describeFates,
  describeMetaLoss,
  fatesOf,
  findLostNodes,
  rescueQuorum,
} from "../../../lib/update/lost-nodes.ts";

const LOST = new Set(["c1", "c2", "c3"]);

const stream = (name: string, hosts: readonly string[], more: Partial<ObservedStream> = {}) => ({
  account: "APP",
  name,
  config: { name, num_replicas: hosts.length },
  hosts,
  leader: "",
  ill: [],
  pending: [],
  isChanging: false,
  messages: 2,
  bytes: 64,
  behind: 0,
  consumers: [],
  ...more,
});
const kindOf = (hosts: readonly string[], more: Partial<ObservedStream> = {}) =>
  fatesOf([stream("S", hosts, more)], [], LOST)[0]?.kind;

describe("the fate of a stream", () => {
  test.each([
    ["two of three replicas", ["a1", "b1", "c1"], "whole"],
    ["one of three", ["a1", "c1", "c2"], "cut"],
    // Both had to store what was acknowledged.
    ["one of two", ["a1", "c1"], "whole"],
    ["two of four", ["a1", "a2", "c1", "c2"], "whole"],
    ["one of four", ["a1", "c1", "c2", "c3"], "cut"],
    ["two of five", ["a1", "a2", "c1", "c2", "c3"], "cut"],
    ["three of five", ["a1", "a2", "b1", "c1", "c2"], "whole"],
  ])("with %s left", (_, hosts, kind) => {
    expect(kindOf(hosts)).toBe(kind);
  });

  test("isn't told by a leader, who may have lost its majority just now, nor by a replica that is being added", () => {
    expect(kindOf(["a1", "c1", "c2"], { leader: "a1" })).toBe("cut");
    expect(kindOf(["a1", "b1", "c1", "c2"], { pending: ["b1"] })).toBe("cut");
  });

  test("isn't told where no replica was lost, and is the worst where nobody has one", () => {
    const known = [
      { account: "APP", name: "S" },
      { account: "APP", name: "GONE" },
      { account: "OTHER", name: "S" },
    ];
    const fates = fatesOf([stream("S", ["a1", "b1"])], known, LOST);
    expect(fates.map(({ account, name, kind }) => [account, name, kind])).toEqual([
      ["APP", "GONE", "gone"],
      ["OTHER", "S", "gone"],
    ]);
  });

  test("is refused where messages are lost, unless the settings of just this stream allow it", () => {
    const fates = fatesOf(
      [stream("WHOLE", ["a1", "b1", "c1"]), stream("CUT", ["a1", "c1", "c2"])],
      [
        { account: "APP", name: "GONE" },
        { account: "OTHER", name: "CUT" },
      ],
      LOST,
    );
    const gone = "has no replica left: all of its messages are lost";
    expect(describeFates(fates, [{ account: "APP", name: "CUT" }])).toEqual({
      notices: ["stream WHOLE (APP) has 2 of 3 replicas left, which lack nothing"],
      allowed: [
        "stream CUT (APP) has 1 of 3 replicas left, with 2 messages (64 B): the last ones that were acknowledged may be lost",
      ],
      refused: [`stream GONE (APP) ${gone}`, `stream CUT (OTHER) ${gone}`],
    });
  });
});

describe("a meta group", () => {
  test.each([
    [["a", "b", "c1"], undefined],
    [["a", "c1", "c2"], 1],
    [["a", "b", "c1", "c2"], 2],
    [["a", "b", "d", "c1", "c2", "c3"], 2],
  ])("of %j needs %j votes of those that are left", (members, votes) => {
    expect(rescueQuorum(members, LOST)).toBe(votes);
    expect(describeMetaLoss(members, LOST) === undefined).toBe(votes === undefined);
  });
});

describe("the nodes of lost engines", () => {
  const own = new Set(["rg1-az1", "rg3-b-az1"]);

  test("are those of the state, and members by their names that are no nodes of the stack", () => {
    const members = ["rg1-az1", "rg3-az2", "rg3-b-az1", "rg31-az1"];
    expect(findLostNodes(["rg3"], ["rg3-az1"], members, own)).toEqual(["rg3-az1", "rg3-az2"]);
    expect(findLostNodes(["rg3-az2"], [], members, own)).toEqual(["rg3-az2"]);
    expect(findLostNodes([], [], members, own)).toEqual([]);
  });
});
