import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { haveOverlap, isParked, planHandover } from "../../../lib/streams/subject-handover.ts";

type Table = Readonly<Record<string, readonly string[]>>;

const mapOf = (table: Table) => new Map(Object.entries(table));
const plan = (current: Table, targets: Table) =>
  planHandover(mapOf(current), mapOf(targets)).map(
    ({ stream, subjects }) => `${stream} ${subjects.join(" ")}`,
  );

describe("planHandover", () => {
  it("narrows before it widens: a split, a merge, another name", () => {
    expect(
      plan(
        { US: ["nats-regions-parked.US"], ORDERS: ["orders.>"] },
        { US: ["orders.us.>"], ORDERS: ["orders.eu.>"] },
      ),
    ).toEqual(["ORDERS orders.eu.>", "US orders.us.>"]);
    expect(
      plan({ ORDERS: ["orders.eu.>"], US: ["orders.us.>"] }, { ORDERS: ["orders.>"], US: [] }),
    ).toEqual(["US nats-regions-parked.US", "ORDERS orders.>"]);
  });

  it("has one of a circle park meanwhile, with what nobody else has", () => {
    expect(plan({ A: ["a.>", "x"], B: ["b.>"] }, { A: ["b.>", "x"], B: ["a.>"] })).toEqual([
      "A x nats-regions-parked.A",
      "B a.>",
      "A b.> x",
    ]);
  });

  it("gives what has become free to those who wait before it frees more", () => {
    expect(
      plan({ A: ["a"], C: ["c"], B: ["b"], D: ["d"] }, { A: ["e"], C: ["f"], B: ["a"], D: ["c"] }),
    ).toEqual(["A e", "B a", "C f", "D c"]);
  });

  it("does nothing where nothing changes", () => {
    expect(plan({ A: ["a", "b"] }, { A: ["b", "a"] })).toEqual([]);
  });

  it("leads from any subjects to any others without an overlap on the way", () => {
    // Whoever is drawn for a letter has its subject.
    const owners = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 8, maxLength: 8 });
    const tableOf = (drawn: readonly number[]): Table =>
      Object.fromEntries(
        [0, 1, 2, 3].map((stream) => [
          `S${stream}`,
          drawn.flatMap((owner, letter) => (owner === stream ? [`${"abcdefgh"[letter]}.>`] : [])),
        ]),
      );
    fc.assert(
      fc.property(owners, owners, (before, after) => {
        const [current, targets] = [tableOf(before), tableOf(after)];
        const held = mapOf(current);
        for (const { stream, subjects } of planHandover(held, mapOf(targets))) {
          const others = [...held].flatMap(([name, has]) => (name === stream ? [] : has));
          expect(haveOverlap(subjects, others)).toBe(false);
          held.set(stream, subjects);
        }
        for (const [stream, wanted] of Object.entries(targets)) {
          const has = held.get(stream) ?? [];
          if (wanted.length > 0) expect([...has].sort()).toEqual([...wanted].sort());
          else expect(isParked(has)).toBe(true);
        }
      }),
    );
  });
});
