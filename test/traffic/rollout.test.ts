import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, change, expectHosts, STREAMS } from "../support/change.ts";
import { metaGroups } from "../support/meta-group.ts";
import { NatsClient } from "../support/nats-client.ts";
import { startLate } from "../support/slow-start.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const { EVENTS, ORDERS, SOLO } = STREAMS;
const PAIR = { subjects: ["pair.*"], replicas: 2, placement: { tags: ["xr:12"] } };
/** Each restart takes a replica of it, and leaves two. */
const CACHE = { subjects: ["cache"], replicas: 3, storage: "memory" };
const CACHED = ["first", "second", "third"];

/** One cluster under traffic: each change starts where the one before ended. */
describe("a cluster in use", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create({ streams: { ...STREAMS, CACHE } });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    const outputs = await stack.outputs();
    await using client = await NatsClient.connect(outputs);
    for (const payload of CACHED) await client.publish("cache", payload);
    traffic = await Traffic.start(outputs, Object.keys(STREAMS), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("takes up tags without a restart", async () => {
    const settings = { streams: { ...STREAMS, PAIR, CACHE } };
    const { restarts } = await change(stack, traffic, "tags of two nodes", settings, {
      isLast: false,
    });
    expect(restarts).toBe(0);
    await expectHosts(stack, "PAIR", ["rg1-az1", "rg2-az2"]);
  });

  test("has all its nodes replaced and a stream moved at once, and waits for a node that takes long to come back", async () => {
    const slow = startLate(`nats-regions-${stack.name}-rg2-az1`, 8_000);
    const what = "memory of nine nodes, a stream moves, one comes back late";
    const { restarts } = await change(stack, traffic, what, {
      memory: "384MiB",
      streams: { EVENTS, ORDERS: at(ORDERS, "rg:3"), SOLO, PAIR, CACHE },
    });
    await slow;
    expect(restarts).toBe(9);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("CACHE")).toEqual(CACHED);
    await expectHosts(stack, "ORDERS", Array(3).fill(expect.stringMatching(/^rg3-/)));
  });

  test("grows by a zone, and streams move there, without a restart", async () => {
    const { restarts, text } = await change(stack, traffic, "a zone more, two streams go there", {
      memory: "384MiB",
      availabilityZones: ["az1", "az2", "az3", "az4"],
      streams: {
        EVENTS: at(EVENTS, "xr:412"),
        ORDERS: at(ORDERS, "rg:3"),
        SOLO: at(SOLO, "rg:1", "az:4"),
        PAIR,
        CACHE,
      },
    });
    expect(restarts, text).toBe(0);
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 12$/)]);
    await expectHosts(stack, "EVENTS", ["rg1-az4", "rg2-az1", "rg3-az2"]);
    await expectHosts(stack, "SOLO", ["rg1-az4"]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });
});
