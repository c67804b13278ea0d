import path from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findCli } from "../../cli/pulumi/project.mjs";
import { JETSTREAM } from "../../lib/observed/questions.ts";
import { eventually } from "../support/eventually.ts";
import { askAll } from "../support/monitors.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

/** What people ask of single resources by hand: Pulumi makes the new one of a stream before it deletes the old one. */

const ORDERS = { subjects: ["orders.*"], replicas: 3 };
const SETTINGS = { regions: ["rg1"], tls: "stack", streams: { ORDERS } };

let stack: TestStack;
let client: NatsClient;
let urn: string;

const up = (...args: string[]) => stack.expectPulumi("up", "--yes", "--skip-preview", ...args);
/** By a `pulumi` that isn't this project's own, which looks at no targets. */
const upByAnotherCli = async (...args: string[]) => {
  const { args: flagged, options } = stack.command(["up", "--yes", "--skip-preview", ...args]);
  const cli = findCli(process.env) ?? "";
  const PATH = [path.dirname(cli), process.env.PATH].join(path.delimiter);
  await execa(cli, flagged, { ...options, env: { ...options.env, PATH }, stdin: "ignore" });
};
const messages = async () => (await client.info("ORDERS")).state?.messages;

beforeAll(async () => {
  stack = await TestStack.create(SETTINGS);
  await up();
  client = await NatsClient.connect(await stack.outputs());
  urn = urnOf("nats:Stream::ORDERS");
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack.remove();
});

afterEach(async () => {
  expect(await stack.expectPulumi("preview", "--expect-no-changes")).toContain("unchanged");
  const { resources } = stack.deployment();
  expect(resources.filter((each) => each.urn === urn)).toHaveLength(1);
});

function urnOf(end: string): string {
  return stack.deployment().resources.find(({ urn }) => urn.endsWith(end))?.urn ?? "";
}

test("each resource can be updated alone, right after the first start", async () => {
  const of = (name: string) => `**${name}`;
  stack.configure({ ...SETTINGS, streams: { ORDERS: { ...ORDERS, description: "orders" } } });
  for (const name of ["authority", "jetstream", "streams", "rg1-az1-data", "wave-1"]) {
    expect(await stack.expectPulumi("preview", "--target", of(name))).not.toContain("to update");
  }
  await up("--target", of("ORDERS"));
  expect((await client.info("ORDERS")).config).toMatchObject({ description: "orders" });
  stack.configure(SETTINGS);
  await up();
});

test("an empty stream that is replaced stays", async () => {
  expect(await up("--replace", urn)).toContain("only an older note of it");
  expect(await messages()).toBe(0);
});

test("a stream with messages that is replaced, or tainted, keeps them", async () => {
  for (let sent = 1; sent <= 20; sent++) await client.publish("orders.new", `order ${sent}`);
  const { created } = (await client.info("ORDERS")) as unknown as { created: string };
  await up("--replace", urn);
  await up("--target-replace", urn);
  stack.configure({ ...SETTINGS, streams: { ORDERS: { ...ORDERS, allowDataLoss: true } } });
  await up("--replace", urn);
  stack.configure(SETTINGS);
  await stack.expectPulumi("state", "taint", urn, "--yes");
  await up();
  expect(await client.info("ORDERS")).toMatchObject({ created, state: { messages: 20 } });
});

test("a stream that leaves is deleted, also where the gate that starts an update is made anew", async () => {
  const LEAVING = { subjects: ["leaving.*"], replicas: 1 };
  stack.configure({ ...SETTINGS, streams: { ORDERS, LEAVING } });
  await up();
  const gate = urnOf("::c1-start");
  stack.configure(SETTINGS);
  await up("--replace", gate);
  expect(await client.info("LEAVING")).toMatchObject({ error: { err_code: 10_059 } });
});

test("what an earlier version left to be deleted is taken out of the state alone", async () => {
  const state = stack.deployment();
  const entry = state.resources.find((each) => each.urn === urn);
  if (!entry) throw new Error(`no ${urn}`);
  state.resources.push({ ...entry, delete: true });
  await stack.importState(state);
  expect(await up()).toContain("only an older note of it");
  expect(await messages()).toBe(20);
});

test("a stream whose creation failed isn't said to have gone, one to be deleted is guarded", async () => {
  const { ORDERS: _, ...others } = SETTINGS.streams;
  await client.create("STRAY", { subjects: ["big.*"] });
  const BIG = { subjects: ["big.*"], replicas: 3 };
  stack.configure({ ...SETTINGS, streams: { ORDERS, BIG } });
  const attempt = await stack.pulumi("up", "--yes", "--skip-preview");
  expect(attempt.exitCode).not.toBe(0);
  expect((await stack.pulumi("preview")).text).not.toContain("is gone with its messages");

  // BIG can't be made, so that ORDERS isn't deleted either; it was empty then, and is in use afterwards.
  await client.purge("ORDERS");
  stack.configure({ ...SETTINGS, streams: { ...others, BIG } });
  expect((await stack.pulumi("up", "--yes", "--skip-preview")).exitCode).not.toBe(0);
  await client.publish("orders.new", "late");
  expect((await stack.pulumi("preview")).text).toContain("but holds 1 message");
  stack.configure(SETTINGS);
  await up();
  await client.delete("STRAY");
  expect(await messages()).toBe(1);
});

test("a plan that was saved holds where another replica has come to lead since", async () => {
  const plan = path.join(stack.folder, "plan.json");
  await stack.expectPulumi("preview", "--save-plan", plan);
  const leaderOf = async () => (await client.info("ORDERS")).cluster.leader;
  const leader = await leaderOf();
  await client.stepDown("ORDERS");
  await eventually(async () => ![leader, undefined, ""].includes(await leaderOf()));
  await up("--refresh", "--plan", plan);
  expect((await stack.outputs()).streams.ORDERS?.leader).toBe(await leaderOf());
});

/** Of `1m`, in nanoseconds. */
const SYNC = 60_000_000_000;
const containers = () =>
  ["az1", "az2", "az3"].map((zone) => `nats-regions-${stack.name}-rg1-${zone}`);
const syncsOf = async () => {
  const pages = (await askAll(stack, JETSTREAM)) as { config: { sync_interval: number } }[];
  return pages.map(({ config }) => config.sync_interval);
};

describe("settings that need a restart", () => {
  let earlier: string;

  test("don't get ahead of the config where containers are updated alone", async () => {
    const copy = `docker cp ${containers()[0]}:/etc/nats - | base64`;
    earlier = (await execa("sh", ["-c", copy])).stdout;
    stack.configure({ ...SETTINGS, syncInterval: "1m" });
    const all = "**docker:index/container:Container**";
    expect((await stack.pulumi("up", "--yes", "--target", all)).text).toContain(`leave out ${all}`);
    const glob = "**:Container::**";
    expect((await stack.pulumi("up", "--yes", "--target", glob)).text).toContain(
      `leave out ${glob}`,
    );
    await upByAnotherCli("--target", all);
    expect(await syncsOf()).not.toContain(SYNC);
    await up();
    expect(await syncsOf()).toEqual([SYNC, SYNC, SYNC]);
  });

  test("are taken up by a restart where the config is not of the container's label", async () => {
    const [name = ""] = containers();
    const held = await messages();
    // As earlier versions left it, which let containers get ahead of their config.
    const volume = `--volume=${name}-config:/etc/nats`;
    await execa("docker", ["create", `--name=${name}-old`, volume, "nats:2.15.2"]);
    const put = `base64 -d | docker cp --archive - ${name}-old:/etc`;
    await execa("sh", ["-c", put], { input: earlier });
    await execa("docker", ["rm", `${name}-old`]);
    await execa("docker", ["restart", name]);
    // A server that is starting doesn't answer yet.
    await eventually(async () => (await syncsOf()).length === 3);
    expect(await syncsOf()).not.toEqual([SYNC, SYNC, SYNC]);
    await up();
    expect(await syncsOf()).toEqual([SYNC, SYNC, SYNC]);
    expect(await messages()).toBe(held);
  });

  test("leave no order in the state that single resources couldn't be updated by", async () => {
    await execa("docker", ["stop", containers()[2] ?? ""]);
    stack.configure({ ...SETTINGS, syncInterval: "2m" });
    expect(await up("--refresh")).toContain("restarted first, as they are not well: rg1-az3");
    await stack.expectPulumi("preview", "--target", "**ORDERS");
  });
});
