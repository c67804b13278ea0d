import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MachineName } from "../support/machines/directions.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { TestStack } from "../support/stack.ts";

const MACHINES: Readonly<Record<string, MachineName>> = { rg1: "m1", rg2: "m2", rg3: "m3" };

const reason = await whyNoMachines();

describe.skipIf(reason)(`volumes kept on several engines${reason ? ` (${reason})` : ""}`, () => {
  let machines: Machines;
  let stack: TestStack;

  const configure = (machineOf: Readonly<Record<string, MachineName>>) =>
    stack.configure({
      regions: Object.keys(machineOf),
      availabilityZones: ["az1"],
      memory: "128MiB",
      keepVolumes: true,
      streams: {},
      engines: Object.fromEntries(
        Object.entries(machineOf).map(([region, name]) => [
          region,
          { host: machines.machine(name).host },
        ]),
      ),
    });
  const refusal = async () => {
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    return text;
  };

  beforeAll(async () => {
    machines = await Machines.start({ count: 3, delays: {}, images: ["nats:2.15.2"] });
    stack = await TestStack.create();
    Object.assign(stack.env, machines.environment);
    stack.engines = machines.all.map(({ host }) => ({
      ...machines.environment,
      DOCKER_HOST: host,
    }));
    configure(MACHINES);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await stack.expectDestroy();
  });

  afterAll(async () => {
    await stack?.remove();
    await machines?.[Symbol.asyncDispose]();
  });

  test("are one cluster's: none is left out, and each comes back where it is", async () => {
    configure({ rg1: "m1", rg2: "m2" });
    expect(await refusal()).toContain(
      "rg1-az1, rg2-az1 come back to data volumes of a meta group of 3. The settings lack 1 of its members, of which no volumes were found.",
    );
    configure({ rg1: "m2", rg2: "m1", rg3: "m3" });
    expect(await refusal()).toContain(
      `rg1-az1: nats-regions-${stack.name}-rg1-az1-data on rg2's, and not on rg1's`,
    );
    configure(MACHINES);
    expect(await stack.expectPulumi("up", "--yes", "--skip-preview")).toContain(
      "rg1-az1, rg2-az1, rg3-az1 come back to the data volumes that were kept.",
    );
  });
});
