import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ApiObject,
  adoptFields,
  defaultsOf,
  describeFieldChange,
  diffObject,
  type FieldTable,
  normalizeObject,
  refused,
} from "../../../lib/base/field-table.ts";

/** A made-up object of the API, with every kind of field and every rule for updates. */
const BUCKET = {
  description: { api: "description", kind: "text", default: "", update: "in place" },
  history: { api: "history", kind: "count", default: 1, min: 1, max: 64, update: "in place" },
  copies: { api: "num_copies", kind: "count", default: 1, update: "scales" },
  storage: {
    api: "storage",
    kind: "choice",
    values: ["file", "memory"],
    default: "file",
    update: "never",
  },
  maxReaders: {
    api: "max_readers",
    kind: "limit",
    default: -1,
    none: "as many as come",
    update: "in place",
  },
  maxKeys: { api: "max_keys", kind: "limit", default: -1, update: "in place" },
  maxBytes: { api: "max_bytes", kind: "bytes", default: -1, update: "in place" },
  ttl: { api: "ttl", kind: "duration", default: 0, update: "in place" },
  since: { api: "since", kind: "time", update: "remove only" },
  place: {
    api: "place",
    kind: "object",
    fields: { tags: { api: "tags", kind: "texts" } },
    update: "moves",
  },
  copiesOf: {
    api: "copies_of",
    kind: "objects",
    fields: {
      name: { api: "name", kind: "text", default: "", required: true },
      filter: { api: "key_filter", kind: "text", default: ">" },
    },
    update: "in place",
  },
  labels: { api: "labels", kind: "labels", update: "in place" },
  locked: { api: "locked", kind: "flag", default: false, update: "only on" },
  counts: { api: "counts", kind: "flag", default: false, update: "in place", since: 2 },
} as const satisfies FieldTable;

type Bucket = ApiObject<typeof BUCKET>;

const text = fc.constantFrom("", "a", "b", ">");

const bucket: fc.Arbitrary<Bucket> = fc.record(
  {
    description: text,
    history: fc.integer({ min: 1, max: 3 }),
    num_copies: fc.constantFrom(1, 3),
    storage: fc.constantFrom("file" as const, "memory" as const),
    max_readers: fc.constantFrom(-1, 0, 10),
    max_keys: fc.constantFrom(-1, 0, 10, 20),
    max_bytes: fc.constantFrom(-1, 0, 1024),
    ttl: fc.constantFrom(0, 1_000_000_000),
    since: fc.constantFrom("2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"),
    place: fc.record(
      { tags: fc.array(fc.constantFrom("x", "y"), { maxLength: 3 }) },
      { requiredKeys: [] },
    ),
    copies_of: fc.array(
      fc.record({ name: fc.constantFrom("A", "B"), key_filter: text }, { requiredKeys: ["name"] }),
      { maxLength: 2 },
    ),
    labels: fc.dictionary(fc.constantFrom("a", "_nats.ver"), text, { noNullPrototype: true }),
    locked: fc.boolean(),
    counts: fc.boolean(),
  },
  { requiredKeys: [] },
);

const RULES = { noun: "bucket" };

function diff(before: Bucket, after: Bucket) {
  return diffObject(BUCKET, before, after, RULES);
}

describe("any table", () => {
  it("has one form for objects that are the same, and it is its own", () => {
    fc.assert(
      fc.property(bucket, (given) => {
        const normal = normalizeObject(BUCKET, given);
        expect(normalizeObject(BUCKET, normal)).toEqual(normal);
        expect(diff(given, normal)).toEqual([]);
        expect(diff({ ...defaultsOf(BUCKET), ...given }, given)).toEqual([]);
      }),
    );
  });

  it("differs exactly where the forms do, in the order of the table, both ways", () => {
    fc.assert(
      fc.property(bucket, bucket, (a, b) => {
        const [before, after] = [normalizeObject(BUCKET, a), normalizeObject(BUCKET, b)];
        const differing = Object.entries(BUCKET).flatMap(([setting, { api }]) =>
          JSON.stringify(before[api]) === JSON.stringify(after[api]) ? [] : [setting],
        );
        expect(diff(a, b).map(({ path }) => path)).toEqual(differing);
        expect(diff(b, a).map(({ path }) => path)).toEqual(differing);
      }),
    );
  });

  it("is what was observed once all that differs was adopted", () => {
    fc.assert(
      fc.property(bucket, bucket, (written, observed) => {
        const names = diff(written, observed).map(
          ({ path }) => BUCKET[path as keyof typeof BUCKET].api,
        );
        const adopted = adoptFields(written, normalizeObject(BUCKET, observed), names);
        expect(diff(adopted, observed)).toEqual([]);
        if (names.length === 0) expect(adopted).toEqual(written);
      }),
    );
  });

  it("takes derived defaults for absent", () => {
    const derived = { history: 5, place: { tags: ["y", "x"] } };
    const given = { history: 5, place: { tags: ["x", "y", "x"] }, ttl: 1 };
    expect(normalizeObject(BUCKET, given, derived)).toEqual({ ttl: 1 });
    expect(normalizeObject(BUCKET, {}, derived)).toEqual({});
  });

  it("is sent no field of a later API level unless it is set", () => {
    expect(defaultsOf(BUCKET)).toMatchObject({ history: 1, max_keys: -1, locked: false });
    expect(defaultsOf(BUCKET)).not.toHaveProperty("counts");
  });
});

describe("a change", () => {
  it.each([
    [{}, { num_copies: 3 }, { effect: "scales" }],
    [{}, { storage: "memory" }, refused("it is fixed when the bucket is created")],
    [{}, { place: { tags: ["x"] } }, { effect: "moves" }],
    [
      { place: { tags: ["x"] } },
      {},
      { effect: "in place", reason: "replicas stay where they are" },
    ],
    [{}, { locked: true }, { effect: "in place" }],
    [{ locked: true }, {}, refused("once on it can't be switched off")],
    [{ since: "2026-01-31T12:00:00Z" }, {}, { effect: "in place" }],
    [{}, { since: "2026-01-31T12:00:00Z" }, refused("it can be removed, not set or changed")],
    [{}, { max_keys: 5 }, { effect: "in place" }],
  ] as [Bucket, Bucket, object][])("from %j to %j comes to %j", (from, to, assessment) => {
    expect(diff(from, to)).toEqual([expect.objectContaining(assessment)]);
  });

  it("in place is judged by the rules of its object", () => {
    const rules = { noun: "bucket", assessInPlace: () => refused("not today") };
    const changes = diffObject(BUCKET, {}, { ttl: 1, num_copies: 3 }, rules);
    expect(changes.map(({ path, effect }) => [path, effect])).toEqual([
      ["copies", "scales"],
      ["ttl", "refused"],
    ]);
  });

  it.each([
    [{ ttl: 1_000_000_000 }, {}, "ttl: 1s → 0"],
    [{}, { max_bytes: 1024 }, "maxBytes: unlimited → 1KiB"],
    [{}, { max_keys: 5 }, "maxKeys: unlimited → 5"],
    [{}, { max_readers: 5 }, "maxReaders: as many as come → 5"],
    [{}, { place: { tags: ["x"] } }, 'place: none → {"tags":["x"]}'],
  ] as [Bucket, Bucket, string][])("from %j to %j is told", (from, to, words) => {
    expect(diff(from, to).map((change) => describeFieldChange(BUCKET, change))).toEqual([words]);
  });
});
