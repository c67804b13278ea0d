import { chmod } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { NatsClient } from "../support/nats-client.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

/** Not in the settings. */
const LOOSE = { subjects: ["loose"], num_replicas: 3, placement: { tags: ["rg:1"] } };

describe("restarts", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create({ ...ONE_REGION, memory: "320MiB" });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("begin with the node whose replica of a stray is ill, and stop only before those that it bars", async () => {
    await using client = await NatsClient.connect(await stack.outputs());
    // A leader that missed another server's first word of itself takes it to be offline until its next.
    await eventually(async () => {
      expect(await client.create("LOOSE", LOOSE)).not.toHaveProperty("error");
      return true;
    });
    await hide("rg1-az3", "LOOSE");
    stack.configure({ ...ONE_REGION, memory: "384MiB", patience: "10s" });
    const preview = await stack.expectPulumi("preview");
    expect(preview).toMatch(/restart, in this order: rg1-az3; then rg1-az1; then rg1-az2:/);
    expect(preview).toMatch(
      /restarted last, and only once it is well: rg1-az1, rg1-az2, as stream LOOSE of account APP \(not in the settings\) has 2 of 3 replicas that are well \(not on rg1-az3\)/,
    );
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(
      /rg1-az1 was not restarted: stream LOOSE .* would lose its majority by a restart of rg1-az1; nothing has moved for 10 s\. To get it well: .*nats stream edit LOOSE --replicas 1/,
    );
    expect(await memories()).toEqual({ "rg1-az1": 320, "rg1-az2": 320, "rg1-az3": 384 });

    const single = { name: "LOOSE", ...LOOSE, num_replicas: 1 };
    expect(await client.update("LOOSE", single)).not.toHaveProperty("error");
    // The servers may wait for the replica that is ill: then a next up would say this as its cure.
    const isSingle = async () => ((await client.info("LOOSE")).cluster.replicas ?? []).length === 0;
    await eventually(isSingle, 3_000).catch(() => client.stepDown("LOOSE"));
    await eventually(isSingle);
    stack.configure({ ...ONE_REGION, memory: "384MiB" });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(new Set(Object.values(await memories()))).toEqual(new Set([384]));
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  /** Makes a stream's folder unreadable to its server, as a bad spot on a disk would. */
  async function hide(node: string, stream: string): Promise<void> {
    const container = stack.containerOf(node);
    await execa("docker", ["stop", container]);
    const format = "--format={{.Mountpoint}}";
    const { stdout } = await execa("docker", ["volume", "inspect", format, `${container}-data`]);
    await chmod(path.join(stdout, "jetstream/APP/streams", stream), 0o000);
    await execa("docker", ["start", container]);
    await using client = await NatsClient.connect(await stack.outputs());
    await eventually(async () => (await client.hosts(stream)).length === 2);
  }

  /** MiB that each node's container was made with, by node. */
  async function memories(): Promise<Record<string, number>> {
    const format =
      '--format={{.Label "nats-regions.node"}}\t{{.Label "nats-regions.restart-settings"}}';
    const filter = `--filter=label=nats-regions.stack=nats-regions/${stack.name}`;
    const { stdout } = await execa("docker", ["ps", "--all", filter, format]);
    const rows = stdout.split("\n").map((row) => row.split("\t"));
    return Object.fromEntries(
      rows.flatMap(([node = "", settings = ""]) =>
        node === "" ? [] : [[node, JSON.parse(settings).memory / 1024 ** 2]],
      ),
    );
  }
});
