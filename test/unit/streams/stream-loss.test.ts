import { describe, expect, it } from "vitest";
import { diffConfig } from "../../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import {
  type ConsumerProgress,
  dependsOnConsumers,
  dependsOnSubjects,
  describeContents,
  describeExcesses,
  describeLosses,
} from "../../../lib/streams/stream-loss.ts";

const NOW = Date.parse("2026-01-31T12:00:00Z");
const HOUR = 3_600_000_000_000;
const STATE = {
  messages: 1_000,
  bytes: 5 * 1024 ** 2,
  consumer_count: 0,
  first_ts: "2026-01-31T10:00:00Z",
  num_subjects: 900,
};

function losses(
  from: Partial<StreamConfig>,
  to: Partial<StreamConfig>,
  state = {},
  consumers?: readonly ConsumerProgress[],
) {
  const [config, desired] = [from, to].map((change) => ({ name: "ORDERS", ...change })) as [
    StreamConfig,
    StreamConfig,
  ];
  const contents = {
    config,
    state: { ...STATE, ...state, ...(consumers ? { consumer_count: consumers.length } : {}) },
    ...(consumers ? { consumers } : {}),
  };
  return describeLosses(diffConfig(config, desired), desired, contents, NOW);
}

/** A consumer of messages 1 to 1,000 that was given the first `delivered` ones. */
function consumer(
  delivered: number,
  { pending = 0, floor = -1 }: { pending?: number; floor?: number } = {},
): ConsumerProgress {
  return {
    name: "worker",
    num_pending: 1_000 - delivered,
    num_ack_pending: pending,
    delivered: { stream_seq: delivered },
    ack_floor: { stream_seq: floor < 0 ? delivered - pending : floor },
  };
}

const FROM_MIRROR = { mirror: { name: "ORIGIN" } };

describe("describeLosses", () => {
  it.each([
    ["maxMsgs below what is there", {}, { max_msgs: 10 }, "990 of its 1,000 messages (5.0 MiB)"],
    ["maxBytes below what is there", {}, { max_bytes: 1024 }, "some of its 1,000 messages"],
    ["maxAge below the oldest message's", {}, { max_age: HOUR }, "some of its 1,000 messages"],
    ["maxMsgsPerSubject", {}, { max_msgs_per_subject: 100 }, "some of its 1,000 messages"],
    ["interest without a consumer", {}, { retention: "interest" }, "all of its 1,000 messages"],
    [
      "no more refusals by a stream that holds more than it may",
      { max_msgs: 10, discard: "new" },
      { max_msgs: 10 },
      "990 of its 1,000 messages",
    ],
    [
      "the same by size",
      { max_bytes: 1024, discard: "new" },
      { max_bytes: 1024 },
      "some of its 1,000 messages",
    ],
    [
      "lifetimes that begin to count for copies",
      FROM_MIRROR,
      { ...FROM_MIRROR, allow_msg_ttl: true },
      "those whose own lifetime is over",
    ],
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
    ["a lower maxMsgs of one that refuses messages", {}, { max_msgs: 10, discard: "new" }],
    ["a lower maxBytes of one that refuses", {}, { max_bytes: 10, discard: "new" }],
    ["a lower maxMsgs of one that is sealed", {}, { max_msgs: 10, sealed: true }],
    ["refusals of more than it holds", { discard: "new" }, { max_msgs: 1_000 }],
    ["lifetimes of its own messages", {}, { allow_msg_ttl: true }],
    ["smaller messages", {}, { max_msg_size: 10 }],
    ["another description", {}, { description: "orders" }],
    ["fewer replicas", { num_replicas: 3 }, { num_replicas: 1 }],
  ] as const)("is silent about %s", (_, from, to) => {
    expect(losses(from, to)).toEqual([]);
  });

  it.each([
    ["has acknowledged some", [consumer(400)], "up to 400 of its 1,000 messages"],
    ["has acknowledged all", [consumer(1_000)], "all of its 1,000 messages"],
    ["waits for acknowledgements", [consumer(400, { pending: 100 })], "up to 300 of its 1,000"],
    ["went on past others", [consumer(400, { pending: 100, floor: 0 })], "up to 300 of its 1,000"],
    ["is one of two", [consumer(1_000), consumer(400)], "up to 400 of its 1,000 messages"],
    ["doesn't answer", undefined, "what its consumers have acknowledged, of its 1,000 messages"],
  ] as const)("tells of interest where a consumer %s", (_, consumers, words) => {
    const state = consumers ? {} : { consumer_count: 1 };
    expect(losses({}, { retention: "interest" }, state, consumers)).toEqual([
      expect.stringContaining(words),
    ]);
  });

  it("doesn't count as awaited what may have been deleted since it was given away", () => {
    const state = { first_seq: 901, messages: 100 };
    const slow = consumer(1_000, { pending: 150, floor: 800 });
    expect(losses({}, { retention: "interest" }, state, [slow])).toEqual([
      expect.stringContaining("up to 50 of its 100 messages"),
    ]);
    expect(losses({}, { retention: "interest" }, { num_deleted: 5 }, [slow])).toHaveLength(1);
  });

  it("counts what goes where it is told how many messages each subject has", () => {
    const name = "ORDERS";
    const contents = { config: { name }, state: STATE, subjects: [10, 100, 8] };
    const lost = (limit: number) => {
      const desired = { name, max_msgs_per_subject: limit };
      const changes = diffConfig(contents.config, desired);
      expect(dependsOnSubjects(changes, STATE)).toBe(limit < 101);
      return describeLosses(changes, desired, contents, NOW);
    };
    expect(lost(9)).toEqual([expect.stringContaining("92 of its 1,000 messages")]);
    expect(lost(100)).toEqual([]);
    expect(lost(101)).toEqual([]);
  });

  it("is silent about interest where one consumer still waits for all", () => {
    expect(losses({}, { retention: "interest" }, {}, [consumer(0), consumer(900)])).toEqual([]);
    expect(losses({ retention: "interest" }, {}, {}, [consumer(900)])).toEqual([]);
  });

  it("is silent about an empty stream", () => {
    expect(losses({}, { max_msgs: 1 }, { messages: 0, bytes: 0 })).toEqual([]);
  });

  it("takes messages of an unknown age for old ones", () => {
    expect(losses({}, { max_age: HOUR }, { first_ts: undefined })).toHaveLength(1);
  });
});

it("names consumers that have more than new limits grant, and no other", () => {
  const name = "ORDERS";
  const desired = { name, consumer_limits: { max_ack_pending: 100, inactive_threshold: HOUR } };
  const changes = diffConfig({ name }, desired);
  const limited = (config: ConsumerProgress["config"]) => ({
    ...consumer(0),
    ...(config ? { config } : {}),
  });
  const consumers = [
    limited({ max_ack_pending: 101 }),
    limited({ inactive_threshold: 2 * HOUR }),
    limited({ max_ack_pending: -1, inactive_threshold: HOUR }),
    limited(undefined),
  ];
  expect(describeExcesses(changes, desired, consumers)).toEqual([
    expect.stringContaining("consumer worker has maxAckPending 101, above 100; raise"),
    expect.stringContaining("consumer worker has inactiveThreshold 2h, above 1h; raise"),
  ]);
  expect(describeExcesses([], desired, consumers)).toEqual([]);
  expect(describeExcesses(diffConfig(desired, { name }), { name }, consumers)).toEqual([]);
  expect(dependsOnConsumers(changes, { ...STATE, messages: 0, consumer_count: 1 })).toBe(true);
});

it("writes what a stream holds for people", () => {
  expect(describeContents({ messages: 1, bytes: 40 })).toBe("1 message (40 B)");
});
