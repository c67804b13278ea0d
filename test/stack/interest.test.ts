import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StackOutputs } from "../../lib/plan/outputs.ts";
import { engineFromEnvironment } from "../../live/engine/engine.ts";
import { readConfig, writeConfig } from "../../live/engine/node-config.ts";
import { listOwnNodes } from "../../live/engine/own-nodes.ts";
import { eventually } from "../support/eventually.ts";
import { NatsClient } from "../support/nats-client.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { TestStack } from "../support/stack.ts";
import { encrypt } from "../support/vault.ts";

const AUDIT = { subjects: ["bills.>"], replicas: 3, leader: { node: "rg2-az1" } };
const BEFORE = { regions: ["rg1", "rg2"], streams: { AUDIT } };

/** The README's example, and an account that has nothing to do with others. */
const after = (writer: unknown, member: unknown) => ({
  ...BEFORE,
  maxPayload: "8MiB",
  accounts: {
    BILLING: { users: { writer: { password: writer } }, exports: [{ stream: "bills.>" }] },
    APP: { imports: [{ stream: { account: "BILLING", subject: "bills.>" } }] },
    TEAM: { users: { member: { password: member } } },
  },
});

interface State {
  readonly deployment: {
    resources: {
      readonly urn: string;
      readonly dependencies?: readonly string[];
      readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
    }[];
  };
}

describe("what clients and streams of other accounts want", () => {
  const clients: NatsConnection[] = [];
  const heard = { app: [] as string[], team: [] as string[] };
  let stack: TestStack;
  let outputs: StackOutputs;

  beforeAll(async () => {
    stack = await TestStack.create(BEFORE);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    outputs = await stack.outputs();
    await subscribe("user", PASSWORDS.password, "bills.>", heard.app);
  });

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await stack.remove();
  });

  test("is heard on each node when they come in one edit, while clients try to get in", async () => {
    const before = await containers();
    const coming = comeIn();
    stack.configure(after(encrypt("writer"), encrypt("member")));
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await coming;
    expect(await containers()).toEqual(before);
    await expectAllHeard();
    await expectLargeHeard();
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("is heard again by the next up of a stack where an earlier version had it lost", async () => {
    await loseInterest();
    await publishThroughEach("writer", "bills.lost");
    expect(heard.app.splice(0).length).toBeLessThan(6);

    await forgetSteps();
    const before = await containers();
    const said = await stack.expectPulumi("up", "--yes", "--skip-preview");
    expect(said).toMatch(/doesn't hear that .* wants .* of account BILLING/);
    expect(await containers()).toEqual(before);
    await expectAllHeard();
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  async function login(node: string, user: string, pass: string): Promise<NatsConnection> {
    const servers = outputs.clientUrls[node] ?? "";
    const client = await connect({ servers, user, pass, ignoreClusterUpdates: true });
    clients.push(client);
    return client;
  }

  /** All along on one node, the first that is reloaded. */
  async function subscribe(user: string, pass: string, subject: string, into: string[]) {
    const client = await login("rg1-az1", user, pass);
    client.subscribe(subject, { callback: (_, message) => void into.push(message.string()) });
    await client.flush();
  }

  async function comeIn(): Promise<void> {
    await eventually(async () => {
      await subscribe("member", "member", "team.>", heard.team);
      return true;
    }, 120_000);
  }

  async function publishThroughEach(user: string, subject: string): Promise<void> {
    for (const node of Object.keys(outputs.clientUrls)) {
      const client = await login(node, user, user);
      client.publish(subject, node);
      await client.flush();
    }
    await sleep(500);
  }

  async function expectAllHeard(): Promise<void> {
    const nodes = Object.keys(outputs.clientUrls).sort();
    const kept = await stored();
    await publishThroughEach("writer", "bills.x");
    await publishThroughEach("member", "team.x");
    expect(heard.app.splice(0).sort()).toEqual(nodes);
    expect(heard.team.splice(0).sort()).toEqual(nodes);
    expect((await stored()) - kept).toBe(nodes.length);
  }

  /** More than nodes take by default. */
  async function expectLargeHeard(): Promise<void> {
    const size = 2 * 1024 ** 2;
    const client = await login("rg2-az3", "writer", "writer");
    client.publish("bills.large", new Uint8Array(size));
    await client.flush();
    await eventually(async () => heard.app.some((message) => message.length === size));
    heard.app.splice(0);
  }

  async function stored(): Promise<number> {
    await using client = await NatsClient.connect(outputs);
    return (await client.info("AUDIT")).state.messages;
  }

  /** Has each node lose BILLING and get it again, one after the other. */
  async function loseInterest(): Promise<void> {
    const [id = ""] = await containers();
    const format = '--format={{index .Config.Labels "nats-regions.owner"}}';
    const owner = `nats-regions.owner=${(await execa("docker", ["inspect", format, id])).stdout}`;
    const nodes = await listOwnNodes([engineFromEnvironment()], owner, {});
    const configs = await Promise.all(
      nodes.map(async (node) => ({ node, config: await readConfig(node) })),
    );
    const without = (text: string) =>
      text
        .replace(/ {2}"BILLING": \{\n[\s\S]*?\n {2}\}\n/, "")
        .replace(/ {4}"imports": \[[\s\S]*?\n {4}\]\n/, "");
    for (const { node, config } of configs) {
      await writeConfig(owner, node, {
        ...config,
        accountsConf: without(config.accountsConf),
      });
    }
    for (const { node, config } of configs) await writeConfig(owner, node, config);
  }

  /** Leaves the state as a version has it that knew nothing of these steps. */
  async function forgetSteps(): Promise<void> {
    const state = JSON.parse(
      await stack.expectPulumi("stack", "export", "--show-secrets"),
    ) as State;
    const isStep = (urn: string) => /-(accounts|interest)$/.test(urn);
    const isKept = (urn: string) => !isStep(urn);
    state.deployment.resources = state.deployment.resources
      .filter(({ urn }) => isKept(urn))
      .map(({ dependencies = [], propertyDependencies = {}, ...resource }) => ({
        ...resource,
        dependencies: dependencies.filter(isKept),
        propertyDependencies: Object.fromEntries(
          Object.entries(propertyDependencies).map(([name, urns]) => [
            name,
            (urns ?? []).filter(isKept),
          ]),
        ),
      }));
    const file = path.join(stack.folder, "state.json");
    await writeFile(file, JSON.stringify(state));
    await stack.expectPulumi("stack", "import", "--file", file);
  }

  async function containers(): Promise<string[]> {
    const filter = `--filter=name=nats-regions-${stack.name}`;
    return (await execa("docker", ["ps", "--quiet", filter])).stdout.split("\n").sort();
  }
});
