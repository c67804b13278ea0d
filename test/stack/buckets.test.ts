import { createHash, randomBytes } from "node:crypto";
import { type KV, Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAsUser } from "../support/connect-as-user.ts";
import { appearsIn } from "../support/secrets.ts";
import { TestStack } from "../support/stack.ts";

/** Buckets and object stores through everyday use, by the clients' own libraries, and what people do to them by hand. */

const CONFIG = { history: 5, ttl: "1h", replicas: 3, maxValueSize: "64KiB" };
const FILES = { replicas: 3, compression: true, description: "reports" };
const TOKEN = "Zebra-4711-token-of-the-bank";
const OTHER = "Zebra-4712-somebody-elses-value";
const MIB = 1024 * 1024;

let stack: TestStack;
let client: NatsConnection;
let kv: KV;
/** All that commands have said. */
let told = "";

async function tell(text: Promise<string>): Promise<string> {
  const said = await text;
  told += said;
  return said;
}

const up = (...args: string[]) =>
  tell(stack.expectPulumi("up", "--yes", "--skip-preview", "--diff", ...args));
const preview = async (...args: string[]) =>
  tell(stack.pulumi("preview", "--diff", ...args).then(({ text }) => text));
const configure = (buckets: object, objectStores: object = { FILES }) =>
  stack.configure({ regions: ["rg1"], streams: {}, buckets, objectStores });

async function expectUnchanged(): Promise<void> {
  expect(await tell(stack.expectPulumi("preview", "--expect-no-changes"))).toContain("unchanged");
}

function typesOf(): string[] {
  return stack
    .deployment()
    .resources.flatMap(({ type, urn }) =>
      /nats:(Stream|Bucket|ObjectStore|BucketEntries)$/.test(type)
        ? [`${type.split(":").at(-1)} ${urn.split("::").at(-1)}`]
        : [],
    );
}

const get = async (key: string) => (await kv.get(key))?.string();

beforeAll(async () => {
  stack = await TestStack.create({ regions: ["rg1"], streams: {} });
  configure({ CONFIG: { ...CONFIG, entries: { "feature.x": "on", token: TOKEN } } });
  await up();
  client = await connectAsUser(stack);
  kv = await new Kvm(client).open("CONFIG", { allow_direct: false });
});

afterAll(async () => {
  await client?.close();
  await stack.remove();
});

test("a bucket has its entries, and is changed and looked at as a bucket", async () => {
  expect(typesOf().sort()).toEqual(["Bucket CONFIG", "BucketEntries CONFIG", "ObjectStore FILES"]);
  expect(await get("feature.x")).toBe("on");
  expect(await get("token")).toBe(TOKEN);
  expect(await kv.status()).toMatchObject({ bucket: "CONFIG", history: 5, replicas: 3 });
  const { streams } = await stack.outputs();
  expect(Object.keys(streams).sort()).toEqual(["KV_CONFIG", "OBJ_FILES"]);
  await expectUnchanged();
  await up("--refresh");
  await expectUnchanged();
});

test("an object store takes and gives 64 MiB", async () => {
  const store = await new Objm(client).open("FILES");
  const blob = randomBytes(64 * MIB);
  await store.putBlob({ name: "report" }, blob);
  const back = (await store.getBlob("report")) ?? new Uint8Array();
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  expect(digest(back)).toBe(digest(blob));
  await store.delete("report");
});

test("a shorter history that would delete values is refused, in the words of the bucket", async () => {
  for (const value of ["1", "2", "3", "4"]) await kv.put("counted", value);
  const entries = { "feature.x": "on", token: TOKEN };
  configure({ CONFIG: { ...CONFIG, history: 2, entries } });
  const refused = await preview();
  expect(refused).toMatch(/history: 5 → 2/);
  expect(refused).not.toContain("maxMsgsPerSubject");
  configure({ CONFIG: { ...CONFIG, storage: "memory", entries } });
  expect(await preview()).toContain("storage: file → memory");
  configure({ CONFIG: { ...CONFIG, history: 7, entries } });
  await up();
  expect((await kv.status()).history).toBe(7);
  await expectUnchanged();
});

test("entries that somebody has changed or deleted are found, and written back; others stay", async () => {
  await kv.put("feature.x", OTHER);
  await kv.delete("token");
  await kv.put("theirs", "kept");
  const seen = await preview("--refresh");
  expect(seen).toContain("bucket CONFIG has another value of feature.x");
  expect(seen).toContain("bucket CONFIG has no value any more of token");
  await up("--refresh");
  expect(await get("feature.x")).toBe("on");
  expect(await get("token")).toBe(TOKEN);
  expect(await get("theirs")).toBe("kept");
  await expectUnchanged();
});

test("an entry that leaves the settings stays, one that is there with another value is named", async () => {
  const entries = { "feature.x": "off", theirs: "ours" };
  configure({ CONFIG: { ...CONFIG, history: 7, entries } });
  const seen = await preview();
  expect(seen).toContain("bucket CONFIG keeps token, which left the settings");
  expect(seen).toContain("other values of feature.x, theirs, which get those of the settings");
  await up();
  expect(await get("feature.x")).toBe("off");
  expect(await get("theirs")).toBe("ours");
  expect(await get("token")).toBe(TOKEN);
  configure({ CONFIG: { ...CONFIG, history: 7 } });
  expect(await up()).toContain("bucket CONFIG keeps feature.x, theirs, which left the settings");
  expect(await get("feature.x")).toBe("off");
  await expectUnchanged();
});

test("an entry that is too large is refused by its key alone", async () => {
  configure({ CONFIG: { ...CONFIG, history: 7, entries: { token: TOKEN.repeat(3_000) } } });
  expect(await preview()).toMatch(
    /entries\.token: 84KB is more than maxValueSize of bucket CONFIG: 64KiB/,
  );
});

test("a secret of the settings comes into the bucket, and a bucket with values stays", async () => {
  configure({ CONFIG: { ...CONFIG, history: 7, entries: { "feature.x": "off" } } });
  await stack.expectPulumi(
    ...["config", "set", "--secret", "--path", "buckets.CONFIG.entries.token", `${TOKEN}-2`],
  );
  await up();
  expect(await get("token")).toBe(`${TOKEN}-2`);
  await expectUnchanged();
  configure({}, {});
  expect(await preview()).toMatch(/KV_CONFIG.*(?:holds|with)/);
  expect(await get("feature.x")).toBe("off");
});

test("one that was deleted by hand is made again, with its entries", async () => {
  const entries = { "feature.x": "on", token: TOKEN };
  configure({ CONFIG: { ...CONFIG, history: 7, entries } });
  await up();
  await kv.destroy();
  expect(await preview()).toContain("was there after the last up, and is gone");
  await up("--refresh");
  expect(await get("token")).toBe(TOKEN);
  await expectUnchanged();
});

test("values are nowhere in what was said, nor in the state", async () => {
  for (const secret of [TOKEN, OTHER]) {
    expect(appearsIn(told, secret)).toBe(false);
    expect(appearsIn(stack.stateText(), secret)).toBe(false);
  }
});

test("a bucket that may lose what it holds leaves", async () => {
  const may = { allowDataLoss: true };
  configure({ CONFIG: { ...CONFIG, history: 7, ...may } }, { FILES: { ...FILES, ...may } });
  await up();
  configure({}, {});
  await up();
  expect(typesOf()).toEqual([]);
  const names = await client.request("$JS.API.STREAM.NAMES", "");
  expect(names.json<{ streams: string[] | null }>().streams ?? []).toEqual([]);
  await expectUnchanged();
});
