import { describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/stream-config.ts";
import { imageVersion, type ServerVersion, tooNewFor, whyNotTogether } from "../../lib/versions.ts";

describe("imageVersion", () => {
  it.each([
    ["nats:2.15.2", [2, 15, 2]],
    ["nats:2.15.2-alpine", [2, 15, 2]],
    [`registry.example:5000/nats:v2.12.6@sha256:${"0".repeat(64)}`, [2, 12, 6]],
    ["nats:latest", undefined],
    ["nats", undefined],
    ["registry.example:5000/nats", undefined],
  ])("of %s", (image, version) => {
    expect(imageVersion(image)).toEqual(version);
  });
});

describe("tooNewFor", () => {
  const paths = (version: ServerVersion, change: Partial<StreamConfig>, policy = {}) =>
    tooNewFor(version, { name: "ORDERS", ...change }, policy).map(({ path }) => path);
  const consumer = { name: "c", deliver_subject: "d" };

  it.each([
    ["a counter before 2.12", [2, 11, 15], { allow_msg_counter: true }, ["allowMsgCounter"]],
    ["a counter", [2, 12, 6], { allow_msg_counter: true }, []],
    ["a counter that is off", [2, 11, 15], { allow_msg_counter: false }, []],
    ["message TTL", [2, 11, 15], { allow_msg_ttl: true }, []],
    [
      "the consumer of a source before 2.14",
      [2, 12, 6],
      { sources: [{ name: "A" }, { name: "B", consumer }] },
      ["sources[1].consumer"],
    ],
    ["the consumer of a mirror", [2, 14, 0], { mirror: { name: "A", consumer } }, []],
    ["anything, of a third major", [3, 0, 0], { allow_msg_counter: true }, []],
  ] as const)("%s", (_, version, change, expected) => {
    expect(paths(version, change)).toEqual(expected);
  });

  it("says what to do", () => {
    expect(tooNewFor([2, 11, 15], { name: "S" }, { recreate: "viaBackup" })).toEqual([
      {
        path: "recreate",
        message: "needs nats-server 2.12, and the servers are 2.11",
        fix: "set image to a newer one",
      },
    ]);
  });
});

it.each<[string, string, boolean]>([
  ["2.15.2", "2.15.0", true],
  ["2.15.2", "2.14.7", true],
  ["2.14.7", "2.15.2", true],
  ["2.15.0", "2.14.6", false],
  ["2.14.6", "2.15.0", false],
  ["2.12.6", "2.15.2", false],
  ["2.12.6", "2.14.0", true],
  ["2.15.0", "3.0.0", true],
])("%s and %s in one cluster: %s", (one, other, fit) => {
  const version = (text: string) => imageVersion(`nats:${text}`) ?? [0, 0, 0];
  const reason = whyNotTogether(version(one), version(other));
  if (fit) expect(reason).toBe(undefined);
  else expect(reason).toMatch(/works beside 2\.14\.7 and later, not beside 2\.1/);
});
