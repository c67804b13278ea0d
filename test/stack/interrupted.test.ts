import { once } from "node:events";
import { createServer } from "node:net";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodesOf } from "../../lib/plan/plan.ts";
import { eventually } from "../support/eventually.ts";
import { weaknesses } from "../support/hardening.ts";
import { expectWell, planOfStack } from "../support/inject-fault.ts";
import { NatsClient } from "../support/nats-client.ts";
import { SEED_SETTINGS, TestStack } from "../support/stack.ts";

const UP = ["up", "--yes", "--skip-preview"];

describe("an up that is killed", () => {
  let stack: TestStack;

  const expectSeed = async (client: NatsClient) => {
    // A leader hears from a follower that has restarted within its next heartbeats.
    await eventually(async () => {
      expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
      expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
      return true;
    });
    await stack.expectPulumi("preview", "--expect-no-changes");
  };

  beforeAll(async () => {
    stack = await TestStack.create();
  });

  afterAll(async () => {
    await stack.remove();
  });

  /** By `npm run chaos`. It takes the gate half a minute to know that nodes which never had a leader won't elect one. */
  const LONG: [string, RegExp, object][] = [
    ["volumes are being made", /-network created/, {}],
    [
      "nodes of the last zone aren't there, and others come,",
      /-wave-2 created/,
      { memory: "256MiB" },
    ],
  ];

  test.each<[string, RegExp, object]>([
    ["nodes are being configured", /-configured created/, {}],
    ["the gate waits for the first boot", /-wave-3 creating/, {}],
    ["streams are being made", /:Stream ORDERS creating/, {}],
    ...(process.env.INTERRUPTS ? LONG : []),
  ])("while %s is put right by the next", async (_, sign, changes) => {
    await stack.killAt(sign, "up", "--yes", "--skip-preview");

    stack.configure({ ...SEED_SETTINGS, ...changes });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    await expectSeed(client);

    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });

  test("without having written any state, but for half of one, is put right by the next", async () => {
    stack.env.PULUMI_SKIP_CHECKPOINTS = "true";
    await stack.killAt(/:Stream ORDERS creating/, "up", "--yes", "--skip-preview");
    stack.tearState();
    const shown = await stack.expectPulumi("stack", "--show-urns");
    expect(shown).toContain(`Put back the state that stack ${stack.name} had`);
    expect(shown).not.toMatch(/nats:Stream/);
    delete stack.env.PULUMI_SKIP_CHECKPOINTS;

    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    await expectSeed(client);

    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });

  test("while containers are being made leaves nothing that destroy doesn't find", async () => {
    await stack.killAt(/-container creating/, "up", "--yes", "--skip-preview");
    await leaveContainer();

    expect(await stack.expectDestroy()).toContain("left behind");
    expect(await stack.leftovers()).toEqual([]);
  });

  test("while nodes are replaced loses no message, and the next goes on", async () => {
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    const sent = Array.from({ length: 50 }, (_, index) => `order ${index}`);
    for (const payload of sent) await client.publish("orders.new", payload);

    stack.configure({ ...SEED_SETTINGS, memory: "256MiB" });
    await stack.killAt(/-container deleted original/, "up", "--yes", "--skip-preview");

    await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
    await expectSeed(client);
    expect(await client.payloads("ORDERS")).toEqual(sent);
    expect(await memoryLimits()).toEqual(Array(9).fill(256 * 1024 ** 2));
  });

  test("while a stream moves is put right by the next, also with the settings of before", async () => {
    const before = { ...SEED_SETTINGS, memory: "256MiB" };
    const { ORDERS } = SEED_SETTINGS.streams;
    const moved = { ...ORDERS, placement: { tags: ["rg:3"] } };
    stack.configure({ ...before, streams: { ...SEED_SETTINGS.streams, ORDERS: moved } });
    const hung = ["az1", "az2"].map((zone) => `nats-regions-${stack.name}-rg3-${zone}`);
    await execa("docker", ["pause", ...hung]);
    try {
      await stack.killAt(/ORDERS: waiting for/, "up", "--yes", "--skip-preview");
    } finally {
      await execa("docker", ["unpause", ...hung]);
    }
    await using client = await NatsClient.connect(await stack.outputs());
    // Only a stream with a leader gives what it holds.
    await eventually(async () => (await client.hosts("ORDERS")).join().startsWith("rg3-az1"));
    const sent = await client.payloads("ORDERS");

    stack.configure(before);
    expect(await stack.expectPulumi("preview")).toMatch(
      /stream ORDERS: the last up began to change it, and didn't come to an end/,
    );
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await expectSeed(client);
    expect(await client.payloads("ORDERS")).toEqual(sent);
  });

  /** A container that the state knows nothing of: whether the engine had got to one is a matter of luck. */
  async function leaveContainer(): Promise<void> {
    const volume = `nats-regions-${stack.name}-rg1-az1-data`;
    const owner = '--format={{index .Labels "nats-regions.owner"}}';
    const { stdout } = await execa("docker", ["volume", "inspect", owner, volume]);
    const labels = [
      `--label=nats-regions.owner=${stdout}`,
      `--label=nats-regions.stack=nats-regions/${stack.name}`,
    ];
    const name = `--name=nats-regions-${stack.name}-rg3-az3`;
    await execa("docker", ["create", name, ...labels, "nats:2.15.2"]);
  }

  async function memoryLimits(): Promise<number[]> {
    const label = `label=nats-regions.stack=nats-regions/${stack.name}`;
    const { stdout: ids } = await execa("docker", ["ps", "--quiet", `--filter=${label}`]);
    const format = "--format={{.HostConfig.Memory}}";
    const { stdout } = await execa("docker", ["inspect", format, ...ids.split("\n")]);
    return stdout.split("\n").map(Number);
  }
});

describe.runIf(process.env.INTERRUPTS)("an up that fails", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create();
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("as a port is taken meanwhile is put right by the next, with whole containers", async () => {
    const plan = planOfStack(stack, SEED_SETTINGS);
    await using server = createServer();
    const port = nodesOf(plan)[0]?.clientPort;
    const take = () => once(server.listen(port, "127.0.0.1"), "listening");
    const { exitCode, text } = await stack.meanwhile(/-network created/, take, ...UP);
    expect(exitCode).not.toBe(0);
    expect(text).toContain("Unable to start container");
    server.close();

    await stack.expectPulumi(...UP);
    await expectWell({ plan });
    expect(await weaknesses(plan.prefix, stack.name)).toEqual([]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });
});
