import { afterAll, beforeAll, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

const UP = ["up", "--yes", "--skip-preview"];

let stack: TestStack;

beforeAll(async () => {
  stack = await TestStack.create(settings());
});

afterAll(async () => {
  await stack.remove();
});

function many(from: number, to: number, changes: object = {}) {
  return Array.from({ length: to - from }, (_, index) => {
    const name = `MANY-${from + index}`;
    return [name, { subjects: [`${name}.>`], replicas: 1, ...changes }] as const;
  });
}

function settings(...streams: (readonly [string, object])[]) {
  return { regions: ["rg1"], streams: Object.fromEntries(streams) };
}

test("An up that is killed while it makes many streams leaves none behind, whatever the settings say then", async () => {
  stack.configure(settings(...many(0, 30)));
  await stack.killAt(/:Stream MANY-15 created/, ...UP);
  // Nodes have their state after each step. For each stream, Pulumi would have written it, too.
  expect(stack.stateText()).toContain("rg1-az1-container");
  expect(stack.stateText()).not.toContain("nats:Stream::");
  await using client = await NatsClient.connect(await stack.outputs());
  expect((await client.names()).length).toBeGreaterThan(0);

  const streams = [...many(10, 15), ...many(15, 20, { maxAge: "1h" })];
  stack.configure(settings(...streams));
  expect(await stack.expectPulumi("preview")).toMatch(/in the settings no more: .*MANY-/);
  await stack.expectPulumi(...UP);
  expect(await client.names()).toEqual(streams.map(([name]) => name));
  await stack.expectPulumi("preview", "--expect-no-changes");
});

test("A destroy of many streams that is killed can only be gone on with", async () => {
  stack.configure(settings(...many(0, 30)));
  await stack.expectPulumi(...UP);
  const before = stack.stateText();
  await stack.killAt(/-container deleted/, "destroy", "--yes", "--skip-preview");
  expect(stack.stateText()).toBe(before);

  const { exitCode, text } = await stack.pulumi(...UP);
  expect(text).toContain("`npx pulumi destroy` goes on with it");
  expect(exitCode).toBe(1);
  await stack.expectPulumi("destroy", "--yes", "--skip-preview");
  expect(await stack.leftovers()).toEqual([]);
});
