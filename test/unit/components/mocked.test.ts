import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NatsCluster, Stream } from "../../../components/index.ts";
import { promiseOf } from "../../../components/known-value.ts";

const SETTINGS = {
  regions: ["rg1"],
  password: pulumi.secret("app-password"),
  systemPassword: pulumi.secret("system-password"),
};

const types: string[] = [];

beforeEach(async () => {
  types.length = 0;
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      types.push(type);
      return { id: `${name}-id`, state: inputs };
    },
    call: ({ inputs }) => inputs,
  });
});

afterEach(() => vi.unstubAllEnvs());

test("a program is tested with the SDK's mocks as they are, and with neither docker nor pulumi", async () => {
  vi.stubEnv("PATH", "");
  const streams = { EVENTS: { subjects: ["events.*"], replicas: 3 } };
  const cluster = new NatsCluster("c1", { ...SETTINGS, streams });
  new Stream("ORDERS", { cluster, subjects: ["orders.*"] });

  const urls = await promiseOf(cluster.clientUrls);
  expect(Object.keys(urls)).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
  const { EVENTS, ORDERS } = await promiseOf(pulumi.output(cluster.placements));
  expect([EVENTS?.account, ORDERS?.account]).toEqual(["APP", "APP"]);
  expect(types.filter((type) => type === "docker:index/container:Container")).toHaveLength(3);
});

test("a stream that is told to wait for its cluster is made", async () => {
  const cluster = new NatsCluster("c1", SETTINGS);
  const stream = new Stream(
    "ORDERS",
    { cluster, subjects: ["orders.*"] },
    { dependsOn: [cluster] },
  );
  await promiseOf(stream.urn);
});
