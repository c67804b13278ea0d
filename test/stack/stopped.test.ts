import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { starts } from "../support/change.ts";
import { eventually } from "../support/eventually.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { appearsIn } from "../support/secrets.ts";
import { TestStack } from "../support/stack.ts";

const EVENTS = { subjects: ["events.*"], replicas: 3 };
const ORDERS = { subjects: ["orders.*"], replicas: 1, placement: { tags: ["az:1"] } };
const SETTINGS = { regions: ["rg1"], streams: { EVENTS, ORDERS } };
const MOVED = { ...ORDERS, placement: { tags: ["az:3"] } };

/** Stopped by somebody, so many that neither the meta group nor a stream has a majority left. */
describe("a cluster whose nodes are stopped", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create(SETTINGS);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    for (let count = 1; count <= 20; count++) {
      await client.publish("events.new", `event ${count}`);
      await client.publish("orders.new", `order ${count}`);
    }
  });

  afterAll(async () => {
    await stack.remove();
  });

  test.each([
    ["two of three", ["rg1-az1", "rg1-az2"]],
    ["all", ["rg1-az1", "rg1-az2", "rg1-az3"]],
  ])("%s: says so, fails soon, heals", async (_, nodes) => {
    await execa("docker", ["stop", ...nodes.map((node) => `nats-regions-${stack.name}-${node}`)]);

    expect(await stack.expectPulumi("preview")).toContain(
      `${nodes.length} of 3 nodes don't run: ${nodes.join(", ")}`,
    );

    stack.configure({ ...SETTINGS, streams: { EVENTS, ORDERS: MOVED } });
    const began = Date.now();
    const failed = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(/ORDERS/);
    expect(Date.now() - began).toBeLessThan(60_000);
    for (const secret of Object.values(PASSWORDS)) {
      expect(appearsIn(failed.text, secret)).toBe(false);
    }

    stack.configure(SETTINGS);
    await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
    await using client = await NatsClient.connect(await stack.outputs());
    await eventually(async () => {
      expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
      expect(await client.hosts("ORDERS")).toEqual(["rg1-az1"]);
      return true;
    }, 60_000);
    for (const stream of ["EVENTS", "ORDERS"]) {
      expect(await client.payloads(stream)).toHaveLength(20);
    }
    await stack.expectPulumi("preview", "--expect-no-changes", "--refresh");
  });

  test("and are back after the state was refreshed, isn't restarted again", async () => {
    const nodes = ["rg1-az1", "rg1-az2", "rg1-az3"].map((node) => stack.containerOf(node));
    await execa("docker", ["stop", ...nodes]);
    await stack.expectPulumi("refresh", "--yes");
    await execa("docker", ["start", ...nodes]);
    await stack.expectPulumi("preview", "--expect-no-changes");
    const before = await starts(stack);
    stack.configure({ ...SETTINGS, maxPayload: "2MiB" });
    expect(await stack.expectPulumi("up", "--yes", "--skip-preview")).toContain("no restart");
    expect(await starts(stack)).toEqual(before);

    const replaced = stack
      .deployment()
      .resources.find(({ urn }) => urn.endsWith("rg1-az3-container"));
    await stack.expectPulumi("up", "--yes", "--skip-preview", "--replace", replaced?.urn ?? "");
    const changed = [...(await starts(stack))].filter(
      ([node, start]) => before.get(node) !== start,
    );
    expect(changed.map(([node]) => node)).toEqual([expect.stringMatching(/-rg1-az3$/)]);
    await using client = await NatsClient.connect(await stack.outputs());
    for (const stream of ["EVENTS", "ORDERS"]) {
      expect(await client.payloads(stream)).toHaveLength(20);
    }
    await stack.expectPulumi("preview", "--expect-no-changes");
  });
});
