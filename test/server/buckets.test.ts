import { createHash, randomBytes } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { headers } from "nats";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  bucketSettingsSchema,
  objectStoreSettingsSchema,
} from "../../lib/buckets/bucket-settings.ts";
import { compileBuckets } from "../../lib/buckets/compile-buckets.ts";
import { OWN_TAGS } from "../../lib/topology/tags.ts";
import { type EntriesPort, openEntries } from "../../live/jetstream/entries.ts";
import { entriesLifecycle } from "../../providers/buckets/entries-lifecycle.ts";
import { eventually } from "../support/eventually.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

/** Buckets and object stores of the settings, taken by the clients' own libraries for theirs. */

const MIB = 1024 * 1024;

let opened: OpenCluster;
let entries: EntriesPort;

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  entries = openEntries(opened.cluster.connection, opened.cluster.account);
  await opened.port.create({ name: "KEEPER", num_replicas: 3 });
});

afterAll(async () => {
  await opened.close();
});

/** Makes what the settings have on the servers. */
async function make(given: { buckets?: object; objectStores?: object }): Promise<void> {
  const parseAll = <Value>(all: object, parse: (value: unknown) => Value) =>
    Object.fromEntries(Object.entries(all).map(([key, value]) => [key, parse(value)]));
  const compiled = compileBuckets(
    {
      buckets: parseAll(given.buckets ?? {}, (value) => bucketSettingsSchema.parse(value)),
      objectStores: parseAll(given.objectStores ?? {}, (value) =>
        objectStoreSettingsSchema.parse(value),
      ),
      account: opened.cluster.account,
    },
    { shape: [], nodes: [], uniqueTag: "", tags: OWN_TAGS },
  );
  for (const { config, problems } of compiled) {
    expect(problems).toEqual([]);
    await opened.port.create(config);
    await heard(config.subjects);
  }
}

/** Waits until the client's server has heard of a new stream's subjects: until then nobody acknowledges a message. */
async function heard([subject]: readonly string[] = []): Promise<void> {
  if (subject === undefined) return;
  // A message that the stream answers, and doesn't store.
  const refused = headers();
  refused.set("Nats-Expected-Last-Sequence", "1000000");
  await eventually(async () => {
    await opened.client.request(subject.replace(">", "k"), "", {
      headers: refused,
      timeout: 5_000,
    });
    return true;
  });
}

const configOf = async (stream: string) => (await opened.port.info(stream)).config;
const leader = async (stream: string) => {
  await eventually(async () => Boolean((await opened.port.info(stream)).cluster?.leader));
};

it("a bucket is the client's own: status, put, get, watch, history, delete, purge", async () => {
  const settings = { history: 5, ttl: "1h", maxBytes: "1MiB", maxValueSize: "1KiB", replicas: 3 };
  await make({
    buckets: { CONFIG: { ...settings, compression: true, description: "d", metadata: { a: "b" } } },
  });
  const before = await configOf("KV_CONFIG");
  const options = {
    history: 5,
    ttl: 3_600_000,
    max_bytes: MIB,
    maxValueSize: 1_024,
    replicas: 3,
    compression: true,
    description: "d",
    metadata: { a: "b" },
  };
  const kv = await new Kvm(opened.client).create("CONFIG", options);
  expect(await configOf("KV_CONFIG")).toEqual(before);
  expect(await kv.status()).toMatchObject({
    bucket: "CONFIG",
    history: 5,
    ttl: 3_600_000,
    maxBucketSize: MIB,
    maxValueSize: 1_024,
    replicas: 3,
    compression: true,
    description: "d",
    values: 0,
  });
  const watch = await kv.watch();
  const seen: string[] = [];
  const watching = (async () => {
    for await (const { key, operation } of watch) seen.push(`${operation} ${key}`);
  })();
  for (const value of ["1", "2", "3", "4", "5", "6"]) await kv.put("a.b", value);
  expect((await kv.get("a.b"))?.string()).toBe("6");
  const values: string[] = [];
  for await (const entry of await kv.history({ key: "a.b" })) values.push(entry.string());
  expect(values).toEqual(["2", "3", "4", "5", "6"]);
  await kv.delete("a.b");
  expect((await kv.get("a.b"))?.operation).toBe("DEL");
  await kv.put("c", "1");
  await kv.purge("a.b");
  expect((await opened.port.info("KV_CONFIG")).state.messages).toBe(2);
  await expect(kv.put("large", "x".repeat(2_000))).rejects.toThrow("message size exceeds maximum");
  await eventually(() => Promise.resolve(seen.includes("PURGE a.b")));
  watch.stop();
  await watching;
  expect(seen.filter((each) => each.endsWith("a.b"))).toEqual([
    ...Array<string>(6).fill("PUT a.b"),
    "DEL a.b",
    "PURGE a.b",
  ]);
  const manager = await jetstreamManager(opened.client);
  await expect(manager.streams.deleteMessage("KV_CONFIG", 7)).rejects.toThrow(
    "message delete not permitted",
  );
});

it("those who watch hear of a value that was too old, and its marker counts as none", async () => {
  await make({ buckets: { AGED: { ttl: "1s", limitMarkerTtl: "1m" } } });
  const kv = await new Kvm(opened.client).open("AGED");
  await kv.put("k", "v");
  expect(await entries.get("AGED", "k")).toBe("v");
  await eventually(async () => (await kv.get("k"))?.operation === "PURGE");
  expect(await entries.get("AGED", "k")).toBeUndefined();
});

it("a bucket with sources has their values under the same keys; a mirror answers for its origin", async () => {
  const origin = { history: 3, replicas: 1 };
  await make({
    buckets: {
      EU: origin,
      US: { ...origin, mirror: { name: "EU" } },
      ALL: { sources: [{ name: "EU" }, { name: "CONFIG" }] },
    },
  });
  await Promise.all(["KV_US", "KV_ALL"].map(leader));
  const eu = await new Kvm(opened.client).open("EU", { allow_direct: true });
  await eu.put("city", "Wien");
  const all = await new Kvm(opened.client).open("ALL", { allow_direct: true });
  await eventually(async () => (await all.get("city"))?.string() === "Wien");
  await all.put("own", "1");
  expect((await all.get("own"))?.string()).toBe("1");
  await eventually(async () => (await opened.port.info("KV_US")).state.messages === 1);
  expect(await configOf("KV_US")).toMatchObject({ mirror_direct: true, allow_direct: true });
});

it("an object store is the client's own: put, get and digest of 64 MiB, info, delete", async () => {
  await make({ objectStores: { FILES: { replicas: 1, ttl: "1h", maxBytes: "200MiB" } } });
  const before = await configOf("OBJ_FILES");
  const options = { replicas: 1, ttl: 3_600_000_000_000, max_bytes: 200 * MIB };
  const store = await new Objm(opened.client).create("FILES", options);
  expect(await configOf("OBJ_FILES")).toEqual(before);
  const blob = randomBytes(64 * MIB);
  const put = await store.putBlob({ name: "blob" }, blob);
  const digest = createHash("sha256").update(blob).digest("base64url");
  expect(put.digest.replace(/=+$/, "")).toBe(`SHA-256=${digest}`);
  const back = (await store.getBlob("blob")) ?? new Uint8Array();
  expect(createHash("sha256").update(back).digest("base64url")).toBe(digest);
  expect(await store.status()).toMatchObject({ bucket: "FILES", replicas: 1, sealed: false });
  await store.delete("blob");
  expect(await store.list()).toEqual([]);
});

it("entries are written where missing or different, and others stay", async () => {
  await make({ buckets: { SET: { history: 5, replicas: 3 } } });
  const said: string[] = [];
  const lifecycle = entriesLifecycle(() => entries, { say: (line) => said.push(line) });
  const kv = await new Kvm(opened.client).open("SET");
  const inputs = { account: "A", bucket: "SET", entries: { a: "1", b: "", "c/d.e": "ü\n" } };
  const news = { ...inputs, maxValueSize: -1 };
  await kv.put("theirs", "x");
  await kv.put("a", "0");
  expect((await lifecycle.check({}, news)).failures).toBeUndefined();
  expect(said).toEqual(["bucket SET has other values of a, which get those of the settings"]);
  const { id, outs } = await lifecycle.create(news);
  const written = (await opened.port.info("KV_SET")).state.messages;
  expect(written).toBe(5);
  expect((await kv.get("c/d.e"))?.string()).toBe("ü\n");
  await lifecycle.update(id, outs, news);
  expect((await opened.port.info("KV_SET")).state.messages).toBe(written);
  expect((await lifecycle.read(id, outs)).props).toEqual(news);
  await kv.delete("a");
  await kv.put("b", "not empty");
  const { props } = await lifecycle.read(id, outs);
  expect(props.entries).toEqual({ "c/d.e": "ü\n" });
  expect(said.slice(1)).toEqual([
    "bucket SET has no value any more of a",
    "bucket SET has another value of b",
  ]);
  expect(await lifecycle.diff(id, props, news)).toMatchObject({ changes: true });
  await lifecycle.update(id, props, news);
  expect((await kv.get("a"))?.string()).toBe("1");
  expect((await kv.get("b"))?.string()).toBe("");
  expect((await kv.get("theirs"))?.string()).toBe("x");
  await opened.port.delete("KV_SET");
  expect((await lifecycle.read(id, outs)).id).toBe("");
});
