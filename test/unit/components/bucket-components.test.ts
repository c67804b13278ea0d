import * as pulumi from "@pulumi/pulumi";
import { expect, it } from "vitest";
import { Bucket } from "../../../components/bucket.ts";
import { sourceOf } from "../../../components/cluster-args.ts";
import { DeclaredStreams } from "../../../components/declared-streams.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { ObjectStore } from "../../../components/object-store.ts";
import type { FollowedStream } from "../../../components/stream-host.ts";
import { BareCluster } from "../../support/bare-cluster.ts";
import { recordResources } from "../../support/mocks.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const stageOf = (key: string, kind: "bucket" | "objectStore") => {
  const bucket = { kind, key, name: key, entries: [] };
  const name = `${kind === "bucket" ? "KV" : "OBJ"}_${key}`;
  const plan = {
    key: name,
    name,
    account: "APP",
    config: { name, max_msg_size: 64 },
    policy: { declaredAs: kind },
    consumers: [],
    placement: { kind: "exact", hosts: [] },
    bucket,
  } as const;
  const fleet = pulumi.output(JSON.stringify(SEED_FLEET));
  return Promise.resolve({ plan, fleet, checked: pulumi.output(undefined), after: [] });
};

it("a bucket is a stream, and its entries stand below it: secrets", async () => {
  const recorder = await recordResources();
  const cluster = new BareCluster("c1", "key", {
    KV_CONFIG: stageOf("CONFIG", "bucket"),
    OBJ_FILES: stageOf("FILES", "objectStore"),
  });
  const entries = { a: "1", token: pulumi.output("hidden") };
  const bucket = new Bucket("CONFIG", { cluster, entries });
  const store = new ObjectStore("FILES", { cluster });
  await Promise.all([bucket, store].map(({ urn }) => promiseOf(urn)));
  const recorded = await recorder.settled(6);
  const find = (type: string) =>
    recorded.find((each) => each.type === `pulumi-nodejs:dynamic/nats:${type}`);
  expect(find("Bucket")).toMatchObject({
    name: "CONFIG",
    provider: "c1-jetstream",
    inputs: { stream: "KV_CONFIG", account: "APP", policy: { declaredAs: "bucket" } },
  });
  expect(find("ObjectStore")).toMatchObject({
    name: "FILES",
    inputs: { stream: "OBJ_FILES", policy: { declaredAs: "objectStore" } },
  });
  expect(find("BucketEntries")).toMatchObject({
    name: "CONFIG",
    dependencies: ["CONFIG"],
    provider: "c1-jetstream",
    inputs: { bucket: "CONFIG", account: "APP", maxValueSize: 64, entries: { a: "1" } },
    plainInputs: { entries: "[secret]" },
  });
  expect(() => new Bucket("x", { cluster }, { import: "x" })).toThrow("Bucket x: import: ");
});

it("a bucket and a stream may have one name in a program, two buckets may not", () => {
  const declared = new DeclaredStreams("c1");
  expect(declared.declare("stream", "CONFIG", {})).toBe("CONFIG");
  expect(declared.declare("bucket", "CONFIG", { bucket: "C" })).toBe("KV_CONFIG");
  expect(declared.declare("objectStore", "CONFIG", {})).toBe("OBJ_CONFIG");
  declared.follow("bucket", "CONFIG", {} as FollowedStream);
  expect(() => declared.declare("bucket", "CONFIG", {})).toThrow(
    "Bucket CONFIG: cluster c1 has one of that name already.\nGive it another one; `bucket` is",
  );
  expect(declared.close()).toEqual({
    streams: { CONFIG: {} },
    buckets: { CONFIG: { bucket: "C" } },
    objectStores: { CONFIG: {} },
  });
  expect(() => declared.declare("objectStore", "LATE", {})).toThrow(
    "ObjectStore LATE: cluster c1 is planned already, with all the object stores that",
  );
});

it("the plan knows of the keys of entries alone", () => {
  const buckets = { CONFIG: { entries: { a: "hidden-1", b: pulumi.secret("hidden-2") } } };
  const declared = { streams: {}, buckets, objectStores: {} };
  const { settings } = sourceOf({ systemPassword: "sys" }, declared);
  expect(settings.buckets).toEqual({ CONFIG: { entries: { a: "(given)", b: "(given)" } } });
});
