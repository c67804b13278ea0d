import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { stallTimerFrom, type WaitStatus } from "../../../lib/observed/waiting.ts";
import { type LookResult, until, type Waiting } from "../../../live/until.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

type Step = LookResult<string, WaitStatus>;

const SHOWN: Step = { shown: { reason: "S", behind: 5 } };

/** Waits through looks, the last of which comes again and again. @returns also when each look was. */
async function run(steps: readonly Step[], options: Partial<Waiting<string, WaitStatus>> = {}) {
  const left = [...steps];
  const looks: number[] = [];
  const said: [number, string][] = [];
  const waiting = until<string, WaitStatus>(
    async () => {
      looks.push(Date.now());
      return (left.length > 1 ? left.shift() : left[0]) ?? SHOWN;
    },
    {
      pause: 1_000,
      giveUp: ({ reason }) => `given up: ${reason}`,
      describe: ({ reason }) => reason,
      say: (line) => void said.push([Date.now(), line]),
      ...options,
    },
  ).catch((error: Error) => error.name);
  await vi.runAllTimersAsync();
  return { result: await waiting, looks, said };
}

describe("until", () => {
  test("what is done at the first look isn't waited for", async () => {
    expect(await run([{ done: "well" }])).toEqual({ result: "well", looks: [0], said: [] });
  });

  test("looks with a pause between, but at once where something was done", async () => {
    const { result, looks } = await run([SHOWN, { acted: true }, SHOWN, { done: "well" }]);
    expect({ result, looks }).toEqual({ result: "well", looks: [0, 1_000, 1_000, 2_000] });
  });

  test("pauses and gives up by what is shown", async () => {
    const steps = [
      { shown: { reason: "short", behind: 10 } },
      { shown: { reason: "long", behind: 100 } },
    ];
    const { result, looks } = await run(steps, {
      pause: ({ behind = 0 }) => behind,
      limit: ({ behind = 0 }) => behind,
    });
    expect({ result, looks }).toEqual({ result: "given up: long", looks: [0, 10, 110] });
  });

  test("gives up when it has lasted too long, whatever is shown meanwhile", async () => {
    const steps = Array.from({ length: 20 }, (_, index) => ({ shown: { reason: `${index}` } }));
    const { result, looks } = await run(steps, { limit: 5_000 });
    expect(result).toBe("given up: 6");
    expect(looks.at(-1)).toBe(6_000);
  });

  test("goes by time that passes, whatever somebody sets the clock to", async () => {
    for (const minutes of [10, -10]) {
      const start = performance.now();
      let looks = 0;
      const waiting = until<number, undefined>(
        () => {
          looks += 1;
          if (looks === 2) vi.setSystemTime(Date.now() + minutes * 60_000);
          return Promise.resolve({ shown: undefined });
        },
        { pause: 1_000, limit: 5_000, giveUp: () => performance.now() - start },
      );
      await vi.runAllTimersAsync();
      expect(await waiting).toBe(6_000);
    }
  });

  test("goes on as long as something moves, where that counts", async () => {
    const moving = Array.from({ length: 20 }, (_, index) => ({
      shown: { reason: "S", behind: 20 - index },
    }));
    const { result, looks } = await run(moving, { limit: 5_000, lasts: stallTimerFrom(0) });
    expect(result).toBe("given up: S");
    expect(looks.at(-1)).toBe(19_000 + 6_000);
  });

  test("tells what it waits for after some time, and now and then", async () => {
    const { said } = await run([SHOWN], { limit: 18_000 });
    expect(said).toEqual([
      [6_000, "S"],
      [12_000, "S"],
      [18_000, "S"],
    ]);
  });

  test("what isn't to be told doesn't put off the next line", async () => {
    const quiet = Array.from({ length: 9 }, () => ({ shown: { reason: "" } }));
    const describe = ({ reason }: WaitStatus) => reason || undefined;
    const { said } = await run([...quiet, SHOWN], { limit: 9_000, describe });
    expect(said).toEqual([[9_000, "S"]]);
  });

  test("throws what a look throws", async () => {
    const look = () => Promise.reject(new Error("no engine"));
    await expect(until(look, { pause: 1 })).rejects.toThrow("no engine");
  });

  test("ends in the midst of a pause when it is aborted", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 2_500);
    const { result, looks } = await run([SHOWN], { signal: controller.signal });
    expect({ result, looks }).toEqual({ result: "AbortError", looks: [0, 1_000, 2_000] });
    expect(await run([SHOWN], { signal: AbortSignal.abort() })).toMatchObject({
      result: "AbortError",
      looks: [],
    });
  });
});
