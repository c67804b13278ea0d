import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

const streams = (table: Readonly<Record<string, readonly string[]>>) => ({
  regions: ["rg1"],
  streams: Object.fromEntries(
    Object.entries(table).map(([name, subjects]) => [name, { subjects, replicas: 3 }]),
  ),
});

/** What streams take changes hands in one `up`, which a preview tells of, or is refused by it. */
describe("subjects", () => {
  let stack: TestStack;
  let client: NatsClient;

  const up = async (table: Readonly<Record<string, readonly string[]>>, ...options: string[]) => {
    stack.configure(streams(table));
    return await stack.expectPulumi("up", "--yes", "--skip-preview", ...options);
  };
  const subjectsOf = async (stream: string) => (await client.info(stream)).config?.subjects;

  beforeAll(async () => {
    stack = await TestStack.create(
      streams({ ORDERS: ["orders.>"], A: ["a.>"], B: ["b.>"], OLD: ["old.>"] }),
    );
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    client = await NatsClient.connect(await stack.outputs());
  });

  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await stack.remove();
  });

  afterEach(async () => {
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("go to a part of a stream, round in a circle and to another name, all in one up", async () => {
    await client.publish("orders.eu.1", "");
    const said = await up({
      ORDERS: ["orders.eu.>"],
      US: ["orders.us.>"],
      A: ["b.>"],
      B: ["a.>"],
      NEW: ["old.>"],
    });
    expect(said).toContain(
      'stream US takes "orders.us.>" over from ORDERS, which gives "orders.>" up',
    );
    expect(said).toContain('stream NEW takes "old.>" over from OLD, which is deleted');
    expect(await subjectsOf("ORDERS")).toEqual(["orders.eu.>"]);
    expect(await subjectsOf("US")).toEqual(["orders.us.>"]);
    expect(await subjectsOf("A")).toEqual(["b.>"]);
    expect(await subjectsOf("B")).toEqual(["a.>"]);
    expect(await subjectsOf("NEW")).toEqual(["old.>"]);
    expect(await subjectsOf("OLD")).toBeUndefined();
    expect((await client.info("ORDERS")).state.messages).toBe(1);
  });

  test("come together again, two streams at a time", async () => {
    // With one at a time, Pulumi checks no further stream while one waits: whether A hears of B goes by their order then.
    await up({ ORDERS: ["orders.>"], A: ["a.>"], B: ["b.>"] }, "--parallel", "2");
    expect(await subjectsOf("ORDERS")).toEqual(["orders.>"]);
    expect(await subjectsOf("A")).toEqual(["a.>"]);
    expect(await subjectsOf("US")).toBeUndefined();
  });

  test("are refused before anything changes where somebody else's stream has them", async () => {
    await client.create("LOOSE", { subjects: ["pay.>"], num_replicas: 1 });
    const before = { ORDERS: ["orders.>"], A: ["a.>"], B: ["b.>"] };
    stack.configure(streams({ ...before, PAY: ["pay.>"] }));
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain(`"pay.>" can't be PAY's as long as stream LOOSE`);
    stack.configure(streams(before));
  });
});
