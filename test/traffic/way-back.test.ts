import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, change, STREAMS } from "../support/change.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const ZONED = { ...STREAMS, ORDERS: at(STREAMS.ORDERS, "az:1") };

describe("restarts", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create({ streams: ZONED });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(ZONED), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("go by where replicas are, not by where the same update moves them", async () => {
    const { restarts, text } = await change(stack, traffic, "az:1 → rg:2 with memory", {
      memory: "320MiB",
      streams: STREAMS,
    });
    expect(restarts).toBe(9);
    expect(text).toMatch(
      /restart, in this order: rg1-az1; then rg2-az1; then rg3-az1; then rg1-az2, rg2-az2, rg3-az2; then/,
    );
    expect(text).toMatch(/not all nodes of a zone are restarted together, as stream ORDERS/);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });
});
