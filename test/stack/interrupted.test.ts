import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { killGroup, TestStack } from "../support/stack.ts";

/** Spread over the time that a first `up` takes: network, volumes, config, each wave, gate, streams. */
const KILLED_AFTER_SECONDS = [2.5, 3.5, 4.5, 5.5, 7, 9];

describe("an up that is killed while creating", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create();
  });

  afterAll(async () => {
    await stack.remove();
  });

  test.each(KILLED_AFTER_SECONDS)("after %d s is put right by the next", async (seconds) => {
    const up = stack.start(["up", "--yes", "--skip-preview"]);
    await sleep(seconds * 1_000);
    killGroup(up.pid);
    await up;

    await stack.expectPulumi("up", "--yes");
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    await stack.expectPulumi("preview", "--expect-no-changes");

    await stack.expectPulumi("destroy", "--yes");
    expect(await stack.leftovers()).toEqual([]);
  });
});
