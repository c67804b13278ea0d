import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { peerId } from "../../../lib/observed/meta-group.ts";
import { majorityOf } from "../../../lib/placement/survivability.ts";
import {
  describeLateLeader,
  type KeptCluster,
  type MetaMembers,
  parsePeers,
  whyUnfit,
} from "../../../lib/update/kept-members.ts";

const NAMES = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"];

const groupOf = (names: readonly string[]): MetaMembers => ({
  size: names.length,
  ids: names.map(peerId).sort(),
});

/** Volumes that say of which group they are, by node name; an empty list if they say nothing. */
const keptOf = (
  groups: Readonly<Record<string, readonly string[]>>,
  planned: readonly string[],
  more: Partial<KeptCluster> & { readonly running?: readonly string[] } = {},
): KeptCluster => ({
  returning: Object.entries(groups).map(([node, names]) => ({
    node,
    dataVolume: `dev-${node}-data`,
    group: names.length === 0 ? undefined : groupOf(names),
    hasContainer: more.running?.includes(node) ?? false,
  })),
  planned,
  others: more.others ?? [],
  isNew: more.isNew ?? true,
});

const allOf = (nodes: readonly string[], group: readonly string[]) =>
  Object.fromEntries(nodes.map((node) => [node, group]));

function encode({ size, ids }: MetaMembers): Uint8Array {
  const file = Buffer.alloc(8 + 8 * ids.length + 2);
  file.writeUInt32LE(size, 0);
  file.writeUInt32LE(ids.length, 4);
  file.write(ids.join(""), 8, "latin1");
  return file;
}

describe("the file of members", () => {
  test("is read as the server writes it", () => {
    const group = groupOf(NAMES);
    expect(parsePeers(encode(group))).toEqual(group);
    expect(parsePeers(encode({ size: 9, ids: [] }))).toEqual({ size: 9, ids: [] });
  });

  test.each([0, 7, 8 + 9 * 8 - 1])("isn't one with %i bytes of it", (length) => {
    expect(parsePeers(encode(groupOf(NAMES)).subarray(0, length))).toBeUndefined();
  });

  test("is read or not, whatever is in it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (file) => {
        const group = parsePeers(file);
        expect(group?.ids.every((id) => id.length === 8) ?? true).toBe(true);
      }),
    );
  });
});

describe("volumes that were kept", () => {
  test("fit where all members come back, or are begun empty", () => {
    expect(whyUnfit(keptOf(allOf(NAMES, NAMES), NAMES))).toBeUndefined();
    expect(whyUnfit(keptOf(allOf(NAMES.slice(0, 3), NAMES), NAMES))).toBeUndefined();
    expect(whyUnfit(keptOf(allOf(NAMES, NAMES), [...NAMES, "n10"]))).toBeUndefined();
  });

  test("fit where they say nothing", () => {
    expect(whyUnfit(keptOf({ n1: [], n2: [] }, NAMES))).toBeUndefined();
  });

  test("are refused without a majority, with those that are missing", () => {
    const others = [
      { node: "n4", dataVolume: "dev-n4-data" },
      { node: "x1", dataVolume: "dev-x1-data" },
    ];
    const three = NAMES.slice(0, 3);
    expect(whyUnfit(keptOf(allOf(three, NAMES), three, { others }))).toBe(
      "n1, n2, n3 come back to data volumes of a meta group of 9. The settings lack 6 of its members: n4, and 5 of which no volumes were found. It has no leader with fewer than 5 members, and nothing would begin; nothing was changed.\nBring all of them back by an `up` with the settings of before, and take nodes out by another; or begin again, without the messages: docker volume rm dev-n1-data dev-n2-data dev-n3-data dev-n4-data",
    );
  });

  test("are refused with a majority, too, as the members that are missing stay members", () => {
    expect(whyUnfit(keptOf(allOf(["n1", "n2"], ["n1", "n2", "n3"]), ["n1", "n2"]))).toContain(
      "They stay its members, and the `up` would wait for them",
    );
  });

  test("of nodes that had left before don't decide where the others have a majority", () => {
    const left = { n8: ["n1", "n2", "n3", "n8"], n9: ["n1", "n2", "n3", "n8", "n9"] };
    const three = NAMES.slice(0, 3);
    const groups = { ...allOf(three, three), ...left };
    expect(whyUnfit(keptOf(groups, [...three, "n8"]))).toBeUndefined();
    expect(whyUnfit(keptOf(left, ["n8", "n9"]))).toContain(
      "n8 comes back to data volumes of a meta group of 4. The settings lack 3 of its members, of which no volumes were found. It has no leader",
    );
  });

  test("are refused where the group with a majority lacks a member, whatever an older one says", () => {
    const groups = { ...allOf(["n1", "n2"], ["n1", "n2", "n3"]), n9: ["n1", "n2", "n9"] };
    expect(whyUnfit(keptOf(groups, ["n1", "n2", "n9"]))).toContain("n1, n2 come back to data");
  });

  test("of two groups that can begin are refused, also while one of them runs", () => {
    const three = NAMES.slice(0, 3);
    const groups = { ...allOf(three, three), ...allOf(NAMES.slice(3), NAMES) };
    const both = whyUnfit(keptOf(groups, NAMES));
    expect(both).toContain(
      "n4, n5, n6, n7, n8, n9 in a meta group of 9, and n1, n2, n3 in a meta group of 3",
    );
    expect(both).toContain("docker volume rm dev-n1-data dev-n2-data dev-n3-data; or: docker");
    const running = whyUnfit(keptOf(groups, NAMES, { isNew: false, running: three }));
    expect(running).toContain("docker volume rm dev-n4-data");
    expect(running).not.toContain("dev-n1-data");
  });

  test("of a cluster that runs are its own business: what leaves is planned no more", () => {
    expect(
      whyUnfit(keptOf(allOf(["n1", "n2"], NAMES), ["n1", "n2"], { isNew: false })),
    ).toBeUndefined();
  });

  test("of one group fit exactly where all its members are planned", () => {
    const some = fc.subarray(NAMES, { minLength: 1 });
    fc.assert(
      fc.property(some, some, some, (members, planned, kept) => {
        const returning = kept.filter((node) => members.includes(node) && planned.includes(node));
        fc.pre(returning.length > 0);
        const unfit = whyUnfit(keptOf(allOf(returning, members), planned));
        expect(unfit === undefined).toBe(members.every((node) => planned.includes(node)));
        if (unfit === undefined) return;
        expect(unfit.includes("nothing would begin")).toBe(
          returning.length < majorityOf(members.length),
        );
      }),
    );
  });
});

test("a group of which most members are empty is told of, as it waits for all", () => {
  expect(describeLateLeader(keptOf(allOf(NAMES.slice(0, 4), NAMES), NAMES))).toEqual([
    "Most of the 9 members of their meta group begin empty: it has no leader before all 9 run.",
  ]);
  expect(describeLateLeader(keptOf(allOf(NAMES.slice(0, 5), NAMES), NAMES))).toEqual([]);
});
