import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

const ZONES = ["az1", "az2", "az3", "az4"];
const SENT = Array.from({ length: 20 }, (_, index) => `order ${index}`);

/** Data volumes stay where `keepVolumes` says so, whoever takes their nodes away, and are told of when they come back. */
describe("volumes that are kept", () => {
  let stack: TestStack;
  const volumeOf = (zone: string) => `nats-regions-${stack.name}-rg1-${zone}-data`;
  const configure = (zones: readonly string[], more: object = {}) =>
    stack.configure({
      regions: ["rg1"],
      availabilityZones: zones,
      keepVolumes: true,
      streams: { ORDERS: { subjects: ["orders.*"], replicas: 3 } },
      ...more,
    });
  const up = (...args: string[]) => stack.expectPulumi("up", "--yes", "--skip-preview", ...args);

  beforeAll(async () => {
    stack = await TestStack.create();
    configure(ZONES);
    await up();
    await using client = await NatsClient.connect(await stack.outputs());
    for (const payload of SENT) await client.publish("orders.new", payload);
  });

  afterAll(() => stack.remove());

  test("are neither replaced by hand, nor is a state lost that they were", async () => {
    const urns = await stack.expectPulumi("stack", "--show-urns");
    const [urn = ""] = /urn:\S+volume:Volume::c1-rg1-az1-data/.exec(urns) ?? [];
    const replacing = await stack.pulumi("up", "--yes", "--skip-preview", "--replace", urn);
    expect(replacing).toMatchObject({ exitCode: 1 });
    expect(replacing.text).toContain("A volume can't be replaced by an `up`");
    await stack.expectPulumi("state", "taint", urn, "--yes");
    expect(await stack.expectPulumi("preview", "--expect-no-changes")).toContain(
      `Volume ${volumeOf("az1")} stays`,
    );
  });

  test("stay when their nodes leave, and when the stack is destroyed", async () => {
    configure(ZONES.slice(0, 3));
    await up();
    const said = await stack.expectDestroy();
    expect(said).toContain("Their data volumes stay on the engine, with these streams:");
    expect(said).toMatch(/ORDERS +20 messages/);
    const all = ZONES.map(volumeOf);
    expect(said).toContain(`docker volume rm ${all.join(" ")}`);
    expect(await stack.leftovers()).toEqual(all);
  });

  test("are refused where too few nodes come back for the meta group, before anything is made", async () => {
    configure(["az1", "az5", "az6"]);
    for (const command of ["preview", "up"]) {
      const yes = command === "up" ? ["--yes", "--skip-preview"] : [];
      const { exitCode, text } = await stack.pulumi(command, ...yes);
      expect(exitCode).not.toBe(0);
      expect(text).toContain(
        `rg1-az1 comes back to data volumes of a meta group of 3. The settings lack 2 of its members: rg1-az2, rg1-az3. It has no leader with fewer than 2 members, and nothing would begin`,
      );
      expect(text).toContain(`docker volume rm ${["az1", "az2", "az3"].map(volumeOf).join(" ")}\n`);
    }
    // The engine has no such image: another serves to read the volumes with.
    configure(["az1", "az2"], { streams: {}, image: "nats:2.15.1" });
    expect((await stack.pulumi("preview")).text).toContain(
      "The settings lack 1 of its members: rg1-az3. They stay its members, and the `up` would wait",
    );
    expect(await stack.leftovers()).toEqual(ZONES.map(volumeOf));
  });

  test("are refused for a cluster of another name", async () => {
    configure(ZONES.slice(0, 3), { cluster: "c2" });
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain('cluster: the data volumes that were kept belong to cluster "c1"');
    expect(await stack.leftovers()).toEqual(ZONES.map(volumeOf));
  });

  test("give back what was in them, and don't call nodes stopped that come", async () => {
    configure(ZONES.slice(0, 3));
    const preview = await stack.expectPulumi("preview");
    expect(preview).toContain(
      "rg1-az1, rg1-az2, rg1-az3 come back to the data volumes that were kept.",
    );
    // The fourth had left before.
    expect(preview).not.toContain("az4");
    await execa("docker", ["volume", "rm", volumeOf("az4")]);
    await up();
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("ORDERS")).toEqual(SENT);
  });

  test("are missed where somebody has removed some of them, with what that costs", async () => {
    const SOLO = { subjects: ["solo"], placement: { tags: ["rg:1", "az:2"] } };
    const streams = { ORDERS: { subjects: ["orders.*"], replicas: 3 }, SOLO };
    configure(ZONES.slice(0, 3), { streams });
    await up();
    {
      await using client = await NatsClient.connect(await stack.outputs());
      await client.publish("solo", "lost");
    }
    await stack.expectDestroy();
    await execa("docker", ["volume", "rm", volumeOf("az2")]);
    expect(await stack.expectPulumi("preview")).toContain(
      "rg1-az2 has no data volume that was kept, and begins empty. Where it had one when the cluster was taken down: replicas are copied back from other nodes; the messages of SOLO are gone.",
    );
    await up();
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("ORDERS")).toEqual(SENT);
    expect((await client.info("SOLO")).state.messages).toBe(0);
  });

  test("of an earlier cluster don't come to one that runs where they had a majority of their own", async () => {
    await stack.expectDestroy();
    await execa("docker", ["volume", "rm", volumeOf("az1")]);
    configure(["az1", "az4"], { streams: {} });
    await up();
    configure(ZONES, { streams: {} });
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      "their servers last ran rg1-az1, rg1-az4 in a meta group of 2, and rg1-az2, rg1-az3 in a meta group of 3.",
    );
    expect(text).toContain(
      `or let go of what they hold: docker volume rm ${["az2", "az3"].map(volumeOf).join(" ")}\n`,
    );
  });
});
