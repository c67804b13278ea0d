import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, change, expectHosts, STREAMS } from "../support/change.ts";
import type { MachineName } from "../support/machines/directions.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const MACHINES: Readonly<Record<string, MachineName>> = { rg1: "m1", rg2: "m2", rg3: "m3" };
/** Milliseconds, one way. */
const DELAYS = { "m1-m2": 15, "m2-m3": 30, "m1-m3": 40 };
const NKEY = "UACV3DGGOJNG7BYKLLXSM5VRBEZWYBZ4C2W3S35THVZB2LEBZ27JLJNW";
const ORDERS_IN_RG3 = ["rg3-az1", "rg3-az2", "rg3-az3"];

const reason = await whyNoMachines();

describe.skipIf(reason)(`regions on machines of their own${reason ? ` (${reason})` : ""}`, () => {
  let machines: Machines;
  let stack: TestStack;
  let traffic: Traffic;

  const settings = (more: object = {}) => ({
    memory: "128MiB",
    streams: STREAMS,
    engines: Object.fromEntries(
      Object.entries(MACHINES).map(([region, name]) => [
        region,
        { host: machines.machine(name).host },
      ]),
    ),
    ...more,
  });

  beforeAll(async () => {
    machines = await Machines.start({ count: 3, delays: DELAYS, images: ["nats:2.15.2"] });
    stack = await TestStack.create(settings());
    Object.assign(stack.env, machines.environment);
    stack.engines = machines.all.map(({ host }) => ({
      ...machines.environment,
      DOCKER_HOST: host,
    }));
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack?.remove();
    await machines?.[Symbol.asyncDispose]();
  });

  test("come up where their tags say, each region on its machine, and change no more", async () => {
    await expectHosts(stack, "EVENTS", ["rg1-az1", "rg2-az2", "rg3-az3"]);
    await expectHosts(stack, "ORDERS", ["rg2-az1", "rg2-az2", "rg2-az3"]);
    for (const [region, name] of Object.entries(MACHINES)) {
      const listed = await machines.machine(name).docker("ps", "--format={{.Names}}");
      const nodes = ["az1", "az2", "az3"].map(
        (zone) => `nats-regions-${stack.name}-${region}-${zone}`,
      );
      expect(listed.split("\n").sort()).toEqual(nodes);
    }
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("refresh", "--yes", "--expect-no-changes");
  });

  test("move a stream across the delay, and lose nothing", async () => {
    const streams = { ...STREAMS, ORDERS: at(STREAMS.ORDERS, "rg:3") };
    const { restarts } = await change(stack, traffic, "move ORDERS", settings({ streams }));
    expect(restarts).toBe(0);
    await expectHosts(stack, "ORDERS", ORDERS_IN_RG3);
  });

  test("restart zone by zone, over all machines, and lose nothing", async () => {
    const streams = { ...STREAMS, ORDERS: at(STREAMS.ORDERS, "rg:3") };
    const other = settings({ streams, memory: "160MiB" });
    const { restarts, text } = await change(stack, traffic, "restart nine", other);
    expect(restarts).toBe(9);
    expect(text).toContain("restart, zone by zone: rg1-az1, rg2-az1, rg3-az1; then");
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("change elsewhere while a region is gone, and catch up once it is back", async () => {
    const streams = { ...STREAMS, ORDERS: at(STREAMS.ORDERS, "rg:2") };
    const there = settings({ streams, memory: "160MiB" });
    await change(stack, traffic, "move ORDERS off rg3", there, false);
    await machines.isolate("m3");
    const LATER = { subjects: ["later.*"], replicas: 3, placement: { region: "rg2" } };
    const wanted = {
      ...there,
      streams: { ...streams, LATER },
      accounts: { BILLING: { users: { billing: { nkey: NKEY } } } },
    };
    stack.configure(wanted);
    const preview = await stack.expectPulumi("preview");
    expect(preview).toContain("engines.rg3: its engine doesn't answer, so that rg3-az1, rg3-az2");
    const words = await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(words).toContain("rg3-az1, rg3-az2, rg3-az3 stay as they are");
    await expectHosts(stack, "LATER", ["rg2-az1", "rg2-az2", "rg2-az3"]);

    // A node that is yet to be made there is refused, and nothing is changed.
    stack.configure({ ...wanted, nodesPerZone: 2 });
    const refused = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toContain("rg3-az1-2, rg3-az2-2, rg3-az3-2 can't be made");

    await machines.heal();
    stack.configure(wanted);
    const back = await stack.expectPulumi("preview");
    expect(back).toContain("reload, no restart: rg3-az1, rg3-az2, rg3-az3");
    const { restarts } = await change(stack, traffic, "rg3 catches up", wanted);
    expect(restarts).toBe(0);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("grow by a region on another machine, and shrink by one with its engine", async () => {
    const added = await machines.addMachine();
    stack.engines = [...stack.engines, { ...machines.environment, DOCKER_HOST: added.host }];
    const streams = { ...STREAMS, ORDERS: at(STREAMS.ORDERS, "rg:4") };
    const regions = ["rg1", "rg2", "rg3", "rg4"];
    const engines = { ...settings().engines, rg4: { host: added.host } };
    const grown = { ...settings(), memory: "160MiB", streams, regions, engines };
    const { restarts } = await change(stack, traffic, "grow by rg4", grown, false);
    expect(restarts).toBe(0);
    await expectHosts(stack, "ORDERS", ["rg4-az1", "rg4-az2", "rg4-az3"]);

    const { rg4: _, ...engines3 } = engines;
    const back = { ...grown, regions: regions.slice(0, 3), engines: engines3 };
    const moved = { ...back, streams: { ...STREAMS, ORDERS: at(STREAMS.ORDERS, "rg:3") } };
    expect((await change(stack, traffic, "shrink by rg4", moved)).restarts).toBe(0);
    await expectHosts(stack, "ORDERS", ORDERS_IN_RG3);
    expect(await added.docker("ps", "--all", "--quiet")).toBe("");
    expect(await added.docker("volume", "ls", "--quiet")).toBe("");
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("are destroyed without a trace", async () => {
    await traffic[Symbol.asyncDispose]();
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
