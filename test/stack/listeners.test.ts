import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { connect as connectTls } from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { publishByMqtt } from "../support/mqtt.ts";
import { NatsClient } from "../support/nats-client.ts";
import { freePorts } from "../support/own-ports.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { startProcess } from "../support/server-process.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

const LOGIN = { user: "user", password: PASSWORDS.password };
const INNER = { leafNodePort: 7422, websocketPort: 8080, mqttPort: 1883 };

/** Nodes take clients by WebSocket and MQTT, and leaf nodes from elsewhere, where they are told to, with TLS. */
describe("listeners", () => {
  let stack: TestStack;
  /** Of the first node. Only this stack has those between its client ports and the next stack's. */
  let ports: typeof INNER;

  const settings = { ...ONE_REGION, tls: "stack" };
  const publishedOf = async (node: string) => {
    const { stdout } = await execa("docker", ["port", stack.containerOf(node)]);
    return Object.fromEntries(
      stdout
        .split("\n")
        .map((line) => [Number(line.split("/")[0]), Number(line.split(":").at(-1))]),
    );
  };
  const caOf = async () => (await stack.outputs()).caCertificate ?? "";

  beforeAll(async () => {
    stack = await TestStack.create(settings);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    const [url = ""] = Object.values((await stack.outputs()).clientUrls);
    const first = Number(new URL(url).port);
    ports = { leafNodePort: first + 5, websocketPort: first + 10, mqttPort: first + 15 };
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("are new to nodes that run by a restart of each, which a preview says", async () => {
    stack.configure({
      ...settings,
      websocket: true,
      mqtt: true,
      leafNodes: true,
      ...ports,
    });
    const said = await stack.expectPulumi("preview");
    for (const reason of [
      "websocket false → true",
      `websocketPort none → ${ports.websocketPort}`,
      "mqtt false → true",
      `leafNodePort none → ${ports.leafNodePort}`,
    ]) {
      expect(said).toContain(reason);
    }
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await stack.expectPulumi("preview", "--expect-no-changes");
    expect(await publishedOf("rg1-az2")).toMatchObject({
      [INNER.leafNodePort]: ports.leafNodePort + 1,
      [INNER.websocketPort]: ports.websocketPort + 1,
      [INNER.mqttPort]: ports.mqttPort + 1,
    });
    expect(await stack.outputs()).toMatchObject({
      publishedLeafNodeUrls: { "rg1-az2": `tls://127.0.0.1:${ports.leafNodePort + 1}` },
      websocketUrls: { "rg1-az2": `wss://127.0.0.1:${ports.websocketPort + 1}` },
      mqttUrls: { "rg1-az2": `mqtts://127.0.0.1:${ports.mqttPort + 1}` },
    });
  });

  test("take MQTT's messages into streams, of those who log in", async () => {
    const server = { port: ports.mqttPort, ca: await caOf() };
    const taken = await publishByMqtt(server, LOGIN, "orders/mqtt", "by MQTT");
    expect(taken).toEqual({ code: 0, acknowledged: true });
    const other = { ...LOGIN, password: "other" };
    expect((await publishByMqtt(server, other, "orders/mqtt", "")).code).not.toBe(0);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("ORDERS")).toEqual(["by MQTT"]);
  });

  test("take leaf nodes from outside of the stack's network", async () => {
    const file = path.join(stack.folder, "leaf.conf");
    const ca = path.join(stack.folder, "ca.pem");
    const [local] = await freePorts(1);
    await writeFile(ca, await caOf());
    const url = `tls://user:${PASSWORDS.password}@127.0.0.1:${ports.leafNodePort}`;
    const remotes = [{ url, tls: { ca_file: ca } }];
    await writeFile(file, JSON.stringify({ listen: `127.0.0.1:${local}`, leafnodes: { remotes } }));
    const leaf = startProcess(["-c", file]);
    try {
      const clientUrls = { leaf: `nats://127.0.0.1:${local}` };
      await eventually(async () => {
        await using client = await NatsClient.connect({ clientUrls });
        return await client.takes("orders.leaf", "by a leaf node");
      });
    } finally {
      const exit = once(leaf, "exit");
      leaf.kill("SIGKILL");
      await exit;
    }
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await client.payloads("ORDERS")).toEqual(["by MQTT", "by a leaf node"]);
  });

  test("take WebSocket by the node's certificate", async () => {
    const socket = connectTls({ host: "127.0.0.1", port: ports.websocketPort, ca: await caOf() });
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    const lines = [
      "GET / HTTP/1.1",
      "Host: 127.0.0.1",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${Buffer.from("sixteen bytes 16").toString("base64")}`,
      "Sec-WebSocket-Version: 13",
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 101 /);
    socket.destroy();
  });
});
