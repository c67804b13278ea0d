import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NatsCluster, Stream } from "../../../components/index.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { keepIdentity } from "../../../components/steps/identity-note.ts";
import { type Engine, engineAt, engineFromEnvironment } from "../../../live/engine/engine.ts";

const SETTINGS = {
  regions: ["rg1"],
  password: pulumi.secret("app-password"),
  systemPassword: pulumi.secret("system-password"),
};

const types: string[] = [];
/** What the state has of the note of the identity. */
let noted = (inputs: object) => inputs;

beforeEach(async () => {
  types.length = 0;
  noted = (inputs) => inputs;
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }) => {
      types.push(type);
      return { id: `${name}-id`, state: name === "c1-identity" ? noted(inputs) : inputs };
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

test("a program with engines shows what it makes on each, and asks none", async () => {
  vi.stubEnv("PATH", "");
  const engines = { rg1: { host: "ssh://m1" }, "rg1-az3": { host: "ssh://m3" } };
  const cluster = new NatsCluster("c1", { ...SETTINGS, engines });
  const urls = Object.values(await promiseOf(cluster.clientUrls)).map((url) => new URL(url));
  expect(urls.map(({ hostname }) => hostname)).toEqual(["m1", "m1", "m3"]);
  await promiseOf(cluster.networkName);
  const count = (type: string) => types.filter((each) => each === type).length;
  expect(count("pulumi:providers:docker")).toBe(2);
  expect(count("docker:index/remoteImage:RemoteImage")).toBe(2);
});

test("a cluster isn't planned without the engines that its nodes are on", async () => {
  const place = { key: "rg1", host: "ssh://m1", address: "m1", ssh: [] };
  const parent = new pulumi.ComponentResource("x:y:Z", "c1");
  const keep = (engines: readonly Engine[], cluster = "c1") =>
    keepIdentity(engines, { project: "shop", stack: "dev", cluster }, undefined, parent);
  await keep([engineFromEnvironment()], "c0");
  noted = (inputs) => ({ ...inputs, environment: { ENGINES: JSON.stringify([place]) } });
  await expect(keep([engineFromEnvironment()])).rejects.toThrow(
    "engines: the stack's nodes are on engines that the settings name no more, with their data.",
  );
  await keep([engineAt({ ...place, host: "ssh://m9" })]);
});
