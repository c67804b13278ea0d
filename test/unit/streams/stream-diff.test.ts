import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  adoptObserved,
  completeConfig,
  describeChange,
  diffConfig,
  mergeTagOrder,
  normalizeConfig,
  restatePlacement,
} from "../../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";

const SECOND = 1_000_000_000;
const NAME = "ORDERS";

function diff(from: Partial<StreamConfig>, to: Partial<StreamConfig>) {
  return diffConfig({ name: NAME, ...from }, { name: NAME, ...to });
}

/** As `$JS.API.STREAM.INFO` of nats-server 2.15.2 shows a stream created with a name, a subject and tags. */
const OBSERVED = {
  name: NAME,
  subjects: ["orders.>"],
  retention: "limits",
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: "old",
  storage: "file",
  num_replicas: 3,
  duplicate_window: 120 * SECOND,
  placement: { tags: ["rg:2", "!az:1"] },
  compression: "none",
  allow_direct: false,
  mirror_direct: false,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  consumer_limits: {},
  allow_msg_ttl: false,
  metadata: { "_nats.level": "5", "_nats.req.level": "0", "_nats.ver": "2.15.2" },
} satisfies StreamConfig;

const WRITTEN: StreamConfig = {
  name: NAME,
  subjects: ["orders.>"],
  num_replicas: 3,
  placement: { tags: ["!az:1", "rg:2"] },
};

const config: fc.Arbitrary<StreamConfig> = fc
  .record(
    {
      subjects: fc.uniqueArray(fc.constantFrom("a", "b.>", "c.*"), { maxLength: 3 }),
      num_replicas: fc.integer({ min: 1, max: 5 }),
      max_age: fc.constantFrom(0, 60 * SECOND, 3_600 * SECOND),
      max_msgs: fc.constantFrom(-1, 0, 10),
      storage: fc.constantFrom("file" as const, "memory" as const),
      duplicate_window: fc.constantFrom(0, 30 * SECOND, 120 * SECOND),
      placement: fc.record(
        {
          tags: fc.array(fc.constantFrom("rg:1", "az:2", "!x")),
          cluster: fc.constantFrom("", "c1"),
        },
        { requiredKeys: [] },
      ),
      metadata: fc.dictionary(fc.constantFrom("a", "b", "_nats.ver"), fc.string(), {
        noNullPrototype: true,
      }),
      consumer_limits: fc.record({ max_ack_pending: fc.constantFrom(0, 5) }, { requiredKeys: [] }),
      mirror: fc.record(
        { name: fc.constant("A"), filter_subject: fc.constantFrom("", "x") },
        { requiredKeys: ["name"] },
      ),
      deny_delete: fc.boolean(),
      sealed: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .map((fields) => ({ name: NAME, ...fields }));

describe("comparing", () => {
  it("sees no difference between what was written and what the server makes of it", () => {
    expect(diffConfig(WRITTEN, OBSERVED)).toEqual([]);
    expect(normalizeConfig(OBSERVED)).toEqual({
      name: NAME,
      num_replicas: 3,
      placement: { tags: ["!az:1", "rg:2"] },
      subjects: ["orders.>"],
    });
  });

  it.each([
    [{ subjects: [NAME] }, {}],
    [{ subjects: ["b", "a"] }, { subjects: ["a", "b"] }],
    [{ max_msgs: 0 }, { max_msgs: -1 }],
    [{ placement: {} }, {}],
    [{ placement: { tags: [] } }, {}],
    [{ placement: { tags: ["a", "a"] } }, { placement: { tags: ["a"] } }],
    [{ max_age: 60 * SECOND }, { max_age: 60 * SECOND, duplicate_window: 60 * SECOND }],
    [{ mirror: { name: "A" }, mirror_direct: true }, { mirror: { name: "A" } }],
    [{ mirror: { name: "A" } }, { mirror: { name: "A" }, duplicate_window: 0 }],
    [
      { sealed: true, max_age: SECOND },
      { sealed: true, discard: "new", deny_purge: true },
    ],
    [{ republish: { src: ">", dest: "x.>" } }, { republish: { dest: "x.>" } }],
    [
      { sources: [{ name: "A", opt_start_time: "2026-01-31T13:00:00+01:00" }] },
      { sources: [{ name: "A", opt_start_time: "2026-01-31T12:00:00Z" }] },
    ],
  ] as [Partial<StreamConfig>, Partial<StreamConfig>][])("takes %j and %j for the same", (a, b) => {
    expect(diff(a, b)).toEqual([]);
  });

  it("has one form for configs that are the same, and it is its own", () => {
    fc.assert(
      fc.property(config, (given) => {
        const normal = normalizeConfig(given) as unknown as StreamConfig;
        expect(normalizeConfig(normal)).toEqual(normal);
        expect(diffConfig(given, normal)).toEqual([]);
        expect(diffConfig(completeConfig(given), given)).toEqual([]);
      }),
    );
  });

  it("finds the same fields both ways", () => {
    fc.assert(
      fc.property(config, config, (a, b) => {
        const paths = (changes: ReturnType<typeof diffConfig>) => changes.map(({ path }) => path);
        expect(paths(diffConfig(a, b))).toEqual(paths(diffConfig(b, a)));
      }),
    );
  });
});

describe("effects of an update", () => {
  it.each([
    ["description", {}, { description: "x" }, "in place"],
    ["replicas", {}, { num_replicas: 3 }, "scales"],
    ["placement", {}, { placement: { tags: ["a"] } }, "moves"],
    ["placement", { placement: { tags: ["a"] } }, { placement: { tags: ["b"] } }, "moves"],
    ["placement", { placement: { tags: ["a"] } }, {}, "in place"],
    ["storage", {}, { storage: "memory" }, "refused"],
    ["retention", {}, { retention: "interest" }, "in place"],
    ["retention", {}, { retention: "workqueue" }, "refused"],
    ["retention", { retention: "workqueue" }, {}, "refused"],
    ["firstSequence", {}, { first_seq: 5 }, "refused"],
    ["persistMode", {}, { persist_mode: "async" }, "refused"],
    ["allowMsgCounter", {}, { allow_msg_counter: true }, "refused"],
    ["denyDelete", {}, { deny_delete: true }, "in place"],
    ["denyDelete", { deny_delete: true }, {}, "refused"],
    ["denyPurge", { deny_purge: true }, {}, "refused"],
    ["allowMsgTtl", { allow_msg_ttl: true }, {}, "refused"],
    ["allowMsgSchedules", { allow_msg_schedules: true }, {}, "refused"],
    ["mirror", { mirror: { name: "A" } }, { mirror: { name: "B" } }, "refused"],
    ["mirror", { mirror: { name: "A" } }, { subjects: [NAME] }, "in place"],
  ] as [string, Partial<StreamConfig>, Partial<StreamConfig>, string][])(
    "%s from %j to %j: %s",
    (path, from, to, effect) => {
      expect(diff(from, to).find((change) => change.path === path)).toMatchObject({ effect });
    },
  );

  it("of another name are refused", () => {
    expect(
      diffConfig({ name: "A", subjects: ["a"] }, { name: "B", subjects: ["a"] }),
    ).toMatchObject([{ path: "name", from: "A", to: "B", effect: "refused" }]);
  });

  it("say what a lower limit costs", () => {
    expect(diff({ max_msgs: 10 }, { max_msgs: 5 })).toMatchObject([
      { reason: "messages beyond it are deleted at once" },
    ]);
    expect(diff({ max_msgs: 5 }, { max_msgs: 10 })[0]).not.toHaveProperty("reason");
    expect(diff({}, { max_age: SECOND })).toMatchObject([{ path: "maxAge", reason: /deleted/ }]);
    expect(diff({ max_msgs: 5 }, {})[0]).not.toHaveProperty("reason");
  });
});

describe("in words", () => {
  it.each([
    [{}, { storage: "memory" }, "storage: file → memory"],
    [{ max_age: 3_600 * SECOND }, {}, "maxAge: 1h → 0"],
    [{}, { max_bytes: 1024 ** 3 }, "maxBytes: unlimited → 1GiB"],
    [{}, { max_msgs: 5 }, "maxMsgs: unlimited → 5"],
    [{}, { deny_delete: true }, "denyDelete: false → true"],
    [{}, { placement: { tags: ["a"] } }, 'placement: none → {"tags":["a"]}'],
    [{ description: "x" }, {}, 'description: x → ""'],
  ] as [Partial<StreamConfig>, Partial<StreamConfig>, string][])("%j to %j", (from, to, words) => {
    expect(diff(from, to).map(describeChange)).toContain(words);
  });
});

describe("sending", () => {
  it("completes a config with what it leaves out, but for fields that older servers don't know", () => {
    const complete = completeConfig({ name: NAME });
    expect(complete).toMatchObject({
      max_age: 0,
      storage: "file",
      subjects: [NAME],
      deny_delete: false,
    });
    expect(complete).not.toHaveProperty("allow_batched");
    expect(complete).not.toHaveProperty("persist_mode");
    expect(completeConfig({ name: NAME, allow_batched: true })).toHaveProperty(
      "allow_batched",
      true,
    );
  });

  it("gives a shorter age a shorter window of duplicates", () => {
    expect(completeConfig({ name: NAME, max_age: SECOND }).duplicate_window).toBe(SECOND);
  });

  it("keeps the server's words for a placement that means the same", () => {
    expect(mergeTagOrder(WRITTEN, OBSERVED).placement).toEqual(OBSERVED.placement);
    const moved = { ...WRITTEN, placement: { tags: ["rg:3"] } };
    expect(mergeTagOrder(moved, OBSERVED)).toEqual(moved);
    expect(mergeTagOrder({ name: NAME }, { name: NAME, placement: {} }).placement).toEqual({});
  });

  it("puts a placement in other words that mean the same", () => {
    const placement = fc.option(
      fc.record(
        { tags: fc.array(fc.constantFrom("a", "b", "!c")), cluster: fc.constant("c1") },
        { requiredKeys: [] },
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(placement, (given) => {
        const before = { name: NAME, ...(given ? { placement: given } : {}) };
        const after = { name: NAME, placement: restatePlacement(given) };
        expect(diffConfig(before, after)).toEqual([]);
        const server = (sent: StreamConfig) => JSON.stringify(sent.placement ?? null);
        if (!given?.tags || given.tags.length > 0) expect(server(after)).not.toBe(server(before));
      }),
    );
  });
});

describe("taking up what is there", () => {
  it("keeps the written words where nothing drifted", () => {
    expect(adoptObserved(WRITTEN, OBSERVED)).toEqual(WRITTEN);
  });

  it("shows what drifted, field by field", () => {
    const drifted = {
      ...OBSERVED,
      max_age: 60 * SECOND,
      duplicate_window: 60 * SECOND,
      num_replicas: 1,
    };
    expect(adoptObserved(WRITTEN, drifted)).toEqual({
      name: NAME,
      subjects: ["orders.>"],
      placement: { tags: ["!az:1", "rg:2"] },
      max_age: 60 * SECOND,
    });
  });

  it("ends up meaning what was observed", () => {
    fc.assert(
      fc.property(config, config, (written, observed) => {
        expect(diffConfig(adoptObserved(written, observed), observed)).toEqual([]);
      }),
    );
  });
});
