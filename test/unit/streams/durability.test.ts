import { describe, expect, test } from "vitest";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import {
  durabilityWarnings,
  formatSyncInterval,
  syncNotices,
} from "../../../lib/streams/durability.ts";

describe("syncNotices", () => {
  test("says nothing where every message is synced", () => {
    expect(syncNotices("always")).toEqual([]);
  });

  test.each([
    ["1000ms", "1s"],
    ["120000ms", "2m"],
    ["1.5ms", "1ms500us"],
    ["0.000001ms", "1ns"],
  ])("says how much is lost where %s may pass", (interval, shown) => {
    expect(formatSyncInterval(interval)).toBe(shown);
    expect(syncNotices(interval)).toEqual([
      expect.stringContaining(`up to ${shown} of acknowledged messages are lost`),
    ]);
  });
});

describe("durabilityWarnings", () => {
  test.each([
    [{}, []],
    [{ storage: "file", persist_mode: "default", num_replicas: 3 }, []],
    [{ persist_mode: "async" }, [/acknowledges messages before they are written/]],
    [{ storage: "memory" }, [/gone once its node stops$/]],
    [{ storage: "memory", num_replicas: 3 }, [/gone once all its nodes are down/]],
  ] as const)("of %j", (config, warnings) => {
    expect(durabilityWarnings({ name: "ORDERS", ...config })).toEqual(
      warnings.map((words) => expect.stringMatching(words)),
    );
  });
});

test("a plan notes all of it, streams with the same lot together", () => {
  const settings = {
    syncInterval: "1s",
    streams: {
      A: { storage: "memory", replicas: 3 },
      B: { storage: "memory", replicas: 3 },
      C: { persistMode: "async" },
    },
  };
  const { notices } = planCluster(
    parseSettings(settings, { project: "nats-regions", stack: "dev" }),
  );
  expect(notices).toEqual([
    expect.stringContaining("syncInterval 1s:"),
    expect.stringContaining("A, B: storage memory:"),
    expect.stringContaining("C: persistMode async"),
  ]);
});
