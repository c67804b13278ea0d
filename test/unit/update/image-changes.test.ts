import { describe, expect, it } from "vitest";
import type { ObservedStream } from "../../../lib/observed/observed.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { imageChange, imageEffects } from "../../../lib/update/image-changes.ts";

const planOf = (settings: object) =>
  planCluster(parseSettings(settings, { project: "p", stack: "s" }));

const UP = { oldest: [2, 14, 9], newest: [2, 14, 9], planned: [2, 15, 2] } as const;
const DOWN = { oldest: [2, 14, 9], newest: [2, 15, 2], planned: [2, 14, 9] } as const;

describe("imageChange", () => {
  it("is between the versions that run and the planned one, those of half a rollout too", () => {
    const images = ["nats:2.15.2", undefined, "nats:2.14.9-alpine"];
    expect(imageChange(images, "nats:2.15.2")).toEqual({
      oldest: [2, 14, 9],
      newest: [2, 15, 2],
      planned: [2, 15, 2],
    });
  });

  it.each([[[]], [[undefined]], [["nats:2.15.2", "a.b/nats:2.15.2-alpine"]]])(
    "is none where the version stays: %j",
    (images) => {
      expect(imageChange(images, "nats:2.15.2")).toBe(undefined);
    },
  );
});

describe("imageEffects", () => {
  const observed = (change: Partial<ObservedStream>, consumers = 0): ObservedStream => ({
    account: "APP",
    name: "DEV",
    config: { name: "DEV" },
    hosts: ["rg1-az1"],
    leader: "rg1-az1",
    ill: [],
    pending: [],
    isChanging: false,
    messages: 0,
    bytes: 0,
    behind: 0,
    consumers: Array.from({ length: consumers }, (_, index) => ({
      name: `c${index}`,
      hosts: ["rg1-az1"],
      leader: "rg1-az1",
      ill: [],
    })),
    ...change,
  });
  const effects = (
    change: Parameters<typeof imageEffects>[0],
    streams: readonly ObservedStream[],
    settings: object = {},
  ) => imageEffects(change, { servers: [], silent: [], streams }, planOf(settings));

  it("names streams that the default limit of 2.15 would bar from more consumers", () => {
    const streams = [
      observed({}, 1_500),
      observed({ name: "SOON" }, 900),
      observed({ name: "FEW" }, 899),
      observed({ name: "OWN", config: { name: "OWN", max_consumers: 5_000 } }, 1_500),
    ];
    const { notices } = effects(UP, streams);
    expect(notices).toEqual([
      expect.stringMatching(
        /^stream DEV \(account APP\) has 1,500 consumers: from nats-server 2\.15 on it may have 1,000, .*nats stream edit DEV --max-consumers/,
      ),
      expect.stringMatching(/^stream SOON .* 900 consumers/),
    ]);
    expect(effects({ ...UP, oldest: [2, 15, 0] }, streams).notices).toEqual([]);
    expect(effects(DOWN, streams).notices).toEqual([]);
  });

  it("goes by what the settings make of a stream, and by its account's limit", () => {
    const streams = [observed({}, 1_500)];
    const dev = (fields: object) => ({ streams: { DEV: { subjects: ["dev.>"], ...fields } } });
    expect(effects(UP, streams, dev({})).notices.join()).toContain("set streams.DEV.maxConsumers");
    expect(effects(UP, streams, dev({ maxConsumers: 5_000 })).notices).toEqual([]);
    const accounts = { APP: { jetStream: { maxConsumers: 2_000 } } };
    expect(effects(UP, streams, { ...dev({}), accounts }).notices).toEqual([]);
  });

  it("refuses to go back before 2.15 while a stream moves", () => {
    const streams = [observed({ isChanging: true }), observed({ name: "CALM" })];
    expect(effects(DOWN, streams).refusals).toEqual([
      expect.stringMatching(/^stream DEV \(account APP\) is being moved or scaled/),
    ]);
    expect(effects(UP, streams).refusals).toEqual([]);
  });
});

it("a plan says what maxConsumers -1 means", () => {
  const warnings = (settings: object) => {
    const streams = { DEV: { subjects: ["dev.>"], replicas: 3, maxConsumers: -1 } };
    return planOf({ streams, ...settings }).notices.filter((notice) =>
      notice.includes("maxConsumers"),
    );
  };
  expect(warnings({})).toEqual([expect.stringContaining("takes it for 1,000 from 2.15 on")]);
  expect(warnings({ image: "nats:2.14.9" })).toEqual([]);
  expect(warnings({ accounts: { APP: { jetStream: { maxConsumers: 2_000 } } } })).toEqual([]);
});
