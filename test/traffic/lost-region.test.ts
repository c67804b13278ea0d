import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, expectHosts, STREAMS } from "../support/change.ts";
import type { MachineName } from "../support/machines/directions.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const MACHINES: Readonly<Record<string, MachineName>> = { rg1: "m1", rg2: "m2", rg3: "m3" };

/** Streams that go with rg3: of one, no replica is left, of the other, one of three. */
const LEDGER = { subjects: ["ledger.*"], replicas: 3, placement: { region: "rg3" } };
const AUDIT = { subjects: ["audit.*"], replicas: 3, placement: { tags: ["audit"] } };
const AUDIT_TAGS = { "rg1-az3": ["audit"], "rg3-az1": ["audit"], "rg3-az2": ["audit"] };
const LOSS = { allowDataLoss: true };
const LET_GO = {
  LEDGER: { ...LEDGER, ...LOSS, placement: { region: "rg2" } },
  AUDIT: { ...AUDIT, ...LOSS, placement: { region: "rg1" } },
};
const MESSAGES = ["1", "2", "3"];

const reason = await whyNoMachines();

describe.skipIf(reason)(`a region that is lost for good${reason ? ` (${reason})` : ""}`, () => {
  let machines: Machines;
  let stack: TestStack;
  let traffic: Traffic;

  const settings = (regions: readonly string[]) => ({
    memory: "128MiB",
    regions,
    streams: { ...STREAMS, LEDGER, AUDIT },
    serverTags: AUDIT_TAGS,
    engines: Object.fromEntries(
      regions.map((region) => [region, { host: machines.machine(MACHINES[region] ?? "m4").host }]),
    ),
  });
  const refusal = async (wanted: object) => {
    stack.configure(wanted);
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    return text;
  };
  const withoutRg3 = (more: object = {}) => ({
    ...settings(["rg1", "rg2"]),
    serverTags: { "rg1-az3": ["audit"] },
    lost: ["rg3"],
    streams: {
      ...STREAMS,
      EVENTS: at(STREAMS.EVENTS, "rg:1"),
      LEDGER: { ...LEDGER, placement: { region: "rg2" } },
      AUDIT: { ...AUDIT, placement: { region: "rg1" } },
      ...more,
    },
  });
  /** Every message that the stream has acknowledged is stored once, in all replicas alike. */
  const expectNothingLost = async (stream: string) => {
    const { acknowledged, ...audit } = await traffic.audit(stream);
    expect(acknowledged).toBeGreaterThan(0);
    expect(audit).toMatchObject({ missing: [], givenTwice: [], storedTwice: 0, versions: 1 });
  };

  beforeAll(async () => {
    machines = await Machines.start({ count: 3, images: ["nats:2.15.2"] });
    stack = await TestStack.create(settings(["rg1", "rg2", "rg3"]));
    Object.assign(stack.env, machines.environment);
    stack.engines = machines.all.map(({ host }) => ({
      ...machines.environment,
      DOCKER_HOST: host,
    }));
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    for (const message of MESSAGES) {
      await client.publish("ledger.new", message);
      await client.publish("audit.new", message);
    }
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack?.remove();
    await machines?.[Symbol.asyncDispose]();
  });

  test("isn't let go of while its servers are heard of, or its engine answers", async () => {
    await machines.silenceSsh("m3");
    expect(await refusal(withoutRg3())).toContain("the other servers hear of rg3-az1");
    await machines.heal();
    expect(await refusal(withoutRg3())).toContain("answers, and has");
  });

  test("is let go of by a killed up and the next one, and nothing is lost that isn't named", async () => {
    const streams = ["EVENTS", "ORDERS"];
    await traffic.during(() => machines.machine("m3").kill());
    const { lost: _, ...unsaid } = withoutRg3();
    expect(await refusal(unsaid)).toContain('say so: lost: ["rg3"]');
    const text = await refusal(withoutRg3());
    expect(text).toContain("stream LEDGER has no replica left: all of its messages are lost");
    expect(text).toContain("stream AUDIT has 1 of 3 replicas left, with 3 messages");

    stack.configure(withoutRg3(LET_GO));
    await traffic.during(async () => {
      await stack.killAt(/rg3-az3: out of the meta group/, "up", "--yes", "--skip-preview");
      await stack.expectPulumi("up", "--yes", "--skip-preview");
    });
    await expectHosts(stack, "EVENTS", ["rg1-az1", "rg1-az2", "rg1-az3"]);
    for (const stream of streams) await expectNothingLost(stream);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("AUDIT")).toEqual(MESSAGES);
    expect(await client.payloads("LEDGER")).toEqual([]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("with most of the nodes is let go of for a new one in its place, and the rest is whole", async () => {
    const added = await machines.addMachine();
    stack.engines = [...stack.engines, { ...machines.environment, DOCKER_HOST: added.host }];
    await machines.machine("m2").kill();
    const moved = { LEDGER: { ...LEDGER, ...LOSS, placement: { region: "rg4" } } };
    const orders = { ...at(STREAMS.ORDERS, "rg:4"), ...LOSS };
    const wanted = (more: object) => ({
      ...settings(["rg1", "rg4"]),
      serverTags: { "rg1-az3": ["audit"] },
      lost: ["rg2", "rg3"],
      streams: { ...withoutRg3(LET_GO).streams, ...moved, ...more },
    });
    const text = await refusal(wanted({ ORDERS: at(STREAMS.ORDERS, "rg:4") }));
    expect(text).toContain("stream ORDERS has no replica left");
    stack.configure(wanted({ ORDERS: orders }));
    const words = await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(words).toContain("the meta group has lost 3 of its 6 members");
    await expectHosts(stack, "ORDERS", ["rg4-az1", "rg4-az2", "rg4-az3"]);
    await expectNothingLost("EVENTS");
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("is asked for nothing by a destroy", async () => {
    await traffic[Symbol.asyncDispose]();
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    for (const name of ["m1", "m4"] as const) {
      expect(await machines.machine(name).docker("ps", "--all", "--quiet")).toBe("");
    }
  });
});
