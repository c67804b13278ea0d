import { expect, test } from "vitest";
import { peerId } from "../../../lib/observed/meta-group.ts";
import { drainedConf, findLeavingNodes } from "../../../lib/update/leaving-nodes.ts";

const members = (...names: string[]) => names.map((name) => ({ id: peerId(name), name }));
const own = (...names: string[]) => names.map((name) => ({ name }));
const STAYING = new Set(["a", "b", "c"]);

test("nodes leave that the settings have no more and that count in the meta group, by name", () => {
  const { leaving, orphans } = findLeavingNodes(
    own("e", "d", "a", "b", "c", "f"),
    STAYING,
    members("a", "b", "c", "d", "e"),
  );
  expect(leaving.map(({ name }) => name)).toEqual(["d", "e"]);
  expect(orphans).toEqual([]);
});

test("a member without a container is nobody that anything could be moved off", () => {
  const { orphans } = findLeavingNodes(
    own("a", "b", "c", "d"),
    STAYING,
    members("a", "b", "c", "d", "z"),
  );
  expect(orphans).toEqual(["z"]);
});

test("a node that stays counts by its id, whatever name the leader knows", () => {
  const unheard = { id: peerId("a"), name: "Server name unknown at this time" };
  const { leaving, orphans } = findLeavingNodes(own("a", "b", "c", "d"), STAYING, [
    unheard,
    ...members("b", "c", "d"),
  ]);
  expect([leaving.map(({ name }) => name), orphans]).toEqual([["d"], []]);
});

test("a config gets the tag that keeps replicas away once, below the others", () => {
  const conf = '"server_tags": ["rg:1"]\n';
  const drained = drainedConf(conf);
  expect(drained.startsWith(conf)).toBe(true);
  expect(drained).not.toBe(conf);
  expect(drainedConf(drained)).toBe(drained);
});
