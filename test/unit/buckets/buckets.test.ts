import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { BUCKET_FIELDS, OBJECT_STORE_FIELDS } from "../../../lib/buckets/bucket-fields.ts";
import { inBucketWords } from "../../../lib/buckets/bucket-words.ts";
import { hideEntries, mapEntries } from "../../../lib/buckets/hidden-entries.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { decodeSettings, parseSettings } from "../../../lib/plan/settings.ts";
import { FIELDS_BY_API_NAME } from "../../../lib/streams/stream-fields.ts";

const IDENTITY = { project: "nats-regions", stack: "dev" };
const plan = (raw: object) => planCluster(parseSettings(raw, IDENTITY));
const GIVEN = "(given)";

/** The problems of settings, a line each. */
function problemsOf(raw: object): string[] {
  try {
    plan(raw);
    return [];
  } catch (error) {
    const [, ...lines] = (error as Error).message.split("\n");
    return lines.map((line) => line.trim());
  }
}

describe("the tables", () => {
  it.each([
    ["bucket", BUCKET_FIELDS],
    ["object store", OBJECT_STORE_FIELDS],
  ])("name fields of streams alone, each once: %s", (_, table) => {
    const names = Object.values(table).map(({ api }) => api);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !FIELDS_BY_API_NAME.has(name))).toEqual([]);
  });
});

describe("a bucket is a stream", () => {
  test("as nats.go makes one", () => {
    const { streams } = plan({
      buckets: { CONFIG: { history: 5, limitMarkerTtl: "10m", compression: true } },
    });
    expect(streams).toMatchObject([
      {
        key: "KV_CONFIG",
        name: "KV_CONFIG",
        account: "APP",
        policy: { declaredAs: "bucket" },
        bucket: { kind: "bucket", key: "CONFIG", name: "CONFIG", entries: [] },
      },
    ]);
    expect(streams[0]?.config).toEqual({
      name: "KV_CONFIG",
      subjects: ["$KV.CONFIG.>"],
      num_replicas: 1,
      max_msgs_per_subject: 5,
      subject_delete_marker_ttl: 600_000_000_000,
      allow_msg_ttl: true,
      compression: "s2",
      discard: "new",
      deny_delete: true,
      allow_direct: true,
      allow_rollup_hdrs: true,
    });
  });

  test("under other names, in other accounts", () => {
    const { streams } = plan({
      accounts: { B: {} },
      buckets: { A: { bucket: "SAME" }, B: { bucket: "SAME", account: "B" } },
      objectStores: { A: { objectStore: "SAME" } },
    });
    expect(streams.map(({ key, name, account }) => [key, name, account])).toEqual([
      ["KV_A", "KV_SAME", "APP"],
      ["KV_B", "KV_SAME", "B"],
      ["OBJ_A", "OBJ_SAME", "APP"],
    ]);
  });

  test("the markers of a mirror are its origin's", () => {
    const common = { history: 2, ttl: "1h", limitMarkerTtl: "1m" };
    const { streams } = plan({
      buckets: { A: common, M: { ...common, mirror: { name: "A" } } },
    });
    expect(streams[1]?.config).toMatchObject({
      mirror: { name: "KV_A" },
      mirror_direct: true,
      allow_msg_ttl: true,
    });
    expect(streams[1]?.config).not.toHaveProperty("subjects");
    expect(streams[1]?.config).not.toHaveProperty("subject_delete_marker_ttl");
  });
});

describe("what is wrong is said in the words of the settings", () => {
  test.each([
    [{ buckets: { "my.bucket": {} } }, 'buckets.my.bucket: "my.bucket" can\'t name a bucket;'],
    [{ buckets: { "my bucket": {} } }, 'buckets.my bucket: "my bucket" can\'t name a bucket;'],
    [{ buckets: { A: { bucket: "a.b" } } }, 'buckets.A.bucket: "a.b" can\'t name a bucket;'],
    [{ objectStores: { "a.b": {} } }, 'objectStores.a.b: "a.b" can\'t name an object store;'],
    [
      { buckets: { CONFIG: {} }, streams: { KV_CONFIG: {} } },
      "buckets.CONFIG: is stream KV_CONFIG, and streams.KV_CONFIG is in the settings, too;",
    ],
    [
      { buckets: { CONFIG: {} }, streams: { X: { stream: "KV_CONFIG" } } },
      "streams.X.stream: stream KV_CONFIG of account APP is buckets.CONFIG already;",
    ],
    [
      { buckets: { A: {}, B: { bucket: "A" } } },
      "buckets.B.bucket: bucket A of account APP is buckets.A already;",
    ],
    [
      { objectStores: { FILES: {} }, streams: { S: { subjects: ["$O.FILES.C.x"] } } },
      'streams.S.subjects: "$O.FILES.C.x" overlaps with "$O.FILES.C.>" of stream OBJ_FILES;',
    ],
    [{ buckets: { A: { history: 65 } } }, "buckets.A.history: 65 is not a whole number from 1"],
    [{ buckets: { A: { nope: 1 } } }, "buckets.A.nope: there is no such setting; see docs/buckets"],
    [{ buckets: { A: { ttl: "1ms" } } }, "buckets.A.ttl: 1ms is less than 100ms"],
    [{ buckets: { A: { limitMarkerTtl: "1ms" } } }, "buckets.A.limitMarkerTtl: 1ms is less"],
    [{ buckets: { A: { maxBytes: "9TiB" } } }, "buckets.A.maxBytes: needs 1 server with room"],
    [
      { buckets: { A: { replicas: 4, placement: { region: "rg1" } } } },
      "buckets.A.placement: needs 4 servers tagged rg:1",
    ],
    [{ buckets: { A: { account: "NO" } } }, 'buckets.A.account: there is no account "NO"'],
    [
      { buckets: { A: { republish: { dest: "$KV.A.>" } } } },
      'buckets.A.republish.dest: "$KV.A.>" comes back into the bucket',
    ],
    [
      { buckets: { M: { mirror: { name: "A" }, entries: { x: GIVEN } } } },
      "buckets.M.entries: a mirror has what its origin has,",
    ],
    [{ buckets: { A: { mirror: { name: "A" } } } }, "buckets.A.mirror.name: a bucket can't be a"],
    [{ buckets: { A: { sources: [{ name: "B.C" }] } } }, 'buckets.A.sources[0].name: "B.C" can\'t'],
    [{ buckets: { A: { entries: { "a b": GIVEN } } } }, 'buckets.A.entries.a b: "a b" can\'t be a'],
    [{ buckets: { A: { entries: { "a..b": GIVEN } } } }, 'buckets.A.entries.a..b: "a..b" can\'t'],
    [{ buckets: { A: { entries: { a: 5 } } } }, "buckets.A.entries.a: is not text; put it in qu"],
  ])("%j", (raw, message) => {
    const [first, ...others] = problemsOf(raw);
    expect(first?.slice(0, message.length)).toBe(message);
    expect(others).toEqual([]);
  });

  test("a mirror that keeps something else than its origin", () => {
    const origin = { history: 5, ttl: "1h", limitMarkerTtl: "1m", maxBytes: "1MiB" };
    const mirror = { mirror: { name: "A" }, maxBytes: "1KiB", maxValueSize: "1KiB" };
    expect(problemsOf({ buckets: { A: origin, M: mirror } })).toEqual([
      "buckets.M.history: 1 is not what its origin has, buckets.A: 5; give both the same",
      "buckets.M.ttl: none is not what its origin has, buckets.A: 1h; give both the same",
      "buckets.M.limitMarkerTtl: none is not what its origin has, buckets.A: 1m; give both the same",
      "buckets.M.maxBytes: 1KiB is not what its origin has, buckets.A: 1MiB; give both the same, or the mirror more",
      "buckets.M.maxValueSize: 1KiB is not what its origin has, buckets.A: no limit; give both the same, or the mirror more",
    ]);
    const alike = { ...origin, mirror: { name: "A" }, maxBytes: "2MiB" };
    expect(problemsOf({ buckets: { A: origin, M: alike } })).toEqual([]);
    const elsewhere = { mirror: { name: "A", external: { api: "$JS.far.API" } } };
    expect(problemsOf({ buckets: { A: origin, M: elsewhere } })).not.toContainEqual(
      expect.stringContaining("its origin has"),
    );
  });
});

test("a stream's text is one of its bucket, and other streams stay", () => {
  const say = (text: string) => inBucketWords("bucket", "KV_CONFIG", text);
  expect(say("maxMsgsPerSubject: 5 → 2; stream KV_CONFIG holds 3 messages")).toBe(
    "history: 5 → 2; bucket CONFIG holds 3 messages",
  );
  expect(say("KV_CONFIG-2 and $KV_CONFIG and XKV_CONFIG")).toBe(
    "KV_CONFIG-2 and $KV_CONFIG and XKV_CONFIG",
  );
  expect(say("allowMsgTtl: true → false: once on it can't be switched off")).toMatch(
    /^limitMarkerTtl: /,
  );
  expect(inBucketWords("objectStore", "OBJ_A", "maxAge: a stream can't")).toBe(
    "ttl: an object store can't",
  );
});

describe("values of entries", () => {
  test("are in no settings, and in no error, however they are written", () => {
    const secret = "Zebra-4711";
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constant<unknown>({ CONFIG: secret }),
          fc.constant<unknown>({ CONFIG: { entries: secret } }),
          fc.constant<unknown>({ CONFIG: { entries: [secret] } }),
          fc.constant<unknown>({ CONFIG: { entries: { key: [secret] } } }),
          fc.constant<unknown>({ CONFIG: { entries: { key: { secret } } } }),
          fc
            .dictionary(fc.stringMatching(/^[a-z.]{1,5}$/), fc.constant(secret))
            .map((entries): unknown => ({ CONFIG: { entries, history: 99 } })),
        ),
        (buckets) => {
          const config = { "nats-regions:buckets": JSON.stringify(buckets) };
          const said = problemsOf(decodeSettings(config, "nats-regions")).join();
          expect(said).not.toContain(secret);
        },
      ),
    );
  });

  test("come back where they were", () => {
    const buckets = { A: { history: 2, entries: { x: "1", y: "2" } }, B: {} };
    const hidden = hideEntries(buckets);
    expect(hidden).toEqual({ A: { history: 2, entries: { x: GIVEN, y: GIVEN } }, B: {} });
    expect(mapEntries(hidden, (_, key, bucket) => `${bucket} ${key}`)).toEqual({
      A: { history: 2, entries: { x: "A x", y: "A y" } },
      B: {},
    });
  });
});
