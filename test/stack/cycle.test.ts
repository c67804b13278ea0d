import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { JETSTREAM } from "../../lib/observed/questions.ts";
import { parseStackOutputs } from "../../lib/plan/outputs.ts";
import { eventually } from "../support/eventually.ts";
import { weaknesses } from "../support/hardening.ts";
import { metaGroups } from "../support/meta-group.ts";
import { askAll } from "../support/monitors.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { appearsIn } from "../support/secrets.ts";
import { SEED_SETTINGS, TestStack } from "../support/stack.ts";

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
  const expectNoChanges = (...args: string[]) => run("preview", "--expect-no-changes", ...args);
  let password = PASSWORDS.password;
  const connect = async () => NatsClient.connect(await stack.outputs(), "user", password);
  const { EVENTS, ORDERS } = SEED_SETTINGS.streams;
  /** What ORDERS is once it has moved. */
  const MOVED = { ...ORDERS, placement: { tags: ["rg:3"] } };
  const containers = async () => {
    const { stdout } = await execa("docker", [
      "ps",
      "--no-trunc",
      `--filter=label=nats-regions.stack=nats-regions/${stack.name}`,
      "--format={{.Names}} {{.ID}}",
    ]);
    return stdout.split("\n").sort();
  };

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
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 9$/)]);
  });

  test("shows in its outputs where everything is", async () => {
    const { stdout } = await stack.start(["stack", "output", "--json"]);
    const { clientUrls, monitoringUrls, streams } = parseStackOutputs(stdout);
    expect(Object.keys(clientUrls)).toHaveLength(9);
    expect(Object.keys(clientUrls)).toHaveLength(9);
    expect(monitoringUrls).toEqual({});
    expect(streams.ORDERS).toEqual({
      account: "APP",
      tags: ["rg:2"],
      leader: expect.stringMatching(/^rg2-az[123]$/),
      replicas: ["rg2-az1", "rg2-az2", "rg2-az3"],
    });
  });

  test("has nothing to change, before and after a refresh", async () => {
    await expectNoChanges();
    await expectNoChanges("--refresh");
  });

  test("has nothing on the engine that could do more than a server needs", async () => {
    expect(await weaknesses(`nats-regions-${stack.name}`, stack.name)).toEqual([]);
  });

  test("has every message synced before it is acknowledged, as each server says itself", async () => {
    expect(await askAll(stack, JETSTREAM)).toEqual(
      Array(9).fill(
        expect.objectContaining({ config: expect.objectContaining({ sync_always: true }) }),
      ),
    );
  });

  test("previews a move with old and new hosts, and makes it with all messages", async () => {
    await using client = await connect();
    const sent = Array.from({ length: 50 }, (_, index) => `order ${index}`);
    for (const payload of sent) await client.publish("orders.new", payload);

    stack.configure({ streams: { EVENTS, ORDERS: MOVED } });
    const preview = await run("preview", "--diff");
    for (const zone of ["az1", "az2", "az3"]) {
      expect(preview).toContain(`"rg2-${zone}" => "rg3-${zone}"`);
    }
    expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);

    await up();
    expect(await client.hosts("ORDERS")).toEqual(["rg3-az1", "rg3-az2", "rg3-az3"]);
    expect(await client.payloads("ORDERS")).toEqual(sent);
    await expectNoChanges();
  });

  test("changes settings in place and adds a stream, and takes both back", async () => {
    await using client = await connect();
    const observed = async () => (await client.info("ORDERS")).config as object;
    const ADDED = { subjects: ["added.>"], replicas: 1, placement: { tags: ["rg:1"] } };
    const changes = { maxAge: "7d", description: "All orders" };

    stack.configure({ streams: { EVENTS, ORDERS: { ...MOVED, ...changes }, ADDED } });
    await up();
    expect(await observed()).toMatchObject({ max_age: 604_800e9, description: "All orders" });
    expect((await client.hosts("ADDED"))[0]).toMatch(/^rg1-/);
    expect((await stack.outputs()).streams.ADDED?.replicas).toEqual(await client.hosts("ADDED"));
    await expectNoChanges();

    stack.configure({ streams: { EVENTS, ORDERS: MOVED } });
    await up();
    expect(await observed()).toMatchObject({ max_age: 0 });
    expect(await observed()).not.toHaveProperty("description");
    expect((await client.info("ADDED")).error?.err_code).toBe(10_059);
  });

  test("sees what was changed and removed behind its back, and repairs it", async () => {
    await using client = await connect();
    const { config } = await client.info("ORDERS");
    await client.update("ORDERS", { ...config, max_msgs: 7_000 });
    await client.delete("EVENTS");

    const seen = await run("preview", "--refresh", "--diff");
    expect(seen).toContain("max_msgs");
    expect(seen).toMatch(/\+ \S*nats:Stream: \(create\)\s+\[urn=\S+::EVENTS\]/);
    await up("--refresh");
    expect((await client.info("ORDERS")).config).toMatchObject({ max_msgs: -1 });
    expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
    await expectNoChanges();
  });

  test("takes up a new password by a reload, without a restart", async () => {
    const before = await containers();
    const started = await startTimes();
    await run("config", "set", "--secret", "password", "app-Gnu-2342");
    await up();

    await expect(connect()).rejects.toThrow(/authorization/i);
    password = "app-Gnu-2342";
    await using client = await connect();
    expect(await client.payloads("ORDERS")).toHaveLength(50);
    expect(await containers()).toEqual(before);
    expect(await startTimes()).toEqual(started);
    await expectNoChanges();
  });

  test("heals a node that was killed and one whose container was removed, in preview by name", async () => {
    await execa("docker", ["kill", stack.containerOf("rg2-az2")]);
    await execa("docker", ["rm", "--force", stack.containerOf("rg3-az1")]);
    expect(await run("preview")).toContain("2 of 9 nodes don't run: rg2-az2, rg3-az1");

    await up("--refresh");
    await using client = await connect();
    await eventually(async () => {
      expect(await client.hosts("EVENTS")).toHaveLength(3);
      expect(await client.hosts("ORDERS")).toHaveLength(3);
      return true;
    });
    expect(await client.payloads("ORDERS")).toHaveLength(50);
    expect(await containers()).toHaveLength(9);
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
    for (const secret of [...Object.values(PASSWORDS), password]) {
      const leaks = Object.entries(seen).filter(([, text]) => appearsIn(text, secret));
      expect(leaks.map(([where]) => where)).toEqual([]);
    }
  });

  test("is destroyed without a trace, stopped nodes and all", async () => {
    await execa("docker", ["stop", stack.containerOf("rg1-az1")]);
    await run("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });

  async function startTimes(): Promise<string> {
    const ids = (await containers()).map((line) => line.split(" ")[1] ?? "");
    const { stdout } = await execa("docker", ["inspect", "--format={{.State.StartedAt}}", ...ids]);
    return stdout;
  }
});
