import { realpathSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestStack } from "../support/stack.ts";

/** An address of this machine that containers reach, too. */
const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
const socket = "/var/run/docker.sock";
const host = `unix://${socket}`;
const otherHost = `unix://${realpathSync(socket)}`;
const reason = address === undefined ? "this machine has no network" : "";

/** What can be told of engines in the settings on a single machine. */
describe.skipIf(reason)(`regions on one engine of the settings${reason && ` (${reason})`}`, () => {
  let stack: TestStack;

  const settings = (engines: object) => ({
    regions: ["rg2", "rg3", "rg4"],
    availabilityZones: ["az1"],
    uniqueTag: "rg:",
    streams: { ORDERS: { subjects: ["orders.*"], replicas: 3 } },
    engines,
  });
  const on = (by: string) => ({ host: by, address });
  const ALL = { rg2: on(host), rg3: on(host), rg4: on(host) };
  const up = () => stack.expectPulumi("up", "--yes", "--skip-preview");
  const refusal = async () => {
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    return text;
  };
  const containers = async () => {
    const filter = `--filter=network=nats-regions-${stack.name}`;
    const { stdout } = await execa("docker", ["ps", "--all", "--quiet", filter]);
    return stdout.split("\n").sort();
  };

  beforeAll(async () => {
    stack = await TestStack.create(settings(ALL));
    await up();
  });
  afterAll(() => stack?.remove());

  test("change no more, also as it is called something else, and by another region's key", async () => {
    const before = await containers();
    expect(before).toHaveLength(3);
    await stack.expectPulumi("preview", "--expect-no-changes");

    stack.configure(settings({ rg2: on(otherHost), rg3: on(otherHost), rg4: on(otherHost) }));
    await up();
    expect(await containers()).toEqual(before);
    await stack.expectPulumi("preview", "--expect-no-changes");

    // Its first key is that of a region which comes.
    stack.configure({
      ...settings({ rg1: on(host), ...ALL }),
      regions: ["rg2", "rg3", "rg4", "rg1"],
    });
    await up();
    expect(await containers()).toEqual(expect.arrayContaining(before));
    expect(await containers()).toHaveLength(4);
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("refresh", "--yes", "--expect-no-changes");

    stack.configure(settings(ALL));
    await up();
    expect(await containers()).toEqual(before);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("are refused on two that are one", async () => {
    stack.configure(settings({ ...ALL, rg4: on(otherHost) }));
    expect(await refusal()).toContain("engines: rg2 and rg4 are one engine");
  });

  test("stay on it: without it they would be made anew, without their data", async () => {
    stack.configure(settings({}));
    expect(await refusal()).toContain(
      "engines: the stack's nodes are on engines that the settings",
    );
    stack.configure(settings(ALL));
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("are destroyed with their network", async () => {
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    for (const kind of ["network", "volume"]) {
      const { stdout } = await execa("docker", [
        kind,
        "ls",
        "--quiet",
        `--filter=name=${stack.name}`,
      ]);
      expect(stdout).toBe("");
    }
  });
});
