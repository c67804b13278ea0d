import { describe, expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const plan = (settings: object) =>
  planCluster(
    parseSettings({ clientPort: 4222, ...settings }, { project: "nats-regions", stack: "dev" }),
  );
const nodeOf = (settings: object, index = 0) => {
  const node = nodesOf(plan(settings))[index];
  if (!node) throw new Error("the plan has no node");
  return node;
};
const ALL = { websocket: true, mqtt: true, leafNodes: true, leafNodePort: 7422 };
const added = (settings: object) => {
  const lines = nodeOf({}).confText.split("\n");
  return nodeOf(settings)
    .confText.split("\n")
    .filter((line) => !lines.includes(line))
    .join("\n");
};

describe("listeners", () => {
  test("are none unless they are wanted", () => {
    expect(nodeOf({}).listeners).toEqual([]);
    expect(nodeOf({ leafNodes: true }).listeners).toEqual([]);
    expect(nodeOf({ leafNodes: true }).confText).not.toContain('"advertise"');
  });

  test("have ports of each node, which are in its label", () => {
    const { listeners, restartSettings } = nodeOf(ALL, 2);
    expect(listeners).toEqual([
      { setting: "leafNodePort", inner: 7422, port: 7424 },
      { setting: "websocketPort", inner: 8080, port: 12_224 },
      { setting: "mqttPort", inner: 1883, port: 16_224 },
    ]);
    expect(restartSettings).toMatchObject({
      leafNodes: true,
      leafNodePort: 7424,
      websocket: true,
      websocketPort: 12_224,
      mqtt: true,
      mqttPort: 16_224,
    });
  });

  test("are in the config, in the clear or with the node's certificate", () => {
    expect(added(ALL)).toMatchInlineSnapshot(`
      ""leafnodes": {
        "port": 7422
        "advertise": "127.0.0.1:7422"
      "websocket": {
        "port": 8080
        "advertise": "127.0.0.1:12222"
        "no_tls": true
      "mqtt": {
        "port": 1883"
    `);
    const { confText } = nodeOf({ ...ALL, tls: "stack" });
    for (const [block, port] of [
      ["leafnodes", 7422],
      ["websocket", 8080],
      ["mqtt", 1883],
    ]) {
      const tls = `"${block}": \\{\\s+"port": ${port}\\s[^{}]*"tls": \\{\\s+"cert_file": "/etc/nats/`;
      expect(confText).toMatch(new RegExp(tls));
    }
    expect(confText).not.toContain("no_tls");
  });

  test("have URLs where their ports are published, of which other clients and leaf nodes are told", () => {
    expect(nodeOf({}).listenerUrls).toEqual({});
    expect(nodeOf(ALL, 1).listenerUrls).toEqual({
      leafNodePort: "nats-leaf://127.0.0.1:7423",
      websocketPort: "ws://127.0.0.1:12223",
      mqttPort: "mqtt://127.0.0.1:16223",
    });
    const secured = nodeOf({ ...ALL, bindAddress: "::1", tls: "stack", advertise: "localhost:9+" });
    expect(secured.listenerUrls).toEqual({
      leafNodePort: "tls://[::1]:7422",
      websocketPort: "wss://[::1]:12222",
      mqttPort: "mqtts://[::1]:16222",
    });
    expect(secured.conf.advertised).toMatchObject({
      leafNodePort: "localhost:7422",
      websocketPort: "localhost:12222",
    });
    const silent = nodeOf({ ...ALL, advertise: "none" }).confText;
    expect(silent.match(/"no_advertise": true/g)).toHaveLength(2);
    expect(silent).not.toContain('advertise": "');
  });

  test("advertise no address where none is right for all", () => {
    const { confText } = nodeOf({ ...ALL, bindAddress: "0.0.0.0", tls: "none" });
    expect(confText).not.toContain('"advertise"');
  });

  test("take further options", () => {
    const { confText } = nodeOf({ ...ALL, config: { websocket: { compression: true } } });
    expect(confText).toMatch(/"websocket": \{\s+"port": 8080\s[^}]*"compression": true/);
  });

  test.each([
    [
      { websocketPort: 8_080 },
      "websocketPort: is set, but websocket is off; set websocket to true",
    ],
    [{ mqttPort: 1_883 }, "mqttPort: is set, but mqtt is off"],
    [{ leafNodePort: 7_422 }, "leafNodePort: is set, but leafNodes is off"],
    [
      { mqtt: true, mqttPort: 4_225 },
      "clientPort: port 4225 of rg2-az1 is also the mqttPort of rg1-az1",
    ],
    [{ websocket: true, websocketPort: 65_530 }, "websocketPort: rg3-az1 would get port 65536"],
  ])("are refused where they can't be: %j", (settings, message) => {
    expect(() => plan(settings)).toThrow(PlanError);
    expect(() => plan(settings)).toThrow(message);
  });
});
