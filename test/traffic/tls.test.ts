import { X509Certificate } from "node:crypto";
import { connect } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DrillReport } from "../../cli/drill/drill-report.ts";
import { HEALTH, VARIABLES } from "../../lib/observed/questions.ts";
import { closeConnections } from "../../live/jetstream/clients.ts";
import { askAsShown, askNode } from "../../live/monitoring/ask-node.ts";
import { makeAuthority, writeCertificates } from "../support/certificates.ts";
import { at, change, STREAMS, starts } from "../support/change.ts";
import { HeardCli } from "../support/heard-cli.ts";
import { metaGroups } from "../support/meta-group.ts";
import { monitorsOf } from "../support/monitors.ts";
import { NatsClient } from "../support/nats-client.ts";
import { appearsIn } from "../support/secrets.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const { EVENTS, ORDERS, SOLO } = STREAMS;
const NODES = ["rg1-az1", "rg1-az2", "rg1-az3"];
const SETTINGS = {
  regions: ["rg1"],
  tls: "stack",
  streams: { EVENTS: at(EVENTS, "rg:1"), ORDERS: at(ORDERS, "rg:1"), SOLO },
};
/** What the cluster begins with: to change it takes other certificates. */
const FIRST = { ...SETTINGS, certificateLifetime: "30d" };
/** The least that leaves time for an `up` between the day a certificate is due and its last. */
const SHORT = "100s";
const DUE_MS = 68_000;

/** Set by `npm run chaos`: what takes two minutes more. */
const EVERY_TLS_CHANGE = process.env.EVERY_TLS_CHANGE !== undefined;

/** One region, as TLS is the same with nine nodes, and quicker with three. */
describe("a cluster with TLS", () => {
  let stack: TestStack;
  const cli = new HeardCli(() => stack);

  beforeAll(async () => {
    stack = await TestStack.create(FIRST);
    // Where streams go is told although the authority that they are reached by is yet to be made.
    expect(await cli.expectPulumi("preview", "--diff")).toMatch(/hosts +: \[\s+\[0\]: "rg1-az1"/);
    // A saved plan can't know what servers are trusted either, and its `up` has to keep to it all the same.
    const plan = path.join(stack.folder, "plan.json");
    await cli.expectPulumi("preview", "--save-plan", plan);
    await cli.expectPulumi("up", "--yes", "--plan", plan);
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("settles: no changes, not after a refresh either", async () => {
    for (const refresh of [[], ["--refresh"]]) {
      const preview = await cli.expectPulumi("preview", "--expect-no-changes", ...refresh);
      expect(preview).not.toMatch(/reload|restart/);
    }
  });

  test("talks to nobody in the clear, and shows a certificate that its authority signed", async () => {
    const outputs = await stack.outputs();
    const { clientUrls } = outputs;
    expect(Object.keys(clientUrls)).toEqual(NODES);
    for (const url of Object.values(clientUrls)) {
      expect(url).toMatch(/^tls:/);
      const answer = await pingInTheClear(new URL(url));
      expect(answer).toContain('"tls_required":true');
      expect(answer).not.toMatch(/PONG|\+OK/);
    }
    const stranger = await makeAuthority();
    for (const node of await monitorsOf(stack)) {
      expect(await askNode(node, HEALTH)).toMatchObject({ status: "ok" });
      // Others would be asked for it.
      await closeConnections();
      await expect(askNode({ ...node, ca: stranger.certificate }, HEALTH)).rejects.toThrow(
        /certificate/,
      );
      await expect(askNode({ ...node, name: "rg9-az9" }, HEALTH)).rejects.toThrow(
        /rg9-az9|not for/,
      );
    }
    await using client = await NatsClient.connect(outputs);
    expect(await client.hosts("ORDERS")).toEqual(NODES);
    const { caCertificate: _, ...strange } = outputs;
    await expect(NatsClient.connect(strange)).rejects.toThrow(/certificate/);
  });

  test("has no route that can't be verified", async () => {
    for (const node of NODES) {
      const { stdout, stderr } = await execa("docker", ["logs", stack.containerOf(node)]);
      const lines = `${stdout}\n${stderr}`.split("\n");
      const routes = lines.filter((line) => / rid:\d+ /.test(line));
      expect(routes.length).toBeGreaterThan(0);
      expect(routes.filter((line) => /handshake|certificate|x509/i.test(line))).toEqual([]);
    }
  });

  describe("under traffic", () => {
    let traffic: Traffic;
    beforeAll(async () => {
      traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
    });
    afterAll(() => traffic[Symbol.asyncDispose]());

    test("takes up other certificates by a reload, whatever goes on", async () => {
      const before = await serials();
      const { restarts, text } = await change(stack, traffic, "other certificates", SETTINGS);
      cli.said.push(text);
      expect(restarts).toBe(0);
      expect(text).toContain(
        `reload, no restart: ${NODES.join(", ")}: certificateLifetime 30d → 365d`,
      );
      expect((await serials()).filter((serial) => before.includes(serial))).toEqual([]);
    });

    // It takes a minute until the first is due; unit tests have a clock of their own.
    test.runIf(EVERY_TLS_CHANGE)("renews certificates that are due", async () => {
      const settings = { ...SETTINGS, certificateLifetime: SHORT };
      await change(stack, traffic, "certificates for 100 s", settings);
      const issued = Date.now();
      const before = await serials();
      await sleep(issued + DUE_MS - Date.now());
      expect(await cli.expectPulumi("preview")).toMatch(
        /reload, no restart: rg1-az1, rg1-az2, rg1-az3: certificate expires in \d+ minutes?, this up renews it/,
      );
      const { restarts } = await change(stack, traffic, "certificates that are due", settings);
      expect(restarts).toBe(0);
      expect((await serials()).filter((serial) => before.includes(serial))).toEqual([]);
      stack.configure(SETTINGS);
      await cli.expectPulumi("up", "--yes", "--skip-preview");
    });
  });

  test.runIf(EVERY_TLS_CHANGE)("renews certificates that have expired", async () => {
    const lifetime = 60_000;
    stack.configure({ ...SETTINGS, certificateLifetime: "60s" });
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    await sleep(lifetime);
    const expired = await stack.script("status");
    expect(expired.exitCode).toBe(1);
    expect(expired.stdout).toMatch(
      /The certificate of rg1-az1, rg1-az2, rg1-az3 has expired: `npx pulumi up[^`]*` renews/,
    );
    expect(expired.stdout).not.toContain("No answer");
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    expect((await stack.script("status")).exitCode).toBe(0);
    stack.configure(SETTINGS);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
  });

  test("has a certificate for a node more, and no other for those that are there", async () => {
    const before = await serials();
    const grown = { ...SETTINGS, availabilityZones: ["az1", "az2", "az3", "az4"] };
    stack.configure(grown);
    const plan = path.join(stack.folder, "grown.json");
    const preview = await cli.expectPulumi("preview", "--diff", "--save-plan", plan);
    expect(preview.match(/dynamic\/tls:Certificate: \(\w+\)/g)).toEqual([
      "dynamic/tls:Certificate: (create)",
    ]);
    await cli.expectPulumi("up", "--yes", "--plan", plan);
    expect((await serials()).slice(0, 3)).toEqual(before);
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 4$/)]);

    stack.configure(SETTINGS);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    expect(await serials()).toEqual(before);
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 3$/)]);
    await cli.expectPulumi("preview", "--expect-no-changes");
  });

  test("isn't taken apart by nodes that have none, or others' certificates", async () => {
    stack.configure({ ...SETTINGS, tls: "none" });
    const { exitCode, text } = await cli.pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(/tls: rg1-az1 runs with tls: stack, .*\n.*rollout all/);
  });

  test("takes certificates of one's own, all nodes at once, and others after them by a reload", async () => {
    const folder = path.join(stack.folder, "certificates");
    const [old, next] = [await makeAuthority(), await makeAuthority()];
    const tlsFiles = await writeCertificates(folder, NODES, old);
    const settings = { ...SETTINGS, tls: "files", tlsFiles };
    stack.configure({ ...settings, rollout: "all" });
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    stack.configure(settings);
    await cli.expectPulumi("up", "--yes", "--skip-preview");
    await cli.expectPulumi("preview", "--expect-no-changes");
    const started = await starts(stack);

    await writeCertificates(folder, NODES, next);
    const refused = await cli.pulumi("preview");
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toMatch(/tlsFiles\.ca: nodes would no longer take each other's/);

    const reload = `reload, no restart: ${NODES.join(", ")}:`;
    await writeCertificates(folder, NODES, old, [old, next]);
    expect(await cli.expectPulumi("up", "--yes", "--skip-preview")).toContain(
      `${reload} tlsFiles.cert has another certificate; tlsFiles.ca has other authorities`,
    );
    const before = await serials();
    await writeCertificates(folder, NODES, next, [old, next]);
    expect(await cli.expectPulumi("up", "--yes", "--skip-preview")).toContain(
      `${reload} tlsFiles.cert has another certificate`,
    );
    expect(await cli.expectPulumi("preview", "--expect-no-changes")).not.toContain("reload");
    expect((await serials()).filter((serial) => before.includes(serial))).toEqual([]);
    expect(await starts(stack)).toEqual(started);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.hosts("ORDERS")).toEqual(NODES);
  });

  test("gives no key away", async () => {
    const keys = await keysInVolumes();
    const secrets = ["BEGIN PRIVATE KEY", ...keys.flatMap((key) => key.split("\n").slice(1, 3))];
    expect(secrets).toHaveLength(7);
    const { stdout: inspected } = await execa("docker", [
      "inspect",
      ...NODES.map((node) => stack.containerOf(node)),
    ]);
    const state = stack.stateTexts();
    expect(state.length).toBeGreaterThan(0);
    for (const text of [...cli.said, inspected, ...state]) {
      expect(secrets.filter((secret) => appearsIn(text, secret))).toEqual([]);
    }
  });

  test.runIf(EVERY_TLS_CHANGE)(
    "is turned off and on for all nodes at once, and keeps what it holds",
    async () => {
      for (const tls of ["none", "stack"]) {
        const settings = { ...SETTINGS, tls };
        stack.configure({ ...settings, rollout: "all" });
        await cli.expectPulumi("up", "--yes", "--skip-preview");
        stack.configure(settings);
        await cli.expectPulumi("up", "--yes", "--skip-preview");
        await cli.expectPulumi("preview", "--expect-no-changes");
        const outputs = await stack.outputs();
        expect(outputs.caCertificate === undefined).toBe(tls === "none");
        expect((await keysInVolumes()).every((key) => key === "")).toBe(tls === "none");
        await using client = await NatsClient.connect(outputs);
        await client.publish("solo.new", tls);
        expect((await client.payloads("SOLO")).includes("none")).toBe(true);
      }
    },
  );

  // A drill is the same with nine nodes without TLS, which `npm test` has.
  test.runIf(EVERY_TLS_CHANGE)("gets over a drill, which is watched by TLS too", async () => {
    const options = ["--for=15s", "--yes", "--json"];
    const { stdout, stderr } = await stack.script("drill", "node", "rg1-az1", ...options);
    expect(stdout, stderr).not.toBe("");
    const { streams, ...report } = JSON.parse(stdout) as DrillReport;
    expect(report).toMatchObject({ ok: true, problems: [] });
    expect(streams).toMatchObject([
      { name: "EVENTS", observed: "survives" },
      { name: "ORDERS", observed: "survives" },
      { name: "SOLO" },
    ]);
  });

  test("is gone when it is destroyed", async () => {
    await cli.expectPulumi("destroy", "--yes");
    expect(await stack.leftovers()).toEqual([]);
  });

  async function keysInVolumes(): Promise<string[]> {
    return await Promise.all(
      NODES.map(async (node) => {
        const copy = `docker cp ${stack.containerOf(node)}:/etc/nats/key.pem - | tar -xO`;
        return (await execa("sh", ["-c", copy])).stdout;
      }),
    );
  }

  /** Of the certificates that nodes show to clients. */
  async function serials(): Promise<string[]> {
    await closeConnections();
    return await Promise.all(
      (await monitorsOf(stack)).map(async (node) => {
        const { certificate = "" } = await askAsShown(node, VARIABLES, 2_000);
        return new X509Certificate(certificate).serialNumber;
      }),
    );
  }
});

/** What a server answers to a client that doesn't care for TLS. */
async function pingInTheClear({ hostname, port }: URL): Promise<string> {
  const socket = connect(Number(port), hostname);
  socket.write('CONNECT {"user":"user","pass":"app-Zebra-4711"}\r\nPING\r\n');
  const answers: string[] = [];
  for await (const chunk of socket.setEncoding("utf8")) answers.push(chunk as string);
  return answers.join("");
}
