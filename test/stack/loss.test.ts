import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack, TWO_REGIONS } from "../support/stack.ts";

/** What could lose messages is refused at preview, by number, and gone through with only on request. */
describe("messages", () => {
  let stack: TestStack;
  let client: NatsClient;
  const { ORDERS } = TWO_REGIONS.streams;

  const configure = (orders: object | undefined) =>
    stack.configure({ ...TWO_REGIONS, streams: orders ? { ORDERS: orders } : {} });
  const up = () => stack.expectPulumi("up", "--yes", "--skip-preview");
  const publish = async (count: number) => {
    for (let sent = 1; sent <= count; sent++) await client.publish("orders.new", `order ${sent}`);
  };
  const messages = async () => (await client.info("ORDERS")).state?.messages;
  /** What `preview` says on refusing; `up` refuses the same. */
  const refusal = async () => {
    const preview = await stack.pulumi("preview");
    expect(preview.exitCode).not.toBe(0);
    const attempt = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(attempt.exitCode).not.toBe(0);
    return preview.text;
  };

  beforeAll(async () => {
    stack = await TestStack.create(TWO_REGIONS);
    await up();
    client = await NatsClient.connect(await stack.outputs());
  });

  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await stack.remove();
  });

  beforeEach(() => configure(ORDERS));

  const expectNoChanges = async () =>
    expect(await stack.expectPulumi("preview", "--expect-no-changes")).toContain("unchanged");

  /** Restarts: zone by zone they leave a replica with what is in memory, all at once they don't. */
  const expectKeptInMemory = async () => {
    const orders = { ...ORDERS, storage: "memory", recreate: "viaBackup" };
    const restarts = { ...TWO_REGIONS, memory: "256MiB", streams: { ORDERS: orders } };
    stack.configure(restarts);
    expect(await stack.expectPulumi("preview")).toContain("restart, zone by zone");
    stack.configure({ ...restarts, rollout: "all" });
    expect(await refusal()).toMatch(
      /stream ORDERS of account APP has 50 messages \(.*\) in the memory of rg2-az1, rg2-az2, rg2-az3/,
    );
  };

  test("are told of before they move: from where to where, how many", async () => {
    await publish(50);
    configure({ ...ORDERS, placement: { tags: ["rg:1"] } });
    expect(await stack.expectPulumi("preview")).toMatch(
      /ORDERS goes from rg2-az1, rg2-az2, rg2-az3 to rg1-az1, rg1-az2, rg1-az3: 50 messages \(/,
    );
  });

  test("keep a stream from leaving the settings", async () => {
    configure(undefined);
    expect(await refusal()).toMatch(/ORDERS is taken out of the settings, but holds 50 messages/);
    expect(await messages()).toBe(50);
  });

  test("keep a limit from going below them", async () => {
    configure({ ...ORDERS, maxMsgs: 20 });
    expect(await refusal()).toMatch(/maxMsgs: unlimited → 20: 30 of its 50 messages/);
    configure(ORDERS);
    expect(await messages()).toBe(50);
    await expectNoChanges();
  });

  test("survive a change that only a new stream could satisfy, by way of a copy", async () => {
    configure({ ...ORDERS, storage: "memory" });
    expect(await refusal()).toMatch(/storage: file → memory: .*ORDERS holds 50 messages/);
    const before = await client.payloads("ORDERS");
    configure({ ...ORDERS, storage: "memory", recreate: "viaBackup" });
    expect(await stack.expectPulumi("preview")).toMatch(/its 50 messages .* copied there and back/);
    await up();
    expect(await client.payloads("ORDERS")).toEqual(before);
    await expectKeptInMemory();
    configure({ ...ORDERS, recreate: "viaBackup" });
    await up();
    expect(await client.payloads("ORDERS")).toEqual(before);
    configure(ORDERS);
    await up();
    await expectNoChanges();
  });

  test("are reported when they vanished with their stream, before that is made anew", async () => {
    await client.delete("ORDERS");
    expect(await stack.expectPulumi("preview")).toMatch(
      /ORDERS was there after the last up, and is gone/,
    );
    await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
    expect(await messages()).toBe(0);
    await expectNoChanges();
  });

  test("of a stream that was there already are safe: it is adopted only on request", async () => {
    configure(undefined);
    await up();
    await client.create("ORDERS", { subjects: ["orders.*"], num_replicas: 1, max_msgs: 100 });
    await publish(10);
    configure(ORDERS);
    expect(await refusal()).toMatch(
      /ORDERS exists in account APP already with 10 messages .*replicas: 1 → 3/,
    );
    configure({ ...ORDERS, adopt: true });
    expect(await stack.expectPulumi("preview")).toMatch(/is adopted with 10 messages/);
    await up();
    expect(await messages()).toBe(10);
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
    await expectNoChanges();
  });

  test("go where the settings say that they may", async () => {
    configure({ ...ORDERS, adopt: true, allowDataLoss: true });
    await up();
    configure({ ...ORDERS, storage: "memory", allowDataLoss: true });
    expect(await stack.expectPulumi("preview")).toMatch(/is deleted with 10 messages/);
    await up();
    expect(await messages()).toBe(0);
    await publish(5);
    configure(undefined);
    await up();
    expect(await client.info("ORDERS")).toMatchObject({ error: { err_code: 10059 } });
    await expectNoChanges();
  });
});
