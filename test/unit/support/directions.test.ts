import { beforeEach, describe, expect, test } from "vitest";
import { Directions, type PerPair, parsePair } from "../../support/machines/directions.ts";

const FREE = { delay: 0, loss: 0, drop: false, dropPorts: [] };

describe("directions between places", () => {
  let directions: Directions;

  beforeEach(() => {
    directions = new Directions();
    directions.turnOn(1);
    directions.turnOn(2);
  });

  /** The directions that aren't free, as `from>to`, by numbers. */
  function hindered(): Record<string, unknown> {
    const rows = directions
      .table((number) => number)
      .map(({ from, to, ...row }) => [from, to, row]);
    expect(rows).toHaveLength(6);
    return Object.fromEntries(
      rows
        .filter(([, , row]) => JSON.stringify(row) !== JSON.stringify(FREE))
        .map(([from, to, row]) => [`${from}>${to}`, row]),
    );
  }

  test("are free at first", () => {
    expect(hindered()).toEqual({});
  });

  test("have octets", () => {
    const table = directions.table((number) => 16 + number);
    expect(table.map(({ from, to }) => [from, to])).toContainEqual([16, 18]);
  });

  test("have delays and losses of both or of one; others stay", () => {
    directions.setDelays({ "m1-m2": 15, "operator>m1": 5 });
    directions.setDelays({ "m2>m1": 20 });
    directions.setLosses({ "m1>m2": 0.5 });
    expect(hindered()).toEqual({
      "1>2": { ...FREE, delay: 15, loss: 0.5 },
      "2>1": { ...FREE, delay: 20 },
      "0>1": { ...FREE, delay: 5 },
    });
  });

  test("are cut until they are healed, which leaves delays and what has no power", () => {
    const dropped = { ...FREE, drop: true };
    directions.setDelays({ "m1>m2": 15 });
    directions.cut("m1", "m2");
    directions.silenceSsh("m2");
    directions.turnOff(1);
    expect(hindered()).toEqual({
      "0>1": dropped,
      "1>0": dropped,
      "1>2": { ...dropped, delay: 15 },
      "2>1": dropped,
      "0>2": { ...FREE, dropPorts: [22] },
    });
    directions.heal();
    directions.turnOn(1);
    expect(hindered()).toEqual({ "1>2": { ...FREE, delay: 15 } });
  });

  test("are cut from an isolated place to those that come later, too", () => {
    directions.isolate("m1");
    directions.turnOn(3);
    const table = directions.table((number) => number);
    const cut = table.filter(({ drop }) => drop).map(({ from, to }) => [from, to]);
    expect(cut).toHaveLength(6);
    expect(cut.every((ends) => ends.includes(1))).toBe(true);
  });

  test.each([
    [{ "m1-x": 1 }, "m1-x is no pair: write m1-m2, m1>m2 or operator-m1"],
    [{ "m1-m1": 1 }, "m1-m1 is no pair"],
    [{ "m0-m1": 1 }, "m0-m1 is no pair"],
    [{ "m1-m2": -1 }, "m1-m2: -1 isn't a delay, 0 ms or more"],
    [{ "m1-m2": Number.NaN }, "m1-m2: NaN isn't a delay"],
  ])("refuse %o", (delays, message) => {
    expect(() => directions.setDelays(delays as PerPair)).toThrow(message);
  });

  test("refuse a loss that is no share", () => {
    expect(() => directions.setLosses({ "m1-m2": 7 })).toThrow("m1-m2: 7 isn't a share, 0 to 1");
  });
});

test("a pair names its places", () => {
  expect(parsePair("operator>m12")).toEqual({ from: "operator", to: "m12", oneWay: true });
  expect(parsePair("m1-m2")).toEqual({ from: "m1", to: "m2", oneWay: false });
});
