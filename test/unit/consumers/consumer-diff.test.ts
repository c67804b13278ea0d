import { describe, expect, test } from "vitest";
import {
  adoptObservedConsumer,
  describeConsumerChange,
  diffConsumer,
  requestedConfig,
} from "../../../lib/consumers/consumer-diff.ts";
import type { ConsumerConfig } from "../../../lib/consumers/consumer-fields.ts";
import { withLimits } from "../../../lib/consumers/consumer-limits.ts";
import { describeStanding, placeOf } from "../../../lib/consumers/standing.ts";
import { atSequence, keepStart, startingAt } from "../../../lib/consumers/start-note.ts";

const SECOND = 1_000_000_000;

/** What nats-server 2.15.2 tells of a consumer for which only a name was given. */
const OBSERVED: ConsumerConfig = {
  name: "worker",
  durable_name: "worker",
  deliver_policy: "all",
  ack_policy: "explicit",
  ack_wait: 30 * SECOND,
  max_deliver: -1,
  replay_policy: "instant",
  max_waiting: 512,
  max_ack_pending: 1_000,
  num_replicas: 0,
  metadata: { "_nats.level": "5", "_nats.req.level": "0", "_nats.ver": "2.15.2" },
};

function changes(from: ConsumerConfig, to: ConsumerConfig): string[] {
  return diffConsumer(from, to).map(
    (change) => `${describeConsumerChange(change)} (${change.effect})`,
  );
}

describe("a consumer's config", () => {
  test("is equal to what the server makes of it", () => {
    expect(changes(OBSERVED, { name: "worker" })).toEqual([]);
  });

  test("means the same with one filter in a list", () => {
    expect(
      changes({ name: "w", filter_subject: "a.*" }, { name: "w", filter_subjects: ["a.*"] }),
    ).toEqual([]);
  });

  test("has no wait of its own beside backoff", () => {
    const backoff = [SECOND, 5 * SECOND];
    expect(changes({ name: "w", ack_wait: SECOND, backoff }, { name: "w", backoff })).toEqual([]);
  });

  test("differs by what the server can change, and by what it can't", () => {
    expect(
      changes(OBSERVED, {
        name: "worker",
        ack_wait: 60 * SECOND,
        max_waiting: 10,
        max_ack_pending: -1,
        num_replicas: 1,
        backoff: [SECOND, 5 * SECOND],
      }),
    ).toEqual([
      "backoff: none → 1s, 5s (in place)",
      "maxAckPending: 1000 → unlimited (in place)",
      "maxWaiting: 512 → 10 (refused)",
      "replicas: 0 → 1 (scales)",
    ]);
  });

  test.each([
    ["", "to.here", "a pull consumer can't become a push consumer"],
    ["to.here", "", "a push consumer can't become a pull consumer"],
  ])("can't go from deliver subject %j to %j", (from, to, reason) => {
    const configOf = (deliver_subject: string) => ({ name: "w", deliver_subject });
    expect(diffConsumer(configOf(from), configOf(to))).toContainEqual(
      expect.objectContaining({ path: "deliverSubject", effect: "refused", reason }),
    );
  });

  test("is requested with explicit acknowledgement, unless the settings say otherwise", () => {
    expect(requestedConfig({ name: "w" })).toEqual({
      name: "w",
      durable_name: "w",
      ack_policy: "explicit",
    });
    expect(requestedConfig({ name: "w", ack_policy: "none" }).ack_policy).toBe("none");
  });

  test("takes over what the server has, in the words of the settings", () => {
    const written = { name: "worker", filter_subject: "a.b", ack_wait: 5 * SECOND };
    const observed = { ...OBSERVED, filter_subjects: ["a.b", "c"], ack_wait: 5 * SECOND };
    expect(adoptObservedConsumer(written, observed)).toEqual({
      name: "worker",
      filter_subjects: ["a.b", "c"],
      ack_wait: 5 * SECOND,
    });
  });
});

describe("a consumer that was made anew where another one stood", () => {
  const wanted: ConsumerConfig = {
    name: "w",
    deliver_policy: "by_start_sequence",
    opt_start_seq: 3,
  };
  const made = startingAt(wanted, atSequence(1_201));

  test("begins there, and is no different from what the settings say", () => {
    expect(made).toMatchObject({ deliver_policy: "by_start_sequence", opt_start_seq: 1_201 });
    expect(changes(made, wanted)).toEqual([]);
  });

  test.each<ConsumerConfig>([
    { name: "w" },
    { name: "w", deliver_policy: "new" },
    { name: "w", deliver_policy: "by_start_time", opt_start_time: "2026-01-31T13:00:00+01:00" },
  ])("is that for %j, too", (config) => {
    expect(changes(startingAt(config, atSequence(7)), config)).toEqual([]);
  });

  test("differs once the settings say something else", () => {
    expect(changes(made, { name: "w", deliver_policy: "new" })).toEqual([
      "deliverPolicy: by_start_sequence → new (refused)",
      "startSequence: 3 → 0 (refused)",
    ]);
  });

  test("keeps its beginning in an update, as the server demands", () => {
    const described = { ...wanted, description: "d", metadata: { team: "a" } };
    expect(keepStart(described, made)).toMatchObject({
      description: "d",
      opt_start_seq: 1_201,
      metadata: { team: "a", "nats-regions.start": "by_start_sequence 3" },
    });
    expect(keepStart({ name: "w", deliver_policy: "new" }, made).opt_start_seq).toBeUndefined();
  });
});

describe("limits", () => {
  test("of the stream go before all others", () => {
    const limits = { max_ack_pending: 50, inactive_threshold: SECOND };
    expect(withLimits({ name: "w" }, { consumer_limits: limits }, { maxAckPending: 100 })).toEqual({
      name: "w",
      max_ack_pending: 50,
      inactive_threshold: SECOND,
    });
  });

  test("that exceed the default change nothing", () => {
    expect(withLimits({ name: "w" }, {}, { maxAckPending: 5_000 })).toEqual({ name: "w" });
    expect(withLimits({ name: "w" }, {}, { maxAckPending: 100, maxRequestBatch: 10 })).toEqual({
      name: "w",
      max_ack_pending: 100,
      max_batch: 10,
    });
  });

  test("leave what the settings say", () => {
    const config = { name: "w", max_ack_pending: 5, max_batch: 2, deliver_subject: "" };
    expect(withLimits(config, {}, { maxAckPending: 100, maxRequestBatch: 10 })).toEqual(config);
  });
});

test("where a consumer stands is told in one sentence", () => {
  const standing = {
    num_pending: 1,
    num_ack_pending: 5,
    num_redelivered: 2,
    ack_floor: { stream_seq: 1_200 },
    delivered: { stream_seq: 1_205 },
  };
  expect(describeStanding(standing)).toBe(
    "all is acknowledged up to sequence 1,200; 1 message waits for delivery, 5 for acknowledgement, 2 of them delivered more than once",
  );
});

test.each([
  [{ deliver_policy: "all" }, 7, [9, 9], { deliver_policy: "by_start_sequence", opt_start_seq: 8 }],
  [
    { deliver_policy: "new" },
    0,
    [9, 0],
    { deliver_policy: "by_start_sequence", opt_start_seq: 10 },
  ],
  [{ deliver_policy: "all" }, 0, [9, 9], { deliver_policy: "by_start_sequence", opt_start_seq: 1 }],
  [{ deliver_policy: "new" }, 0, [9, 2], { deliver_policy: "by_start_time", opt_start_time: "T" }],
  [{ deliver_policy: "last" }, 0, [9, 2], undefined],
  [
    { deliver_policy: "by_start_sequence", opt_start_seq: 3 },
    0,
    [9, 2],
    { deliver_policy: "by_start_sequence", opt_start_seq: 3 },
  ],
] as const)(
  "one of %j with floor %i and deliveries %j goes on at %j",
  (start, floor, [last, count], next) => {
    const standing = {
      num_pending: 0,
      num_ack_pending: 0,
      ack_floor: { stream_seq: floor },
      delivered: { stream_seq: last, consumer_seq: count },
    };
    expect(placeOf(standing, { name: "w", ...start }, "T")).toEqual(next);
  },
);
