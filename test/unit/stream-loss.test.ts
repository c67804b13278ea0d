import { describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/stream-config.ts";
import { diffConfig } from "../../lib/stream-diff.ts";
import { describeContents, describeLosses } from "../../lib/stream-loss.ts";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const HOUR = 3_600_000_000_000;
const STATE = {
  messages: 1_000,
  bytes: 5 * 1024 ** 2,
  consumer_count: 0,
  first_ts: "2026-01-31T10:00:00Z",
  num_subjects: 900,
};

function losses(from: Partial<StreamConfig>, to: Partial<StreamConfig>, state = {}) {
  const config = (change: Partial<StreamConfig>) => ({ name: "ORDERS", ...change });
  return describeLosses(diffConfig(config(from), config(to)), { ...STATE, ...state }, NOW);
}

describe("describeLosses", () => {
  it.each([
    ["maxMsgs below what is there", {}, { max_msgs: 10 }, "990 of its 1,000 messages (5.0 MiB)"],
    ["maxBytes below what is there", {}, { max_bytes: 1024 }, "some of its 1,000 messages"],
    ["maxAge below the oldest message's", {}, { max_age: HOUR }, "some of its 1,000 messages"],
    ["maxMsgsPerSubject", {}, { max_msgs_per_subject: 100 }, "some of its 1,000 messages"],
    ["interest without a consumer", {}, { retention: "interest" }, "all of its 1,000 messages"],
  ] as const)("tells of %s", (_, from, to, words) => {
    expect(losses(from, to)).toEqual([expect.stringContaining(`${words}`)]);
  });

  it.each([
    ["maxMsgs above what is there", {}, { max_msgs: 1_000 }],
    ["maxMsgs taken away", { max_msgs: 1_000 }, {}],
    ["maxBytes above what is there", {}, { max_bytes: 5 * 1024 ** 2 }],
    ["maxAge above the oldest message's", {}, { max_age: 3 * HOUR }],
    ["maxAge taken away", { max_age: HOUR }, {}],
    ["maxMsgsPerSubject that no subject can exceed", {}, { max_msgs_per_subject: 101 }],
    ["smaller messages", {}, { max_msg_size: 10 }],
    ["another description", {}, { description: "orders" }],
    ["fewer replicas", { num_replicas: 3 }, { num_replicas: 1 }],
  ] as const)("is silent about %s", (_, from, to) => {
    expect(losses(from, to)).toEqual([]);
  });

  it("is silent about interest where a consumer waits", () => {
    expect(losses({}, { retention: "interest" }, { consumer_count: 1 })).toEqual([]);
  });

  it("is silent about an empty stream", () => {
    expect(losses({}, { max_msgs: 1 }, { messages: 0, bytes: 0 })).toEqual([]);
  });

  it("takes messages of an unknown age for old ones", () => {
    expect(losses({}, { max_age: HOUR }, { first_ts: undefined })).toHaveLength(1);
  });
});

it("writes what a stream holds for people", () => {
  expect(describeContents({ messages: 1, bytes: 40 })).toBe("1 message (40 B)");
});
