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

  test("are told of where fewer nodes come back than there are volumes", async () => {
    configure(["az1", "az5", "az6"]);
    expect(await stack.expectPulumi("preview")).toMatch(
      /rg1-az1 comes back to .* not the nodes of \S+-az2-data, .*: where those were members .* a meta group of 4 has no leader without 3 of them/,
    );
  });

  test("give back what was in them, and don't call nodes stopped that come", async () => {
    configure(ZONES.slice(0, 3));
    await execa("docker", ["volume", "rm", volumeOf("az4")]);
    expect(await stack.expectPulumi("preview")).toContain(
      "rg1-az1, rg1-az2, rg1-az3 come back to the data volumes that were kept.",
    );
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
});
