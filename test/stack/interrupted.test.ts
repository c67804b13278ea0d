import { once } from "node:events";
import { createServer } from "node:net";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodesOf } from "../../lib/plan/plan.ts";
import { eventually } from "../support/eventually.ts";
import { weaknesses } from "../support/hardening.ts";
import { expectWell, planOfStack } from "../support/inject-fault.ts";
import { NatsClient } from "../support/nats-client.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

const UP = ["up", "--yes", "--skip-preview"];

describe("an up that is killed", () => {
  let stack: TestStack;

  const expectSettled = async (client: NatsClient) => {
    // A leader hears from a follower that has restarted within its next heartbeats.
    await eventually(async () => {
      expect(await client.hosts("ORDERS")).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
      return true;
    });
    await stack.expectPulumi("preview", "--expect-no-changes");
  };

  beforeAll(async () => {
    stack = await TestStack.create(ONE_REGION);
  });

  afterAll(async () => {
    await stack.remove();
  });

  /** By `npm run chaos`. It takes the gate half a minute to know that nodes which never had a leader won't elect one. */
  const LONG: [string, RegExp, object][] = [
    ["volumes are being made", /-network created/, {}],
    ["the last node is to start after the others", /-rg1-az3-container creating/, {}],
    ["not all nodes are there, and others come,", /-wave-2 created/, { memory: "256MiB" }],
  ];

  test.each<[string, RegExp, object]>([
    ["nodes are being configured", /-configured created/, {}],
    ["the gate waits for the first boot", /-wave-3 creating/, {}],
    ["streams are being made", /:Stream ORDERS creating/, {}],
    ...(process.env.INTERRUPTS ? LONG : []),
  ])("while %s is put right by the next", async (_, sign, changes) => {
    await stack.killAt(sign, "up", "--yes", "--skip-preview");

    stack.configure({ ...ONE_REGION, ...changes });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    await expectSettled(client);

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
    await expectSettled(client);

    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });

  test("while containers are being made leaves nothing that destroy doesn't find", async () => {
    await stack.killAt(/-container creating/, "up", "--yes", "--skip-preview");
    await leaveContainer();

    expect(await stack.expectDestroy()).toContain("left behind");
    expect(await stack.leftovers()).toEqual([]);
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
    const name = `--name=nats-regions-${stack.name}-rg1-az4`;
    await execa("docker", ["create", name, ...labels, "nats:2.15.2"]);
  }
});

describe.runIf(process.env.INTERRUPTS)("an up that fails", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create(ONE_REGION);
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("as a port is taken meanwhile is put right by the next, with whole containers", async () => {
    const plan = planOfStack(stack, ONE_REGION);
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
