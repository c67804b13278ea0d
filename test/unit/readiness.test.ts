import { expect, test } from "vitest";
import { type NodeReport, needsLaterNodes, whyNotReady } from "../../lib/readiness.ts";

const well = (name: string): NodeReport => ({
  name,
  metaLeader: "a",
  metaSize: 3,
  health: "",
  lagging: [],
});
const [a, b, c] = [well("a"), well("b"), well("c")] as const;

test("all well is ready", () => {
  expect(whyNotReady([a, b, c])).toBeUndefined();
});

test.each<[string, NodeReport[], string]>([
  ["a node that doesn't answer", [a, b, { name: "c" }], "no answer from c"],
  ["a node without a leader", [a, b, { ...c, metaLeader: "" }], "no meta leader yet on c"],
  ["two groups", [a, b, { ...c, metaLeader: "c" }], "more than one meta group, led by a and c"],
  ["a member missing", [a, b, { ...c, metaSize: 2 }], "c knows 2 of 3 members of the meta group"],
  ["a lagging member", [{ ...a, lagging: ["c"] }, b, c], "the meta group waits for c"],
  ["an ill node", [a, { ...b, health: "stream not current" }, c], "b: stream not current"],
])("%s is not", (_, reports, reason) => {
  expect(whyNotReady(reports)).toBe(reason);
});

test("a follower's view of the others doesn't count", () => {
  expect(whyNotReady([a, { ...b, lagging: ["a", "c"] }, c])).toBeUndefined();
});

test("between waves, nodes that don't run yet are nobody's concern; those that run have to be current", () => {
  const leader = { ...a, lagging: ["c", "Server name unknown"] };
  expect(whyNotReady([leader, b], [{ name: "c" }])).toBeUndefined();
  expect(whyNotReady([leader, b], [c, { name: "d" }])).toBe("the meta group waits for c");
  expect(whyNotReady([leader, b, c])).toBe("the meta group waits for c, Server name unknown");
  expect(whyNotReady([b], [leader, c, { name: "d" }])).toBe("the meta group waits for c");
});

test("waiting is in vain while too few nodes of all run", () => {
  const down = (name: string): NodeReport => ({ name });
  expect(needsLaterNodes([a], [down("b"), down("c")])).toBe(true);
  expect(needsLaterNodes([a], [b, down("c")])).toBe(false);
  expect(needsLaterNodes([a, b], [c, down("d")])).toBe(false);
  expect(needsLaterNodes([down("a"), down("b")], [c, down("d")])).toBe(false);
  expect(needsLaterNodes([down("a"), down("b")], [])).toBe(false);
});
