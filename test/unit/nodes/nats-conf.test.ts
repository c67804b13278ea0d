import { describe, expect, test } from "vitest";
import {
  configDigest,
  type NodeConf,
  renderAccountsConf,
  renderNodeConf,
  restartFields,
} from "../../../lib/nodes/nats-conf.ts";
import { simpleAccounts } from "../../support/accounts.ts";

const conf: NodeConf = {
  serverName: "rg1-az1",
  serverTags: ["rg:1", "az:1", "xr:123", "xr:132"],
  cluster: "c1",
  routes: ["rg1-az1:6222", "rg1-az2:6222"],
  clientAdvertise: "127.0.0.1:4222",
  hasPages: true,
  uniqueTag: "az:",
  maxFileStore: 1024 ** 3,
  maxMemoryStore: 64 * 1024 ** 2,
  syncInterval: "always",
};

test("renders a node's config", () => {
  expect(renderNodeConf(conf)).toMatchInlineSnapshot(`
    ""server_name": "rg1-az1"
    "server_tags": [
      "rg:1"
      "az:1"
      "xr:123"
      "xr:132"
    ]
    "port": 4222
    "client_advertise": "127.0.0.1:4222"
    "http_port": 8222
    "jetstream": {
      "store_dir": "/data"
      "unique_tag": "az:"
      "max_file_store": 1073741824
      "max_memory_store": 67108864
      "sync_interval": "always"
    }
    "cluster": {
      "name": "c1"
      "port": 6222
      "routes": [
        "nats-route://rg1-az1:6222"
        "nats-route://rg1-az2:6222"
      ]
      "ping_interval": "5s"
    }
    include accounts.conf
    "
  `);
});

test("renders TLS: for clients, mutual for routes, and on the monitoring port", () => {
  const plain = renderNodeConf(conf).split("\n");
  const secure = renderNodeConf({ ...conf, tls: "stack" }).split("\n");
  expect(plain.filter((line) => !secure.includes(line))).toEqual(['"http_port": 8222']);
  expect(secure.filter((line) => !plain.includes(line)).join("\n")).toMatchInlineSnapshot(`
    ""https_port": 8222
    "tls": {
      "cert_file": "/etc/nats/certificate.pem"
      "key_file": "/etc/nats/key.pem"
      "timeout": 5
      "advertise": "rg1-az1:6222"
      "tls": {
        "cert_file": "/etc/nats/certificate.pem"
        "key_file": "/etc/nats/key.pem"
        "timeout": 5
        "ca_file": "/etc/nats/ca.pem"
        "verify": true
      }"
  `);
});

test("renders limits, times and logs that aren't the server's own", () => {
  const changes = {
    maxConnections: 1_000,
    maxPending: 128 * 1024 ** 2,
    maxSubscriptions: 500,
    maxControlLine: 8_192,
    writeDeadline: 2_500,
    pingInterval: 30_000,
    pingMax: 3,
    maxAckPending: 10_000,
    maxRequestBatch: 256,
    maxHaAssets: 100,
    defaultMaxConsumers: 50,
    duplicateWindow: 600_000,
    maxOutstandingCatchup: 32 * 1024 ** 2,
    debug: true,
    trace: true,
    logtime: false,
  };
  const before = renderNodeConf(conf).split("\n");
  const lines = renderNodeConf({ ...conf, ...changes }).split("\n");
  expect(lines.filter((line) => !before.includes(line)).join("\n")).toMatchInlineSnapshot(`
    ""max_connections": 1000
    "max_pending": 134217728
    "max_subscriptions": 500
    "max_control_line": 8192
    "write_deadline": "2500ms"
    "ping_interval": "30000ms"
    "ping_max": 3
    "debug": true
    "trace": true
    "logtime": false
      "max_outstanding_catchup": 33554432
      "limits": {
        "max_ack_pending": 10000
        "max_request_batch": 256
        "max_ha_assets": 100
        "default_max_consumers": 50
        "duplicate_window": "600000ms"
      }
      "ping_max": 2"
  `);
});

test("serves no monitoring pages where nobody asked for them", () => {
  const { hasPages: _, ...pageless } = conf;
  for (const tls of [{}, { tls: "stack" as const }]) {
    expect(renderNodeConf({ ...pageless, ...tls })).not.toMatch(/https?_port/);
  }
});

test("has one jetstream block, as a second one would erase unique_tag", () => {
  expect(renderNodeConf(conf).match(/jetstream/g)).toHaveLength(1);
});

test("leaves unique_tag out where nothing has to be unique", () => {
  expect(renderNodeConf({ ...conf, uniqueTag: "" })).not.toContain("unique_tag");
});

test("renders the accounts, quoting whatever is in a hash", () => {
  const accounts = simpleAccounts({ sys: 'p"a$s\\s', user: "secret" });
  expect(renderAccountsConf(accounts)).toMatchInlineSnapshot(`
    ""accounts": {
      "$SYS": {
        "users": [
          {
            "user": "sys"
            "password": "p\\"a$s\\\\s"
          }
        ]
      }
      "APP": {
        "jetstream": "enabled"
        "users": [
          {
            "user": "user"
            "password": "secret"
          }
          {
            "nkey": "UCIVMA776LEQLIVDZSBIWDMGZRUE7KSTXCSBMRKYF7CAMXEJYH5FQCNF"
            "permissions": {
              "publish": {
                "allow": [
                  "$JS.API.>"
                ]
              }
              "subscribe": {
                "allow": [
                  "_INBOX.>"
                ]
              }
            }
          }
        ]
      }
    }
    "
  `);
});

test("writes control characters byte by byte, as nats-server knows no \\u, \\b or \\f", () => {
  const accounts = simpleAccounts({ sys: "\0\b\f\n\u007f\u0085", user: "ü漢\u2028" });
  const text = renderAccountsConf(accounts);
  expect(text).toContain(String.raw`"password": "\x00\x08\x0c\x0a\x7f\xc2\x85"`);
  expect(text).toContain('"password": "ü漢\u2028"');
});

describe("restartFields", () => {
  test.each([
    ["tags", { serverTags: ["rg:9"] }],
    ["routes", { routes: ["rg1-az1"] }],
    ["the size of messages", { maxPayload: 8 * 1024 ** 2 }],
    ["the advertised address", { clientAdvertise: "10.0.0.1:4222" }],
  ])("stay for %s, which reload", (_, change) => {
    expect(restartFields({ ...conf, ...change })).toEqual(restartFields(conf));
  });

  test.each([
    ["unique_tag", { uniqueTag: "rg:" }],
    ["the store's size", { maxFileStore: 1 }],
    ["sync_interval", { syncInterval: "1s" }],
    ["the server's name", { serverName: "other" }],
    ["TLS", { tls: "stack" as const }],
    ["leaf nodes", { leafNodes: true }],
  ])("change with %s, which needs a restart", (_, change) => {
    expect(restartFields({ ...conf, ...change })).not.toEqual(restartFields(conf));
  });
});

test("has the digest that nats-server 2.15.2 printed for the same files", () => {
  const accounts = simpleAccounts({ sys: 'p"a$s\\s', user: "<zebra> & \u2028 yak" });
  expect(configDigest(conf, accounts)).toBe(
    "sha256:228822ccc0fc7c7f8c44328e189fb97ce2d60d5d39fa3c556492cd70b2326690",
  );
});
