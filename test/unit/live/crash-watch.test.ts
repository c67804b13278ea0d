import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CrashWatch } from "../../../live/engine/crash-watch.ts";
import { Engine } from "../../../live/engine/engine.ts";
import type { OwnNode } from "../../../live/engine/own-nodes.ts";

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const engine = new Engine({ variables: {} });

function nodes(...states: OwnNode["state"][]): OwnNode[] {
  return states.map((state, index) => ({
    name: `n${index}`,
    container: `c${index}`,
    engine,
    restartSettings: "",
    state,
  }));
}

test("that no node runs is told once it is so at two looks, some seconds apart", async () => {
  const watch = new CrashWatch("none runs");
  expect(await watch.look(nodes("down", "down"), 4_000)).toBeUndefined();
  expect(await watch.look(nodes("down", "down"), 5_000)).toBeUndefined();
  expect(await watch.look(nodes("down", "down"), 9_000)).toBeUndefined();
  expect(await watch.look(nodes("down", "down"), 10_000)).toBe("none runs");
});

test("one that runs meanwhile, or none at all, is no reason", async () => {
  const watch = new CrashWatch("none runs");
  await watch.look(nodes("down", "down"), 5_000);
  expect(await watch.look(nodes("down", "running"), 10_000)).toBeUndefined();
  expect(await watch.look(nodes("down", "down"), 15_000)).toBeUndefined();
  expect(await watch.look([], 20_000)).toBeUndefined();
});

test("where nobody asks for it, nodes may all be down", async () => {
  const watch = new CrashWatch();
  await watch.look(nodes("down"), 5_000);
  expect(await watch.look(nodes("down"), 10_000)).toBeUndefined();
});
