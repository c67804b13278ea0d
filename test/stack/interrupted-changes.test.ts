import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { TestStack, TWO_REGIONS } from "../support/stack.ts";

const { ORDERS } = TWO_REGIONS.streams;
const REPLACED = { ...TWO_REGIONS, memory: "256MiB" };
const UP = ["up", "--yes", "--skip-preview"];
const PAYLOADS = Array.from({ length: 50 }, (_, index) => `order ${index}`);

/** One cluster: each test goes on where the one before ended. */
describe("an up that is killed in a cluster that holds messages", () => {
  let stack: TestStack;
  let client: NatsClient;

  /** As the settings of before the move have it, with all messages. */
  const expectWhole = async () => {
    // A leader hears from a follower that has restarted within its next heartbeats.
    await eventually(async () => {
      expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
      return true;
    });
    expect(await client.payloads("ORDERS")).toEqual(PAYLOADS);
    await stack.expectPulumi("preview", "--expect-no-changes");
  };

  beforeAll(async () => {
    stack = await TestStack.create(TWO_REGIONS);
    await stack.expectPulumi(...UP);
    client = await NatsClient.connect(await stack.outputs());
    for (const payload of PAYLOADS) await client.publish("orders.new", payload);
  });

  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("while nodes are replaced loses no message, and the next goes on", async () => {
    stack.configure(REPLACED);
    await stack.killAt(/-container deleted original/, ...UP);

    await stack.expectPulumi(...UP, "--refresh");
    await expectWhole();
    expect(await memoryLimits()).toEqual(Array(6).fill(256 * 1024 ** 2));
  });

  test("while a stream moves is put right by the next, also with the settings of before", async () => {
    const hung = ["az1", "az2"].map((zone) => `nats-regions-${stack.name}-rg1-${zone}`);
    await leadFrom("rg1-az3");
    stack.configure({
      ...REPLACED,
      streams: { ORDERS: { ...ORDERS, placement: { tags: ["rg:1"] } } },
    });
    await execa("docker", ["pause", ...hung]);
    try {
      await stack.killAt(/ORDERS: waiting for/, ...UP);
    } finally {
      await execa("docker", ["unpause", ...hung]);
    }
    // Only a stream with a leader gives what it holds.
    await eventually(async () => (await client.hosts("ORDERS")).join().startsWith("rg1-az1"));

    stack.configure(REPLACED);
    expect(await stack.expectPulumi("preview")).toMatch(
      /stream ORDERS: the last up began to change it, and didn't come to an end/,
    );
    await stack.expectPulumi(...UP);
    await expectWhole();
  });

  /** Without its leader, the meta group would be what the update waits for. */
  async function leadFrom(node: string): Promise<void> {
    await using system = await NatsClient.connect(
      await stack.outputs(),
      "sys",
      PASSWORDS.systemPassword,
    );
    await eventually(async () => {
      await system.moveMetaLeader(node);
      return true;
    });
  }

  async function memoryLimits(): Promise<number[]> {
    const label = `label=nats-regions.stack=nats-regions/${stack.name}`;
    const { stdout: ids } = await execa("docker", ["ps", "--quiet", `--filter=${label}`]);
    const format = "--format={{.HostConfig.Memory}}";
    const { stdout } = await execa("docker", ["inspect", format, ...ids.split("\n")]);
    return stdout.split("\n").map(Number);
  }
});
