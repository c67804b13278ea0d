import { describe, expect, test } from "vitest";
import { PlanError } from "../../../lib/base/errors.ts";
import { mergeConfig, restartOptions } from "../../../lib/nodes/server-config.ts";
import { nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

const plan = (config: unknown, more: object = {}) =>
  planCluster(parseSettings({ config, ...more }, { project: "nats-regions", stack: "dev" }));

const problemsOf = (config: unknown) => {
  try {
    plan(config);
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.problems;
    throw error;
  }
};

const textOf = (config: unknown) => nodesOf(plan(config))[0]?.confText;

describe("config", () => {
  test("is merged into a node's config, block by block", () => {
    const config = {
      max_traced_msg_len: 100,
      server_metadata: { Rack: "a b" },
      jetstream: { domain: "hub", limits: { batch: { max_msgs: 10 } } },
      cluster: { compression: "s2_fast" },
      leafnodes: { remotes: [{ url: "nats://hub:7422", account: "APP" }] },
    };
    const before = (textOf({}) ?? "").split("\n");
    const after = (textOf(config) ?? "").split("\n");
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
    expect(after.filter((line) => !before.includes(line)).join("\n")).toMatchInlineSnapshot(`
      "  "domain": "hub"
        "limits": {
          "batch": {
            "max_msgs": 10
          }
        }
        "compression": "s2_fast"
      "max_traced_msg_len": 100
      "server_metadata": {
        "Rack": "a b"
      "leafnodes": {
        "remotes": [
          {
            "url": "nats://hub:7422"
            "account": "APP"
          }"
    `);
  });

  test("keeps limits that are settings beside those that aren't", () => {
    const [node] = nodesOf(
      plan({ jetstream: { limits: { batch: { max_msgs: 10 } } } }, { maxAckPending: 5 }),
    );
    expect(node?.confText).toMatch(/"limits": \{\s+"max_ack_pending": 5\s+"batch": \{/);
  });

  test("leaves config, label and all as they were where it is empty", () => {
    const [node] = nodesOf(plan({}));
    expect(node?.conf).not.toHaveProperty("config");
    expect(node?.restartSettings).toEqual(
      nodesOf(planCluster(parseSettings({}, { project: "nats-regions", stack: "dev" })))[0]
        ?.restartSettings,
    );
  });

  test("has each option that takes a restart in the label", () => {
    const config = {
      max_traced_msg_len: 100,
      lame_duck_duration: "30s",
      jetstream: { domain: "hub", meta_compact: 5, limits: { batch: { max_msgs: 10 } } },
      leafnodes: { remotes: [{ url: "nats://hub:7422" }] },
    };
    expect(restartOptions(config)).toEqual({
      "config.lame_duck_duration": "30s",
      "config.jetstream.domain": "hub",
      "config.leafnodes": '{"remotes":[{"url":"nats://hub:7422"}]}',
    });
    expect(restartOptions(config, [2, 14, 9])).toHaveProperty(["config.jetstream.limits.batch"]);
    expect(nodesOf(plan(config))[0]?.restartSettings).toMatchObject(restartOptions(config));
  });

  test.each([
    [{ port: 4333 }, "config.port", "clientPort"],
    [{ listen: "0.0.0.0:4222" }, "config.listen", "clientPort"],
    [{ server_name: "x" }, "config.server_name", "regions"],
    [{ max_payload: 5 }, "config.max_payload", "maxPayload"],
    [{ max_conn: 5 }, "config.max_conn", "maxConnections"],
    [{ accounts: {} }, "config.accounts", "accounts"],
    [{ authorization: { token: "x" } }, "config.authorization", "accounts"],
    [{ system_account: "S" }, "config.system_account", "$SYS"],
    [{ tls: {} }, "config.tls", "tls"],
    [{ include: "x.conf" }, "config.include", "options"],
    [{ logfile: "/x" }, "config.logfile", "docker logs"],
    [{ gateway: { name: "c1" } }, "config.gateway", "leaf nodes"],
    [{ cluster: { routes: [] } }, "config.cluster.routes", "regions"],
    [{ cluster: { listen: "x" } }, "config.cluster.listen", "6222"],
    [{ cluster: { pool_size: 5 } }, "config.cluster.pool_size", "renew routes"],
    [{ cluster: { tls: { verify: false } } }, "config.cluster.tls", "tls"],
    [{ jetstream: { store_dir: "/x" } }, "config.jetstream.store_dir", "data volume"],
    [{ jetstream: { storedir: "/x" } }, "config.jetstream.storedir", "data volume"],
    [{ jetstream: { unique_tag: "x" } }, "config.jetstream.unique_tag", "uniqueTag"],
    [{ jetstream: { max_file: 5 } }, "config.jetstream.max_file", "maxFileStore"],
    [{ jetstream: { cipher: "aes" } }, "config.jetstream.cipher", "encryptionKey"],
    [
      { jetstream: { limits: { max_ha_assets: 5 } } },
      "config.jetstream.limits.max_ha_assets",
      "maxHaAssets",
    ],
    [{ jetstream: "disabled" }, "config.jetstream", "map"],
    [{ JetStream: {} }, "config.JetStream", "lower case"],
    [{ jetstream: { Domain: "x" } }, "config.jetstream.Domain", "lower case"],
    [{ leaf: { remotes: [] } }, "config.leaf", "leafnodes"],
    [{ leafnodes: { Port: 1 } }, "config.leafnodes.Port", "leafNodePort"],
    [{ websocket: { compression: true } }, "config.websocket", "set websocket to true"],
    [{ websocket: { port: 1 } }, "config.websocket.port", "websocketPort"],
    [{ mqtt: { tls: {} } }, "config.mqtt.tls", "tls"],
  ])("can't contradict the plan: %j", (config, path, fix) => {
    const problems = problemsOf(config).filter((problem) => problem.path === path);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.fix).toContain(fix);
  });

  test.each([
    [{ jetstream: { key: "Zebra" } }, "config.jetstream.key"],
    [{ leafnodes: { remotes: [{ url: "nats://u:Zebra@h" }] } }, "config.leafnodes.remotes[0].url"],
    [
      { leafnodes: { remotes: [{ urls: ["nats://Zebra@h"] }] } },
      "config.leafnodes.remotes[0].urls[0]",
    ],
    [{ proxies: { password: "Zebra" } }, "config.proxies.password"],
    [{ future: { token: 4711 } }, "config.future.token"],
  ])("has no secrets, and doesn't repeat them: %j", (config, path) => {
    const problems = problemsOf(config).filter(({ message }) => message.includes("secret"));
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(JSON.stringify(problemsOf(config))).not.toMatch(/Zebra|4711/);
  });

  test.each([
    ["Zebra", "config"],
    [{ a: null }, "config.a"],
    [{ a: [1, { b: new Date(0) }] }, "config.a[1].b"],
    [{ a: 1e300 }, "config.a"],
    [{ a: { 'b"': 1 } }, "config.a"],
  ])("has values that a config can have: %j", (config, path) => {
    const problems = problemsOf(config);
    expect(problems.map((problem) => problem.path)).toEqual([path]);
    expect(JSON.stringify(problems)).not.toContain("Zebra");
  });
});

test("merging keeps what is there, and the order", () => {
  const merged = mergeConfig({ a: { b: 1 }, c: 2 }, { d: 3, a: { e: [4] } });
  expect(JSON.stringify(merged)).toBe('{"a":{"b":1,"e":[4]},"c":2,"d":3}');
});
