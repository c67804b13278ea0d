import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getPages } from "../../live/monitoring/monitoring.ts";
import { eventually } from "../support/eventually.ts";
import { weaknesses } from "../support/hardening.ts";
import { metaGroups } from "../support/meta-group.ts";
import { NatsClient } from "../support/nats-client.ts";
import { appearsIn } from "../support/secrets.ts";
import { PASSWORDS, SEED_SETTINGS, TestStack } from "../support/stack.ts";

/** One cluster, its whole life: each test goes on where the one before ended. */
describe("the seed's cluster", () => {
  let stack: TestStack;
  const said: string[] = [];

  const run = async (...args: string[]) => {
    const text = await stack.expectPulumi(...args);
    said.push(text);
    return text;
  };
  /** Where what a preview says is of no interest, or has been looked at. */
  const up = (...args: string[]) => run("up", "--yes", "--skip-preview", ...args);
  const expectNoChanges = () => run("preview", "--expect-no-changes");
  const connect = async (password = PASSWORDS.password) =>
    NatsClient.connect(await stack.outputs(), "user", password);
  const placeOrders = (tag: string, changes: object = {}) =>
    stack.configure({
      streams: {
        ...SEED_SETTINGS.streams,
        ORDERS: { ...SEED_SETTINGS.streams.ORDERS, placement: { tags: [tag] }, ...changes },
      },
    });
  const containers = async () => {
    const { stdout } = await execa("docker", [
      "ps",
      "--no-trunc",
      `--filter=label=nats-regions.stack=nats-regions/${stack.name}`,
      "--format={{.Names}} {{.ID}}",
    ]);
    return stdout.split("\n").sort();
  };
  const containerOf = (node: string) => `nats-regions-${stack.name}-${node}`;

  beforeAll(async () => {
    stack = await TestStack.create();
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("comes up with both streams where their tags say", async () => {
    await run("up", "--yes");

    await using client = await connect();
    expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
  });

  test("is one meta group of nine", async () => {
    expect(await metaGroups(await stack.outputs())).toEqual([expect.stringMatching(/ of 9$/)]);
  });

  test("shows in its outputs where everything is", async () => {
    const { clientUrls, monitoringUrls, streams } = await stack.outputs();
    expect(Object.keys(clientUrls)).toHaveLength(9);
    expect(Object.keys(monitoringUrls)).toEqual(Object.keys(clientUrls));
    expect(streams.ORDERS).toEqual({
      account: "APP",
      tags: ["rg:2"],
      leader: expect.stringMatching(/^rg2-az[123]$/),
      replicas: ["rg2-az1", "rg2-az2", "rg2-az3"],
    });
  });

  test("has nothing to change, before and after a refresh", async () => {
    await expectNoChanges();
    await run("refresh", "--yes");
    await expectNoChanges();
  });

  test("has nothing on the engine that could do more than a server needs", async () => {
    expect(await weaknesses(`nats-regions-${stack.name}`, stack.name)).toEqual([]);
  });

  test("has every message synced before it is acknowledged, as each server says itself", async () => {
    const { monitoringUrls } = await stack.outputs();
    const answers = await Promise.all(
      Object.entries(monitoringUrls).map(([name, url]) => getPages({ name, url }, ["jsz"])),
    );
    expect(answers.flat()).toEqual(
      Array(9).fill(
        expect.objectContaining({ config: expect.objectContaining({ sync_always: true }) }),
      ),
    );
  });

  test("previews a move with old and new hosts, and makes it with all messages", async () => {
    await using client = await connect();
    const sent = Array.from({ length: 50 }, (_, index) => `order ${index}`);
    for (const payload of sent) await client.publish("orders.new", payload);

    placeOrders("rg:3");
    const preview = await run("preview", "--diff");
    for (const zone of ["az1", "az2", "az3"]) {
      expect(preview).toContain(`"rg2-${zone}" => "rg3-${zone}"`);
    }
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);

    await run("up", "--yes");
    expect(await client.hosts("ORDERS")).toEqual(["rg3-az1", "rg3-az2", "rg3-az3"]);
    expect(await client.payloads("ORDERS")).toEqual(sent);
    await expectNoChanges();
  });

  test("changes settings in place, and unsets them", async () => {
    await using client = await connect();
    const observed = async () => (await client.info("ORDERS")).config as object;

    placeOrders("rg:3", { maxAge: "7d", description: "All orders" });
    await up();
    expect(await observed()).toMatchObject({ max_age: 604_800e9, description: "All orders" });

    placeOrders("rg:3");
    await up();
    expect(await observed()).toMatchObject({ max_age: 0 });
    expect(await observed()).not.toHaveProperty("description");
    await expectNoChanges();
  });

  test("sees what was changed behind its back, and repairs it", async () => {
    await using client = await connect();
    const { config } = await client.info("ORDERS");
    await client.update("ORDERS", { ...config, max_msgs: 7_000 });

    expect(await run("preview", "--refresh", "--diff")).toContain("max_msgs");
    await up("--refresh");
    expect((await client.info("ORDERS")).config).toMatchObject({ max_msgs: -1 });
    await expectNoChanges();
  });

  test("makes a stream anew that was removed behind its back", async () => {
    await using client = await connect();
    await client.delete("EVENTS");

    expect(await run("preview", "--refresh")).toMatch(/Stream\s+EVENTS\s+create/);
    await up("--refresh");
    expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    await expectNoChanges();
  });

  test("adds a stream and deletes it", async () => {
    await using client = await connect();
    const added = { subjects: ["added.>"], replicas: 1, placement: { tags: ["rg:1"] } };
    stack.configure({ streams: { ...SEED_SETTINGS.streams, ADDED: added } });
    await up();
    expect((await client.hosts("ADDED"))[0]).toMatch(/^rg1-/);
    expect((await stack.outputs()).streams.ADDED?.replicas).toEqual(await client.hosts("ADDED"));
    await expectNoChanges();

    stack.configure(SEED_SETTINGS);
    await up();
    expect((await client.info("ADDED")).error?.err_code).toBe(10_059);
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);
  });

  test("takes up a new password by a reload, without a restart", async () => {
    const before = await containers();
    const started = await startTimes();
    await run("config", "set", "--secret", "password", "app-Gnu-2342");
    await up();

    await using client = await connect("app-Gnu-2342");
    expect((await client.info("ORDERS")).state.messages).toBe(50);
    await expect(connect()).rejects.toThrow(/authorization/i);
    expect(await containers()).toEqual(before);
    expect(await startTimes()).toEqual(started);

    await run("config", "set", "--secret", "password", PASSWORDS.password);
    await up();
    await expectNoChanges();
  });

  test("heals a killed node, in preview by name", async () => {
    await execa("docker", ["kill", containerOf("rg2-az2")]);
    expect(await run("preview")).toContain("1 of 9 nodes don't run: rg2-az2");

    await up("--refresh");
    await using client = await connect();
    await eventually(async () => (await client.hosts("ORDERS")).length === 3);
    await expectNoChanges();
  });

  test("heals a node whose container was removed", async () => {
    await execa("docker", ["rm", "--force", containerOf("rg3-az1")]);
    await up("--refresh");
    await using client = await connect();
    await eventually(async () => (await client.hosts("EVENTS")).length === 3);
    expect(await containers()).toHaveLength(9);
    await expectNoChanges();
  });

  test.each([
    ["five nodes", ["rg1-az1", "rg1-az2", "rg1-az3", "rg2-az1", "rg2-az2"]],
    ["all nodes", ["rg1", "rg2", "rg3"].flatMap((rg) => [`${rg}-az1`, `${rg}-az2`, `${rg}-az3`])],
  ])("copes with %s stopped: says so, fails soon, heals", async (_, nodes) => {
    await execa("docker", ["stop", ...nodes.map(containerOf)]);

    expect(await run("preview")).toContain(`${nodes.length} of 9 nodes don't run`);

    placeOrders("rg:1");
    const began = Date.now();
    const failed = await stack.pulumi("up", "--yes");
    said.push(failed.text);
    expect(failed.exitCode).not.toBe(0);
    expect(failed.text).toMatch(/ORDERS/);
    expect(Date.now() - began).toBeLessThan(60_000);

    stack.configure(SEED_SETTINGS);
    await up("--refresh");
    await using client = await connect();
    await eventually(async () => (await client.hosts("ORDERS")).length === 3, 60_000);
    expect(await client.payloads("ORDERS")).toHaveLength(50);
    await run("refresh", "--yes");
    await expectNoChanges();
  });

  test("shows no password in anything said, stored or inspected", async () => {
    const state = await run("stack", "export");
    const { stdout: inspected } = await execa("docker", ["inspect", ...(await stack.leftovers())]);
    const logs = await Promise.all(
      (await containers()).map((line) =>
        execa("docker", ["logs", line.split(" ")[0] ?? ""], { all: true }),
      ),
    );
    const seen = {
      state,
      inspected,
      said: said.join("\n"),
      logs: logs.map(({ all }) => all).join(),
    };
    expect(seen.logs).toContain("Server is ready");
    for (const secret of [...Object.values(PASSWORDS), "app-Gnu-2342"]) {
      const leaks = Object.entries(seen).filter(([, text]) => appearsIn(text, secret));
      expect(leaks.map(([where]) => where)).toEqual([]);
    }
  });

  test("is destroyed without a trace, stopped nodes and all", async () => {
    await execa("docker", ["stop", containerOf("rg1-az1")]);
    await run("destroy", "--yes");
    expect(await stack.leftovers()).toEqual([]);
  });

  async function startTimes(): Promise<string> {
    const ids = (await containers()).map((line) => line.split(" ")[1] ?? "");
    const { stdout } = await execa("docker", ["inspect", "--format={{.State.StartedAt}}", ...ids]);
    return stdout;
  }
});
