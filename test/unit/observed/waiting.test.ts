import { describe, expect, test } from "vitest";
import { describeWaitStatus, StallTimer } from "../../../lib/observed/waiting.ts";

describe("stall timer", () => {
  test("lasts from the start as long as nothing is seen to move", () => {
    const timer = new StallTimer(1_000);
    timer.note({ reason: "stream S waits for a", behind: 100 }, 1_000);
    timer.note({ reason: "stream S waits for a", behind: 100 }, 61_000);
    expect(timer.stalledFor(61_000)).toBe(60_000);
  });

  test("ends with each look that sees less to go, however long that takes", () => {
    const timer = new StallTimer(0);
    for (let minute = 0; minute <= 600; minute += 1) {
      timer.note({ reason: "stream S waits for a", behind: 1_000 - minute }, minute * 60_000);
    }
    expect(timer.stalledFor(600 * 60_000)).toBe(0);
  });

  test("doesn't end where what comes in outruns it", () => {
    const timer = new StallTimer(0);
    for (const [second, behind] of [100, 90, 95, 91, 90, 99].entries()) {
      timer.note({ reason: "stream S waits for a", behind }, second * 1_000);
    }
    expect(timer.stalledFor(5_000)).toBe(4_000);
  });

  test("ends with another reason, and not with one that was there before", () => {
    const timer = new StallTimer(0);
    const reasons = ["no answer from a", "a: is still recovering", "no answer from a"];
    for (const [second, reason] of reasons.entries()) timer.note({ reason }, second * 1_000);
    expect(timer.stalledFor(2_000)).toBe(1_000);
  });

  test("doesn't end with numbers that change in a reason", () => {
    const timer = new StallTimer(0);
    timer.note({ reason: "rg1-az1: took 1.2 s, 17 of 20" }, 0);
    timer.note({ reason: "rg1-az1: took 1.3 s, 18 of 20" }, 1_000);
    expect(timer.stalledFor(1_000)).toBe(1_000);
    timer.note({ reason: "rg1-az2: took 1.3 s, 18 of 20" }, 2_000);
    expect(timer.stalledFor(2_000)).toBe(0);
  });

  test("tells whether the last look saw less to go, which neither the first one nor the same again is", () => {
    const timer = new StallTimer(0);
    const moving = [100, 100, 90, 95].map((behind) => {
      timer.note({ reason: "stream S waits for a", behind }, 0);
      return timer.isProgressing;
    });
    expect(moving).toEqual([false, false, true, false]);
  });
});

test("what there is to go is told, and that it goes on", () => {
  expect(describeWaitStatus({ reason: "stream S waits for a" })).toBe("stream S waits for a");
  expect(describeWaitStatus({ reason: "stream S waits for a", behind: 12_345 })).toBe(
    "stream S waits for a; 12,345 messages and operations to go, and it goes on as long as they get fewer",
  );
});
