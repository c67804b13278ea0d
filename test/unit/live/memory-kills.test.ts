import { describe, expect, test } from "vitest";
import { describeMemoryKills } from "../../../lib/observed/memory-kill.ts";
import { killsAmong } from "../../../live/engine/memory-kills.ts";

const NOW = Date.parse("2026-11-29T01:00:00Z");
const MIB = 1024 ** 2;

describe("a node that was killed for memory", () => {
  const row = (isKilled: boolean, isRunning: boolean, startedAt: string) => ({
    ...{ node: "rg1-az1", memory: 64 * MIB, container: "/dev-rg1-az1" },
    ...{ isKilled, isRunning, startedAt },
  });
  const found = [{ node: "rg1-az1", memory: 64 * MIB }];

  test.each([
    ["is down by it, however long", row(true, false, "2026-11-28T01:00:00Z"), [], found],
    ["was started again a while ago", row(true, true, "2026-11-29T00:30:00Z"), [], found],
    ["was started again long ago", row(true, true, "2026-11-28T23:00:00Z"), [], []],
    [
      "is forgotten but for events",
      row(false, true, "2026-11-29T00:59:00Z"),
      ["dev-rg1-az1"],
      found,
    ],
    ["is another", row(false, true, "2026-11-29T00:59:00Z"), ["dev-rg1-az2"], []],
  ])("is found where it %s", (_, container, events, kills) => {
    expect(killsAmong([container], events, NOW)).toEqual(kills);
  });

  test("is named with the limit and the way out", () => {
    expect(describeMemoryKills([])).toBeUndefined();
    expect(describeMemoryKills(found)).toBe(
      "rg1-az1 was killed for memory (memory: 64MiB), and what was in memory is gone: give nodes more, e.g. npx pulumi config set memory 128MiB, or have them hold less",
    );
    expect(describeMemoryKills([...found, { node: "rg1-az2", memory: 64 * MIB }])).toMatch(
      /^rg1-az1, rg1-az2 were killed for memory \(memory: 64MiB\)/,
    );
  });
});
