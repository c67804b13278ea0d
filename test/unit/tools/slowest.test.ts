import { expect, test } from "vitest";
import { slowestFiles } from "../../../tools/commands/slowest.ts";

const file = (name: string, seconds: number, ...tests: readonly (readonly [string, number])[]) => ({
  name: `/project/test/${name}`,
  startTime: 1_000,
  endTime: 1_000 + seconds * 1_000,
  assertionResults: tests.map(([fullName, duration]) => ({ fullName, duration })),
});

test("the slowest files come first, each with what was slow in it", () => {
  const report = {
    testResults: [
      file("quick.test.ts", 1, ["is quick", 900]),
      file("slow.test.ts", 90, ["takes long", 60_000], ["takes longer", 61_000]),
      file("broken.test.ts", 2),
    ],
  };
  expect(slowestFiles(report, "/project", 2)).toEqual([
    "1m 30s  test/slow.test.ts, of which 1m 01s: takes longer",
    "2.0 s  test/broken.test.ts",
  ]);
});

test("a test that was skipped took no time", () => {
  const skipped = { fullName: "is skipped", duration: null };
  const report = { testResults: [{ ...file("a.test.ts", 1), assertionResults: [skipped] }] };
  expect(slowestFiles(report, "/project")).toEqual([
    "1.0 s  test/a.test.ts, of which 0 ms: is skipped",
  ]);
});
