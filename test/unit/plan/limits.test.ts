import { describe, expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const plan = (settings: object) =>
  planCluster(parseSettings(settings, { project: "nats-regions", stack: "dev" }));

const problemsOf = (settings: object) => {
  try {
    plan(settings);
    return [];
  } catch (error) {
    if (error instanceof PlanError)
      return error.problems.map(({ path, message }) => [path, message]);
    throw error;
  }
};

const stream = (more: object = {}) => ({ ORDERS: { subjects: ["orders.*"], ...more } });

describe("limits of servers", () => {
  test.each([
    [
      { image: "nats:2.14.9", defaultMaxConsumers: 50 },
      "defaultMaxConsumers",
      "nats-server 2.14.9 has no such option",
    ],
    [
      { maxPending: "1MiB", maxPayload: "2MiB" },
      "maxPending",
      "1MiB is less than one message may have: maxPayload is 2MiB",
    ],
    [
      { duplicateWindow: "1m", streams: stream() },
      "streams.ORDERS.duplicateWindow",
      "2m is more than any stream may have: the setting duplicateWindow is 1m",
    ],
    [
      {
        maxHaAssets: 1,
        streams: Object.fromEntries(
          [1, 2, 3, 4].map((n) => [`S${n}`, { subjects: [`s${n}`], replicas: 3 }]),
        ),
      },
      "maxHaAssets",
      "1 on each of 9 nodes is less than the 12 replicas of the streams",
    ],
  ])("refuse %j", (settings, path, message) => {
    expect(problemsOf(settings)).toEqual([[path, message]]);
  });

  test.each([
    { maxPending: "2MiB", maxPayload: "2MiB" },
    { duplicateWindow: "1m", streams: stream({ duplicateWindow: "1m" }) },
    { duplicateWindow: "1m", streams: stream({ maxAge: "30s" }) },
    { maxHaAssets: 1, streams: stream({ replicas: 3 }) },
  ])("allow %j", (settings) => {
    expect(problemsOf(settings)).toEqual([]);
  });

  test.each([
    { maxConnections: 9 },
    { maxControlLine: "1KiB" },
    { pingInterval: "10ms" },
    { pingMax: 0 },
    { maxOutstandingCatchup: "1KiB" },
  ])("are refused where nothing would work: %j", (settings) => {
    expect(problemsOf(settings)).toMatchObject([[Object.keys(settings)[0], expect.any(String)]]);
  });

  test("warn of logs with all that is sent", () => {
    expect(plan({ trace: true }).notices).toContainEqual(expect.stringMatching(/^trace: /));
    expect(plan({ debug: true }).notices).toEqual(plan({}).notices);
  });
});
