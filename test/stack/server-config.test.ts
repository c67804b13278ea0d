import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSettings } from "../../lib/plan/settings.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

const NODES = "rg1-az1, rg1-az2, rg1-az3";
const ONE_BY_ONE = NODES.replaceAll(", ", "; then ");

/** Options and limits of servers: a reload where that will do, a restart where not, and no harm where they are wrong. */
describe("the servers' config", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create(ONE_REGION);
  });

  afterAll(async () => {
    await stack.remove();
  });

  const configure = (settings: object) => {
    const { clientPort } = parseSettings({}, { project: "nats-regions", stack: stack.name });
    // For what servers tell of themselves. Only this stack has the ports until the next one's.
    stack.configure({ ...ONE_REGION, monitorPort: clientPort + 5, ...settings });
  };
  const up = async (settings: object) => {
    configure(settings);
    return await stack.expectPulumi("up", "--yes", "--skip-preview");
  };
  const preview = async (settings: object) => {
    configure(settings);
    return await stack.expectPulumi("preview");
  };
  const varz = async () => {
    const [url = ""] = Object.values((await stack.outputs()).monitoringUrls);
    return (await (await fetch(`${url}/varz`)).json()) as Record<string, unknown>;
  };
  const running = async () => {
    const { stdout } = await execa("docker", [
      "ps",
      "-q",
      "--no-trunc",
      `--filter=name=${stack.name}`,
    ]);
    return stdout.split("\n").filter(Boolean).sort();
  };

  test("is refused by nats-server before a new node is started with it", async () => {
    configure({ config: { max_sub_token: 16 } });
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/nats-server refuses the new config: .*unknown field "max_sub_token"/);
    expect(await running()).toEqual([]);
  });

  test("is taken by new nodes", async () => {
    await up({ config: { jetstream: { domain: "hub" } }, maxAckPending: 500 });
    expect(await varz()).toMatchObject({
      jetstream: { config: { domain: "hub" }, limits: { max_ack_pending: 500 } },
    });
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("is reloaded where that will do, and a preview says so", async () => {
    const before = await running();
    const settings = {
      config: { jetstream: { domain: "hub" }, max_traced_msg_len: 100 },
      maxAckPending: 400,
      pingInterval: "30s",
    };
    const said = await preview(settings);
    expect(said).toContain(
      `reload, no restart: ${NODES}: pingInterval 2m → 30s; maxAckPending 500 → 400`,
    );
    await up(settings);
    expect(await running()).toEqual(before);
    expect(await varz()).toMatchObject({ ping_interval: 30_000_000_000 });

    expect(await preview({ ...settings, debug: true })).toContain("logs or other config");
  });

  test("is refused by nats-server while the nodes run as before", async () => {
    const before = await running();
    const wrong = { config: { jetstream: { domain: "hub" }, max_sub_token: 16 } };
    expect(await preview(wrong)).toMatch(/restart.*: config\.max_sub_token none → 16/);
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain('unknown field "max_sub_token"');
    expect(await running()).toEqual(before);
  });

  test("takes a restart where a reload won't do, and a preview says so", async () => {
    const before = await running();
    const settings = { config: { max_sub_tokens: 16 }, maxPending: "128MiB" };
    const said = await preview(settings);
    expect(said).toContain(`restart, one by one: ${ONE_BY_ONE}: `);
    for (const reason of [
      "maxPending 64MiB → 128MiB",
      "config.jetstream.domain hub → none",
      "config.max_sub_tokens none → 16",
    ]) {
      expect(said).toContain(reason);
    }
    await up(settings);
    const after = await running();
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    expect(await varz()).toMatchObject({ max_pending: 128 * 1024 ** 2 });
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("has no secrets", async () => {
    await stack.expectPulumi(
      "config",
      "set",
      "--secret",
      "--path",
      "config.server_metadata.a",
      "Gnu",
    );
    const { exitCode, text } = await stack.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("config: has an encrypted value");
    expect(text).not.toContain("    at ");
  });
});
