import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MachineName } from "../support/machines/directions.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

const MACHINES: Readonly<Record<string, MachineName>> = { rg1: "m1", rg2: "m2", rg3: "m3" };
const SENT = ["one", "two", "three"];

const reason = await whyNoMachines();

describe.skipIf(reason)(`machines that are reached by IPv6${reason ? ` (${reason})` : ""}`, () => {
  let machines: Machines;
  let stack: TestStack;

  const settings = (orders: string, engines: object = {}) => ({
    availabilityZones: ["az1"],
    uniqueTag: "rg:",
    memory: "128MiB",
    streams: {
      EVENTS: { subjects: ["events.*"], replicas: 3 },
      ORDERS: { subjects: ["orders.*"], placement: { tags: [orders] } },
    },
    engines: {
      ...Object.fromEntries(
        Object.entries(MACHINES).map(([region, name]) => [
          region,
          { host: machines.machine(name).host6 },
        ]),
      ),
      ...engines,
    },
  });
  const up = async (wanted: object) => {
    stack.configure(wanted);
    return await stack.expectPulumi("up", "--yes", "--skip-preview");
  };

  beforeAll(async () => {
    machines = await Machines.start({
      count: 3,
      images: ["nats:2.15.2"],
      ipv6Containers: true,
      delays: { "m1-m2": 5 },
    });
    stack = await TestStack.create(settings("rg:2"));
    Object.assign(stack.env, machines.environment);
    await up(settings("rg:2"));
  });

  afterAll(async () => {
    await stack?.remove();
    await machines?.[Symbol.asyncDispose]();
  });

  test("come up, and change no more", async () => {
    const { clientUrls } = await stack.outputs();
    for (const [region, name] of Object.entries(MACHINES)) {
      const url = clientUrls[`${region}-az1`];
      expect(url).toMatch(/^tls:\/\/\[fd99:[0-9a-f:]+\]:\d+$/);
      expect(url).toContain(`//[${machines.machine(name).address6}]:`);
    }
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("refresh", "--yes", "--expect-no-changes");
  });

  test("move a stream with what it holds", async () => {
    await using client = await NatsClient.connect(await stack.outputs());
    for (const payload of SENT) await client.publish("orders.new", payload);
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1"]);
    await up(settings("rg:3"));
    expect(await client.hosts("ORDERS")).toEqual(["rg3-az1"]);
    expect(await client.payloads("ORDERS")).toEqual(SENT);
    expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az1", "rg3-az1"]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("stay reachable by IPv6 alone, and go on after a partition of one", async () => {
    await machines.isolate("m3");
    await using client = await NatsClient.connect(await stack.outputs());
    await client.publish("events.new", "meanwhile");
    await machines.heal();
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("are destroyed without a trace", async () => {
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    for (const machine of machines.all) {
      const left = await Promise.all([
        machine.docker("ps", "--all", "--quiet"),
        machine.docker("volume", "ls", "--quiet"),
        machine.docker("network", "ls", "--quiet", "--filter=name=nats-regions"),
      ]);
      expect(left).toEqual(["", "", ""]);
    }
  });
});

describe.skipIf(reason)(
  `machines with IPv6 that containers lack${reason ? ` (${reason})` : ""}`,
  () => {
    test("are refused before anything is made", async () => {
      await using machines = await Machines.start({ count: 1, images: ["nats:2.15.2"] });
      const machine = machines.machine("m1");
      const stack = await TestStack.create({
        regions: ["rg1"],
        streams: {},
        engines: { rg1: { host: machine.host, address: machine.address6 } },
      });
      try {
        Object.assign(stack.env, machines.environment);
        const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
        expect(exitCode).not.toBe(0);
        expect(text).toMatch(/engines: machines have IPv6 addresses, .*\n.*rg1: Docker 20\.10/);
        expect(await machine.docker("network", "ls", "--quiet", "--filter=name=nats-regions")).toBe(
          "",
        );
      } finally {
        await stack.remove();
      }
    });
  },
);
