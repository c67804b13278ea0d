import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { at, change, expectHosts, STREAMS } from "../support/change.ts";
import { planOfStack } from "../support/inject-fault.ts";
import type { FaultCase } from "../support/machines/fault-cases.ts";
import { runFaultCase } from "../support/machines/fault-run.ts";
import { faultNamed } from "../support/machines/faults.ts";
import { whyNoMachines } from "../support/machines/machines.ts";
import { MachinesStage } from "../support/machines/stage.ts";

const NKEY = "UACV3DGGOJNG7BYKLLXSM5VRBEZWYBZ4C2W3S35THVZB2LEBZ27JLJNW";

/** Several zones in one region, where replicas are, and one in those that have to be there to be lost. */
const ZONES = { rg1: ["az1"], rg2: ["az1", "az2", "az3"], rg3: ["az3"] };
const across = (stream: object, third: string) => ({
  ...stream,
  placement: { across: { rg1: "az1", rg2: "az2", [third]: "az3" } },
});
/**
 * Milliseconds. A leader hands on to any follower that it hears. If that one is 80 ms away and behind, on a machine with
 * too much to do, it is refused, and elections by time-out follow, which take 4 to 9 s each (nats-server 2.15, raft.go).
 */
const longestGap = 15_000;
const ALL = { ...STREAMS, EVENTS: across(STREAMS.EVENTS, "rg3") };
const IN_RG2 = ["rg2-az1", "rg2-az2", "rg2-az3"];

const reason = await whyNoMachines();

describe.skipIf(reason)(`regions on machines of their own${reason ? ` (${reason})` : ""}`, () => {
  let stage: MachinesStage;

  const settings = (more: object = {}) => ({
    regions: ZONES,
    memory: "128MiB",
    streams: ALL,
    engines: stage.engines(),
    ...more,
  });

  beforeAll(async () => {
    stage = await MachinesStage.start();
    vi.stubEnv("PATH", stage.machines.environment.PATH);
    await stage.up(settings());
  });

  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });

  beforeEach(() => stage.keepShort());

  test("come up where their tags say, each region on its machine, and change no more", async () => {
    const { stack } = stage;
    await expectHosts(stack, "EVENTS", ["rg1-az1", "rg2-az2", "rg3-az3"]);
    await expectHosts(stack, "ORDERS", IN_RG2);
    for (const [region, zones] of Object.entries(ZONES)) {
      const listed = await stage.machineOf(region).docker("ps", "--format={{.Names}}");
      const nodes = zones.map((zone) => stack.containerOf(`${region}-${zone}`));
      expect(listed.split("\n").sort()).toEqual(nodes);
    }
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("refresh", "--yes", "--expect-no-changes");
  });

  test("restart over all machines, and lose nothing", async () => {
    const { stack, traffic } = stage;
    const other = settings({ memory: "160MiB" });
    const { restarts } = await change(stack, traffic, "restart five", other, { longestGap });
    expect(restarts).toBe(5);
  });

  test("change elsewhere while a region is gone, and catch up once it is back", async () => {
    const { stack, traffic, machines } = stage;
    await machines.isolate("m3");
    const LATER = { subjects: ["later.*"], replicas: 3, placement: { region: "rg2" } };
    const wanted = settings({
      memory: "160MiB",
      streams: { ...ALL, LATER },
      accounts: { BILLING: { users: { billing: { nkey: NKEY } } } },
    });
    stack.configure(wanted);
    const preview = await stack.expectPulumi("preview");
    expect(preview).toContain("engines.rg3: its engine doesn't answer, so that rg3-az3 stay");
    const words = await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(words).toContain("rg3-az3 stay as they are");
    await expectHosts(stack, "LATER", IN_RG2);

    // A node that is yet to be made there is refused, and nothing is changed.
    stack.configure({ ...wanted, nodesPerZone: 2 });
    const refused = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toContain("rg3-az3-2 can't be made");

    await machines.heal();
    stack.configure(wanted);
    const back = await stack.expectPulumi("preview");
    expect(back).toContain("reload, no restart: rg3-az3");
    const { restarts } = await change(stack, traffic, "rg3 catches up", wanted);
    expect(restarts).toBe(0);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  // More of them by `npm run chaos`.
  test.each<FaultCase>([
    {
      number: 1,
      fault: faultNamed("killed"),
      victim: "m3",
      kind: "memory",
      after: 8_000,
      lasts: 15_000,
    },
    {
      number: 2,
      fault: faultNamed("engine restarted"),
      victim: "m1",
      kind: "store",
      after: 6_000,
      lasts: 0,
    },
  ])("are changed through a fault of a machine: $fault.name", async (given) => {
    const { stack } = stage;
    const wanted = settings(given.kind === "memory" ? {} : { maxFileStore: "1088MiB" });
    const after = planOfStack(stack, wanted);
    stack.configure(wanted);
    await runFaultCase(stage, given, { before: after, after });
  });

  test("grow by a region on another machine, and shrink by one with its engine", {
    timeout: 900_000,
  }, async () => {
    const { stack, traffic, machines } = stage;
    const added = await machines.addMachine();
    stage.lookAtAll();
    const streams = { ...ALL, ORDERS: across(STREAMS.ORDERS, "rg4") };
    const before = { maxFileStore: "1088MiB" };
    const grown = settings({ ...before, streams, regions: { ...ZONES, rg4: ["az3"] } });
    const { restarts } = await change(stack, traffic, "grow by rg4", grown, { isLast: false });
    expect(restarts).toBe(0);
    await expectHosts(stack, "ORDERS", ["rg1-az1", "rg2-az2", "rg4-az3"]);

    const { rg4: _, ...engines } = stage.engines();
    const back = settings({
      ...before,
      engines,
      streams: { ...ALL, ORDERS: at(STREAMS.ORDERS, "rg:2") },
    });
    expect((await change(stack, traffic, "shrink by rg4", back)).restarts).toBe(0);
    await expectHosts(stack, "ORDERS", IN_RG2);
    expect(await added.docker("ps", "--all", "--quiet")).toBe("");
    expect(await added.docker("volume", "ls", "--quiet")).toBe("");
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("are destroyed without a trace", async () => {
    const { stack, traffic, machines } = stage;
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
