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
  /** Another address of this machine: that of a bridge. */
  let otherAddress: string;

  const settings = (engines: object) => ({
    regions: ["rg2", "rg3", "rg4"],
    availabilityZones: ["az1"],
    uniqueTag: "rg:",
    streams: { ORDERS: { subjects: ["orders.*"], replicas: 3 } },
    engines,
  });
  const on = (by: string, at = address) => ({ host: by, address: at });
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

  const bridge = () => `nats-regions-bridge-${stack.name}`;

  beforeAll(async () => {
    stack = await TestStack.create(settings(ALL));
    await execa("docker", ["network", "create", bridge()]);
    const format = "--format={{range .IPAM.Config}}{{.Gateway}}{{end}}";
    otherAddress = (await execa("docker", ["network", "inspect", format, bridge()])).stdout;
    await up();
  });
  afterAll(async () => {
    await stack?.remove();
    await execa("docker", ["network", "rm", bridge()]);
  });

  test("change no more, also as the machine gets another address, and by another region's key", async () => {
    const before = await containers();
    expect(before).toHaveLength(3);
    await stack.expectPulumi("preview", "--expect-no-changes");

    // Nodes with the one address and nodes with the other trust each other only if their certificates have both.
    const certificateNames = [address, otherAddress];
    stack.configure({ ...settings(ALL), certificateNames });
    await up();
    expect(await containers()).toEqual(before);
    const moved = on(otherHost, otherAddress);
    stack.configure({ ...settings({ rg2: moved, rg3: moved, rg4: moved }), certificateNames });
    const atOnce = { certificateNames, rollout: "all" };
    stack.configure({ ...settings({ rg2: moved, rg3: moved, rg4: moved }), ...atOnce });
    await up();
    // What clients are told is settled when a server starts.
    const restarted = await containers();
    expect(restarted).toHaveLength(3);
    expect(restarted.filter((id) => before.includes(id))).toEqual([]);
    const { clientUrls } = await stack.outputs();
    for (const url of Object.values(clientUrls)) expect(url).toContain(`//${otherAddress}:`);
    await stack.expectPulumi("preview", "--expect-no-changes");

    // Its first key is that of a region which comes.
    stack.configure({
      ...settings({ rg1: on(host), ...ALL }),
      ...atOnce,
      regions: ["rg2", "rg3", "rg4", "rg1"],
    });
    await up();
    expect(await containers()).toHaveLength(4);
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("refresh", "--yes", "--expect-no-changes");

    stack.configure(settings(ALL));
    await up();
    expect(await containers()).toHaveLength(3);
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
        `--filter=name=nats-regions-${stack.name}`,
      ]);
      expect(stdout).toBe("");
    }
  });
});
