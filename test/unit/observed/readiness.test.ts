import { expect, test } from "vitest";
import { peerId } from "../../../lib/observed/meta-group.ts";
import {
  mayNeverHaveHadLeader,
  type NodeReport,
  needsLaterNodes,
  whyNotReady,
} from "../../../lib/observed/readiness.ts";

const NAMES = ["a", "b", "c"];

/** The other members as one of them sees them; those that lag, and those that it doesn't know. */
const peersOf = (name: string, lagging: readonly string[] = [], unknown: readonly string[] = []) =>
  NAMES.filter((peer) => peer !== name && !unknown.includes(peer)).map((peer) => ({
    id: peerId(peer),
    name: peer,
    well: !lagging.includes(peer),
  }));
const well = (name: string): NodeReport => ({
  name,
  metaLeader: "a",
  metaSize: 3,
  health: "",
  peers: peersOf(name),
});
const [a, b, c] = [well("a"), well("b"), well("c")] as const;

test("all well is ready", () => {
  expect(whyNotReady([a, b, c])).toBeUndefined();
});

test.each<[string, NodeReport[], string]>([
  ["a node that doesn't run", [a, b, { name: "c", isUp: false }], "c doesn't run"],
  ["a node that doesn't answer", [a, b, { name: "c" }], "no answer from c"],
  ["a node without a leader", [a, b, { ...c, metaLeader: "" }], "no meta leader yet on c"],
  ["two groups", [a, b, { ...c, metaLeader: "c" }], "more than one meta group, led by a and c"],
  ["a member missing", [a, b, { ...c, metaSize: 2 }], "c knows 2 of 3 members of the meta group"],
  ["a lagging member", [{ ...a, peers: peersOf("a", ["c"]) }, b, c], "the meta group waits for c"],
  [
    "a stranger",
    [{ ...a, peers: peersOf("a", [], ["c"]) }, b, c],
    "c is no member of the meta group yet; a node that was removed from it joins again after 5 minutes",
  ],
  ["an ill node", [a, { ...b, health: "stream not current" }, c], "b: stream not current"],
])("%s is not", (_, reports, reason) => {
  expect(whyNotReady(reports)).toBe(reason);
});

test("a follower's view of the others doesn't count", () => {
  expect(whyNotReady([a, { ...b, peers: peersOf("b", ["a", "c"]) }, c])).toBeUndefined();
});

test("between waves, nodes that don't run yet are nobody's concern; those that run have to be current", () => {
  const leader = { ...a, peers: peersOf("a", ["c"]) };
  expect(whyNotReady([leader, b], [{ name: "c" }])).toBeUndefined();
  expect(whyNotReady([leader, b], [c, { name: "d" }])).toBe("the meta group waits for c");
  expect(whyNotReady([b], [leader, c, { name: "d" }])).toBe("the meta group waits for c");
});

test("a group that never had a leader waits for all its nodes; nothing else looks like it", () => {
  const [first, second] = [a, b].map((node) => ({ ...node, metaLeader: "" })) as [
    NodeReport,
    NodeReport,
  ];
  expect(mayNeverHaveHadLeader([first, second], [{ name: "c" }])).toBe(true);
  expect(mayNeverHaveHadLeader([first], [second, { name: "c" }])).toBe(true);
  expect(mayNeverHaveHadLeader([first], [b, { name: "c" }])).toBe(false);
  expect(mayNeverHaveHadLeader([first, second], [{ ...c, metaLeader: "" }])).toBe(false);
  expect(mayNeverHaveHadLeader([first, { name: "b" }], [{ name: "c" }])).toBe(false);
});

test("waiting is in vain while too few nodes of all run", () => {
  const down = (name: string): NodeReport => ({ name });
  expect(needsLaterNodes([a], [down("b"), down("c")])).toBe(true);
  expect(needsLaterNodes([a], [b, down("c")])).toBe(false);
  expect(needsLaterNodes([a, b], [c, down("d")])).toBe(false);
  expect(needsLaterNodes([down("a"), down("b")], [c, down("d")])).toBe(false);
  expect(needsLaterNodes([down("a"), down("b")], [])).toBe(false);
});
