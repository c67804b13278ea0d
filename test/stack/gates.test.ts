import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

/** Like the pinned one, but for a server that can't listen anywhere. */
const BROKEN_IMAGE = "nats:2.15.2-deaf";

describe("a rollout", () => {
  let stack: TestStack;
  let sent: string[];

  beforeAll(async () => {
    stack = await TestStack.create(ONE_REGION);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    sent = Array.from({ length: 20 }, (_, index) => `order ${index}`);
    for (const payload of sent) await client.publish("orders.new", payload);
  });

  afterAll(async () => {
    await stack.remove();
    await execa("docker", ["image", "rm", "--force", BROKEN_IMAGE], { reject: false });
  });

  test("begins with a node that somebody stopped, which brings it back", async () => {
    await docker("stop", stack.containerOf("rg1-az3"));
    const before = await settings();
    stack.configure({ ...ONE_REGION, memory: "256MiB" });
    const text = await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(text).toMatch(/restart, in this order: rg1-az3; then rg1-az1; then rg1-az2/);
    expect(text).toMatch(/restarted first, as they are not well: rg1-az3/);
    expect(new Set(await settings()).size).toBe(3);
    expect((await settings()).filter((each) => before.includes(each))).toEqual([]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("stops at the first wave where a server doesn't come up, and can be taken back", async () => {
    const container = await docker("create", "nats:2.15.2");
    const entrypoint = 'ENTRYPOINT ["/nats-server", "--addr", "203.0.113.1"]';
    await docker("commit", "--change", entrypoint, container, BROKEN_IMAGE);
    await docker("rm", container);
    const before = await settings();

    stack.configure({ ...ONE_REGION, memory: "256MiB", image: BROKEN_IMAGE });
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/-rg1-az1 doesn't stay up, docker logs says why: .*203\.0\.113\.1/);
    expect((await settings()).filter((each) => before.includes(each))).toHaveLength(2);

    stack.configure({ ...ONE_REGION, memory: "256MiB" });
    await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
    expect(await settings()).toEqual(before);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("ORDERS")).toEqual(sent);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  async function docker(...args: string[]): Promise<string> {
    return (await execa("docker", args)).stdout;
  }

  /** By what each container was made from; another value is another container. */
  async function settings(): Promise<string[]> {
    const format = '--format={{.Names}} {{.Label "nats-regions.restart-settings"}}';
    const filter = `--filter=label=nats-regions.stack=nats-regions/${stack.name}`;
    const rows = await docker("ps", "--all", filter, "--filter=label=nats-regions.node", format);
    return rows.split("\n").sort();
  }
});
