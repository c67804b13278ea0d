import { execa } from "execa";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

const LOGIN = { user: "user", pass: PASSWORDS.password };

/** What servers tell clients of, and where clients go by that, with certificates whose names they check. */
describe("what clients are told", () => {
  let stack: TestStack;
  let ports: readonly number[];

  const settings = (advertise: unknown, more: object = {}) => ({
    ...ONE_REGION,
    bindAddress: "0.0.0.0",
    rollout: "all",
    memory: "128MiB",
    ...(advertise === undefined ? {} : { advertise }),
    ...more,
  });
  const up = async (wanted: object) => {
    stack.configure(wanted);
    return await stack.expectPulumi("up", "--yes", "--skip-preview");
  };
  const startedAt = async () => {
    const nodes = ["rg1-az1", "rg1-az2", "rg1-az3"].map((node) => stack.containerOf(node));
    return (await execa("docker", ["inspect", "--format={{.State.StartedAt}}", ...nodes])).stdout;
  };
  /** A client as users have it, which knows one node and goes by what that tells it. */
  const clientOf = async (host: string, index: number): Promise<NatsConnection> => {
    const { caCertificate: ca = "" } = await stack.outputs();
    const servers = `tls://${host}:${ports[index]}`;
    const patience = { reconnectTimeWait: 100, maxReconnectAttempts: 100, timeout: 5_000 };
    return await connect({ servers, ...LOGIN, tls: { ca }, ...patience });
  };
  const told = async (client: NatsConnection, expected: readonly string[]) => {
    await eventually(async () => {
      const { connect_urls: urls = [] } = client.info ?? {};
      expect([...urls].sort()).toEqual([...expected].sort());
      return true;
    });
  };

  beforeAll(async () => {
    stack = await TestStack.create(settings(undefined));
    const said = await up(settings(undefined));
    expect(said).toContain(
      "advertise: rg1-az1, rg1-az2, rg1-az3: clients are told of the addresses of containers",
    );
    const urls = Object.values((await stack.outputs()).clientUrls);
    ports = urls.map((url) => Number(new URL(url).port));
  });

  afterAll(() => stack.remove());

  test("is new to nodes by a restart, which a preview says, and not another time", async () => {
    const before = await startedAt();
    const wanted = settings({ rg1: "localhost", "rg1-az2": "127.0.0.2", "rg1-az3": "none" });
    stack.configure(wanted);
    const preview = await stack.expectPulumi("preview");
    expect(preview).toContain("restart: rg1-az1: advertise auto → localhost\n");
    expect(preview).toContain(
      "restart: rg1-az2: advertise auto → 127.0.0.2; certificate names + 127.0.0.2",
    );
    expect(preview).toContain("restart: rg1-az3: advertise auto → none");
    expect(preview).toContain("rg1-az2: clients are told of 127.0.0.2, which is another machine");
    await up(wanted);
    expect(await startedAt()).not.toBe(before);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("is where clients go when their server ends, by names that its certificate has", async () => {
    const client = await clientOf("localhost", 0);
    try {
      await told(client, [`localhost:${ports[0]}`, `127.0.0.2:${ports[1]}`]);
      expect(client.getServer()).toBe(`localhost:${ports[0]}`);
      await execa("docker", ["stop", stack.containerOf("rg1-az1")]);
      await eventually(async () => client.getServer() === `127.0.0.2:${ports[1]}`);
      await client.flush();
    } finally {
      await client.close();
      await execa("docker", ["start", stack.containerOf("rg1-az1")]);
    }
  });

  test("is nothing at a node that says nothing, and of it", async () => {
    const client = await clientOf("localhost", 2);
    expect(client.info?.connect_urls).toBeUndefined();
    await client.close();
  });

  test("is warned of where nobody knows the name, and doesn't keep the stack from its nodes", async () => {
    const said = await up(settings("{node}.nats-regions.invalid:7000+"));
    expect(said).toContain(
      "advertise: clients are told of names that nobody knows here: rg1-az1.nats-regions.invalid",
    );
    const client = await clientOf("localhost", 0);
    await told(
      client,
      [0, 1, 2].map((index) => `rg1-az${index + 1}.nats-regions.invalid:${7000 + index}`),
    );
    await client.close();
    await stack.expectPulumi("preview", "--expect-no-changes");
    const isUp = async () => (await stack.script("status")).stdout.includes("3 of 3 nodes up");
    await eventually(isUp, 60_000);
  });

  test("changes with the addresses that ports are on, IPv6 too", async () => {
    await up(settings(undefined, { bindAddress: "0:0::0:1", tls: "stack" }));
    const { clientUrls } = await stack.outputs();
    expect(Object.values(clientUrls)).toEqual(ports.map((port) => `tls://[::1]:${port}`));
    const client = await clientOf("[::1]", 1);
    await told(
      client,
      ports.map((port) => `[::1]:${port}`),
    );
    await client.close();
    await stack.expectPulumi("preview", "--expect-no-changes");
    await stack.expectPulumi("refresh", "--yes", "--expect-no-changes");
    await stack.expectPulumi("destroy", "--yes", "--skip-preview");
    expect(await stack.leftovers()).toEqual([]);
  });
});
