import { expect, test } from "vitest";
import { describeCase, faultCase } from "../../support/machines/fault-cases.ts";
import { MACHINE_FAULTS, OPERATOR_KILLED } from "../../support/machines/faults.ts";

const numbers = Array.from({ length: 3 * MACHINE_FAULTS.length }, (_, index) => index + 1);

test("a case is known by its seed and its number", () => {
  const first = numbers.map((number) => describeCase(faultCase(4711, number, 3)));
  expect(numbers.map((number) => describeCase(faultCase(4711, number, 3)))).toEqual(first);
  expect(numbers.map((number) => describeCase(faultCase(4712, number, 3)))).not.toEqual(first);
});

test("every fault comes twice in mid-up and once before it, in any thirty", () => {
  const cases = numbers.map((number) => faultCase(4711, number, 3));
  for (const fault of MACHINE_FAULTS) {
    const own = cases.filter((each) => each.fault === fault);
    expect(own).toHaveLength(3);
    expect(own.filter(({ after }) => after === undefined)).toHaveLength(1);
  }
  expect(new Set(cases.map(({ victim }) => victim))).toEqual(new Set(["m1", "m2", "m3"]));
  expect(new Set(cases.map(({ kind }) => kind)).size).toBe(4);
});

test("an operator is killed in mid-up", () => {
  for (const number of numbers) {
    expect(faultCase(4711, number, 3, [OPERATOR_KILLED]).after).toBeTypeOf("number");
  }
});
