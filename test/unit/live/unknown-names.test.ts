import { expect, test } from "vitest";
import { unknownNames } from "../../../live/unknown-names.ts";

const NOBODYS = "nats-regions.invalid";

test("names that nobody knows are told from those that lead somewhere", async () => {
  expect(await unknownNames([], 1)).toEqual([]);
  expect(await unknownNames(["localhost"], 10_000)).toEqual([]);
});

test("of names that aren't looked up in time nothing is known", async () => {
  const began = performance.now();
  expect(await unknownNames([NOBODYS], 1)).toEqual([]);
  expect(performance.now() - began).toBeLessThan(2_000);
});
