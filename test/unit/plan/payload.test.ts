import { describe, expect, test } from "vitest";
import type { AccountPlan } from "../../../lib/accounts/account-settings.ts";
import { configDigest, renderNodeConf, restartFields } from "../../../lib/nodes/nats-conf.ts";
import { payloadNotices, payloadProblems } from "../../../lib/plan/payload.ts";
import { nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const MIB = 1024 ** 2;

function account(payload?: number, jetStream: AccountPlan["jetStream"] = {}): AccountPlan {
  const limits = payload === undefined ? {} : { payload };
  return { name: "APP", users: [], limits, jetStream, exports: [], imports: [] };
}

const stream = (config: object = {}) => ({
  key: "ORDERS",
  account: "APP",
  config: { name: "ORDERS", subjects: ["orders.*"], ...config },
});

const plan = (settings: object) =>
  planCluster(parseSettings(settings, { project: "nats-regions", stack: "dev" }));

describe("payloadProblems", () => {
  test.each([
    [
      "a limit of an account",
      [account(8 * MIB)],
      [],
      "accounts.APP.limits.payload",
      "8MiB is more than any message may have: maxPayload is 1MiB",
    ],
    [
      "a stream's messages",
      [account()],
      [stream({ max_msg_size: 8 * MIB })],
      "streams.ORDERS.maxMsgSize",
      "8MiB is more than any",
    ],
    [
      "what is too little for a config",
      [account(512)],
      [stream()],
      "accounts.APP.limits.payload",
      "512 is too little for the config of stream ORDERS, which takes",
    ],
    [
      "what is too little for any request",
      [account(100)],
      [],
      "accounts.APP.limits.payload",
      "100 is too little for what the stack asks of JetStream",
    ],
  ] as const)("refuses %s", (_, accounts, streams, path, message) => {
    const [problem, ...others] = payloadProblems(MIB, accounts, streams);
    expect(others).toEqual([]);
    expect(problem?.path).toBe(path);
    expect(problem?.message).toContain(message);
  });

  test("takes what can have an effect", () => {
    const streams = [stream({ max_msg_size: 8 * MIB })];
    expect(payloadProblems(8 * MIB, [account(8 * MIB)], streams)).toEqual([]);
    expect(payloadProblems(MIB, [account(1024)], [stream()])).toEqual([]);
    expect(payloadProblems(MIB, [account(1, false)], [])).toEqual([]);
  });

  test("names maxPayload where that is what a config doesn't fit in", () => {
    const description = "x".repeat(2_000);
    const [problem] = payloadProblems(1_024, [account()], [stream({ description })]);
    expect(problem?.path).toBe("maxPayload");
  });
});

test("warns where nats-server does", () => {
  expect(payloadNotices(8 * MIB)).toEqual([]);
  expect(payloadNotices(9 * MIB)).toEqual([expect.stringContaining("maxPayload 9MiB")]);
});

describe("the setting maxPayload", () => {
  const [usual] = nodesOf(plan({}));
  const [raised] = nodesOf(plan({ maxPayload: "8MiB" }));

  test("is in no config by default, and no reason for a restart", () => {
    expect(usual?.confText).not.toContain("max_payload");
    expect(nodesOf(plan({ maxPayload: "1MiB" }))[0]?.confText).toBe(usual?.confText);
    expect(raised?.restartSettings).toEqual(usual?.restartSettings);
    if (!raised) throw new Error("no node");
    expect(renderNodeConf(raised.conf)).toContain(`"max_payload": ${8 * MIB}`);
    expect(restartFields(raised.conf)).not.toHaveProperty("maxPayload");
    expect(
      configDigest(raised.conf, {
        systemUser: "sys",
        accounts: [],
        hashes: { sys: "x" },
        managers: {},
      }),
    ).toMatch(/^sha256:/);
  });

  test("is refused where nats-server wouldn't start", () => {
    expect(() => plan({ maxPayload: "65MiB" })).toThrow("maxPayload: 65MiB is more than 64MiB");
    expect(() => plan({ maxPayload: "1B" })).toThrow("maxPayload: 1 is less than 1KiB");
  });
});
