import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isLiteralSubject,
  isSubset,
  isValidSubject,
  SubjectTree,
  subjectsOverlap,
} from "../../../lib/streams/subjects.ts";

const literalToken = fc.constantFrom("a", "b", "$JS");
const literal = fc
  .array(literalToken, { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join("."));
const pattern = fc
  .tuple(
    fc.array(fc.oneof(literalToken, fc.constant("*")), { minLength: 1, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([tokens, open]) => [...tokens, ...(open ? [">"] : [])].join("."));

describe("subjects", () => {
  it.each(["orders", "orders.>", "*.new", ">", "a.*.c", "$JS.API.>", "with*star"])(
    "%s is one",
    (subject) => {
      expect(isValidSubject(subject)).toBe(true);
    },
  );

  it.each(["", ".", "a.", ".a", "a..b", "a.>.b", "a b", "a.\t"])("%j is none", (subject) => {
    expect(isValidSubject(subject)).toBe(false);
  });

  it("are literal without wildcards", () => {
    expect(isLiteralSubject("a.b")).toBe(true);
    expect(isLiteralSubject("a.*")).toBe(false);
    expect(isLiteralSubject("a.>")).toBe(false);
  });

  it.each([
    ["orders.>", "orders.new", true],
    ["orders.>", "orders", false],
    ["orders.*", "*.new", true],
    ["orders.*", "orders.*.old", false],
    ["*", ">", true],
    ["a.*.c", "a.>", true],
    ["a.b.>", "a.*", false],
    ["a", "b", false],
  ])("%s and %s overlap: %s", (a, b, overlap) => {
    expect(subjectsOverlap(a, b)).toBe(overlap);
    expect(subjectsOverlap(b, a)).toBe(overlap);
  });

  it("overlap where some subject matches both", () => {
    fc.assert(
      fc.property(literal, pattern, pattern, (subject, a, b) => {
        fc.pre(isSubset(subject, a) && isSubset(subject, b));
        expect(subjectsOverlap(a, b)).toBe(true);
      }),
    );
  });

  it("overlap with themselves and with what holds them", () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        expect(subjectsOverlap(a, a)).toBe(true);
        if (isSubset(a, b)) expect(subjectsOverlap(a, b)).toBe(true);
      }),
    );
  });

  it("in a tree are found by what they overlap with", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 20 }), pattern, (subjects, sought) => {
        const tree = new SubjectTree<number>();
        for (const [place, subject] of subjects.entries()) tree.add(subject, place);
        const found = tree.overlapping(sought).map(({ owner }) => owner);
        const expected = [...subjects.keys()].filter((place) =>
          subjectsOverlap(subjects[place] ?? "", sought),
        );
        expect(found.sort((a, b) => a - b)).toEqual(expected);
      }),
    );
  });
});
