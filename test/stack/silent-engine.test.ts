import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { Machine } from "../support/machines/machine.ts";
import { Machines, whyNoMachines } from "../support/machines/machines.ts";
import { TestStack } from "../support/stack.ts";

const REGIONS = ["rg1", "rg3", "rg30"];

const reason = await whyNoMachines();

describe.skipIf(reason)(`an engine that doesn't answer${reason ? ` (${reason})` : ""}`, () => {
  let machines: Machines;
  let stack: TestStack;
  /** That of rg3. */
  let silent: Machine;

  beforeAll(async () => {
    machines = await Machines.start({ count: REGIONS.length, images: ["nats:2.15.2"] });
    silent = machines.machine("m2");
    const hosts = REGIONS.map((region, index) => [region, { host: machines.all[index]?.host }]);
    stack = await TestStack.create({
      regions: REGIONS,
      availabilityZones: ["az1"],
      memory: "128MiB",
      // Has the name of a region.
      streams: { rg3: { subjects: ["rg3.*"], replicas: 1, placement: { region: "rg30" } } },
      engines: Object.fromEntries(hosts),
    });
    Object.assign(stack.env, machines.environment);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
  });

  afterAll(async () => {
    await stack?.remove();
    await machines?.[Symbol.asyncDispose]();
  });

  /** Names of what a command says that it looks at. */
  const refreshedIn = (text: string) =>
    [...text.matchAll(/^ *~? +\S+:\S+ (\S+) refreshing/gm)].map(([, name]) => name);

  test("is left out of a refresh, and nothing else of a similar name", async () => {
    await machines.isolate("m2");
    const text = await stack.expectPulumi("refresh", "--yes", "--skip-preview");
    expect(text).toContain("engines.rg3: its engine doesn't answer, so that rg3-az1 with");
    const names = refreshedIn(text);
    expect(names).toEqual(
      expect.arrayContaining(["rg3", "c1-rg30-az1-container", "c1-image-rg30", "c1-rg1-az1-data"]),
    );
    // Side by side, in any order.
    const near = names.filter((name) => /(rg3-az1-\w+|-rg3)$/.test(name ?? ""));
    expect(near.sort()).toEqual(["c1-rg3", "c1-rg3-az1-certificate"]);
    const targeted = await stack.pulumi("refresh", "--yes", "--target", "**rg3-az1-data");
    expect(targeted.exitCode).toBe(1);
    expect(targeted.text).toContain("nothing was changed. Leave out --target **rg3-az1-data.");
    await machines.heal();
  });

  test("is named by drills and status, which asks the servers behind it all the same", async () => {
    await silent.pauseEngine();
    const drill = await stack.script("drill", "region", "rg1", "--yes");
    expect(drill.exitCode).toBe(1);
    expect(drill.stderr).toMatch(
      /^Nothing was touched, as the Docker engine of rg3 doesn't answer: /m,
    );
    await eventually(async () => {
      const { stdout } = await stack.script("status");
      expect(stdout).toContain("The Docker engine of rg3 doesn't answer");
      return !stdout.includes("No answer from");
    }, 60_000);
    await silent.resumeEngine();
  });

  test("is left out of a preview that refreshes, if it accepts questions and hangs", async () => {
    await silent.pauseEngine();
    const text = await stack.expectPulumi("preview", "--refresh", "--expect-no-changes");
    expect(text).toContain("rg3-az1 with their volumes, network and image are left out");
    expect(text).toMatch(/didn't answer `docker version` within 7 s/);
    await silent.resumeEngine();
    await stack.expectPulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
  });

  test("keeps its share of a stack that is destroyed, until it is back", async () => {
    const listAll = (docker: Machine["docker"]) =>
      Promise.all([
        docker("ps", "--all", "--format={{.Names}}"),
        docker("volume", "ls", "--format={{.Name}}"),
        docker("network", "ls", "--format={{.Name}}", "--filter=name=nats-regions"),
      ]);
    await machines.isolate("m2");
    const { exitCode, text } = await stack.pulumi("destroy", "--yes", "--skip-preview");
    expect(exitCode).toBe(1);
    expect(text).toContain(`Stack ${stack.name} isn't gone: rg3-az1 with their volumes`);
    for (const machine of machines.all) {
      const [containers, ...others] = await listAll((...args) => machine.localDocker(...args));
      const isSilent = machine === silent;
      expect(containers).toBe(isSilent ? stack.containerOf("rg3-az1") : "");
      expect(others.map((names) => names !== "")).toEqual([isSilent, isSilent]);
    }
    await machines.heal();
    await stack.expectDestroy();
    expect(await listAll((...args) => silent.localDocker(...args))).toEqual(["", "", ""]);
    expect(stack.deployment().resources ?? []).toEqual([]);
  });
});
