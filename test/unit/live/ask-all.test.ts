import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { askAll } from "../../../live/monitoring/ask-all.ts";

const NODES = ["near", "far", "gone"].map((name) => ({ name }));

describe("nodes that are asked at once", () => {
  test("are all waited for, but those beyond reach only a little longer than the others", async () => {
    const took = { near: 300, far: 600, gone: 60_000 };
    const began = performance.now();
    const ask = ({ name }: { readonly name: string }) =>
      sleep(took[name as keyof typeof took], name, { ref: false });
    expect(await askAll(NODES, ask, new Set(["far", "gone"]))).toEqual(["near", "far", undefined]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("are waited for as long as it takes, while their engines answer", async () => {
    const ask = ({ name }: { readonly name: string }) => sleep(name === "far" ? 1_000 : 0, name);
    expect(await askAll(NODES, ask)).toEqual(["near", "far", "gone"]);
  });
});
