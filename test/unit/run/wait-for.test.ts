import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { WaitStatus } from "../../../lib/observed/waiting.ts";
import { waitFor } from "../../../run/wait-for.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Waits through looks, the last of which comes again and again. */
async function run(looks: readonly (WaitStatus | undefined)[]) {
  const said: string[] = [];
  const left = [...looks];
  const waiting = waitFor(async () => (left.length > 1 ? left.shift() : left[0]), {
    patience: 60_000,
    pause: 1_000,
    say: (line) => said.push(line),
    describeStall: (sight) => `it doesn't leave: ${sight}`,
  }).then(
    () => "done",
    (error: Error) => error.message,
  );
  await vi.runAllTimersAsync();
  return { outcome: await waiting, said };
}

test("what is there at once isn't waited for", async () => {
  expect(await run([undefined])).toEqual({ outcome: "done", said: [] });
});

test("what gets less is waited for, and told of now and then", async () => {
  const looks = Array.from({ length: 300 }, (_, index) => ({ reason: "S", behind: 300 - index }));
  const { outcome, said } = await run([...looks, undefined]);
  expect(outcome).toBe("done");
  expect(said.length).toBeGreaterThan(40);
  expect(said[0]).toMatch(/^S; 29\d messages and operations to go/);
});

test("what doesn't move is given up, with what was waited for", async () => {
  const { outcome } = await run([{ reason: "S", behind: 5 }]);
  expect(outcome).toBe("it doesn't leave: S; nothing has moved for 60 s");
});
