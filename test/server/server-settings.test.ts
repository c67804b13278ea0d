import { connect } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restartFields } from "../../lib/nodes/nats-conf.ts";
import { RELOADED } from "../../lib/nodes/server-options.ts";
import { OLDEST } from "../../lib/nodes/versions.ts";
import { nodesOf, planCluster } from "../../lib/plan/plan.ts";
import { parseSettings } from "../../lib/plan/settings.ts";
import { SERVER_SETTINGS } from "../../lib/settings/server-settings.ts";
import type { Setting } from "../../lib/settings/settings-table.ts";
import { reportedSettings } from "../../lib/update/node-changes.ts";
import { provideServer } from "../support/older-server.ts";
import { RenderedServer } from "../support/rendered-server.ts";

/** For each setting another value than its default. */
const OTHERS: Readonly<Record<keyof typeof SERVER_SETTINGS, unknown>> = {
  maxConnections: 1_000,
  maxPending: "128MiB",
  maxSubscriptions: 500,
  maxControlLine: "8KiB",
  writeDeadline: "2500ms",
  pingInterval: "30s",
  pingMax: 3,
  maxAckPending: 10_000,
  maxRequestBatch: 256,
  maxHaAssets: 100,
  defaultMaxConsumers: 50,
  duplicateWindow: "10m",
  maxOutstandingCatchup: "32MiB",
  debug: true,
  trace: true,
  logtime: false,
};

const confOf = (raw: object) => {
  const settings = parseSettings(
    { clientPort: 4222, monitorPort: 8222, ...raw },
    { project: "nats-regions", stack: "dev" },
  );
  const [node] = nodesOf(planCluster(settings));
  if (node === undefined) throw new Error("the plan has no node");
  const { clientAdvertise: _, ...conf } = node.conf;
  return conf;
};

const ROWS = Object.entries<Setting>(SERVER_SETTINGS).map(([name, row]) => ({ name, ...row }));

describe(`nats-server ${OLDEST.join(".")}`, () => {
  const known = ROWS.filter(({ name }) => name !== "defaultMaxConsumers");
  test.each(known)(
    "takes up another $name by a reload where a label doesn't have it",
    async ({ name }) => {
      await using older = await RenderedServer.start(
        confOf({}),
        await provideServer(OLDEST.join(".")),
      );
      const conf = confOf({ [name]: OTHERS[name as keyof typeof OTHERS] });
      const isRestart = Object.hasOwn(restartFields(conf, OLDEST), name);
      const refusal = { refused: expect.stringContaining("not supported") };
      expect(await older.reload(conf)).toEqual(isRestart ? refusal : "applied");
    },
  );
});

/** Options of the setting `config`. */
const OPTIONS: Readonly<Record<string, unknown>> = {
  trace_verbose: true,
  trace_headers: true,
  logtime_utc: true,
  max_traced_msg_len: 100,
  connect_error_reports: 10,
  reconnect_error_reports: 10,
  server_metadata: { Rack: "a" },
  no_fast_producer_stall: true,
  "cluster.compression": "s2_fast",
  "cluster.connect_retries": 5,
  "cluster.connect_backoff": true,
  "cluster.permissions": { import: ["a.>"], export: ["a.>"] },
  "jetstream.meta_compact": 10,
  "jetstream.meta_compact_size": 1_000_000,
  "jetstream.meta_compact_sync": true,
  "jetstream.limits.batch": { max_msgs: 9 },
  "jetstream.domain": "hub",
  "jetstream.max_buffered_msgs": 5_000,
  lame_duck_duration: "40s",
  max_sub_tokens: 16,
  disable_sublist_cache: true,
  max_closed_clients: 5,
  write_timeout: "retry",
};

const nested = (path: string, value: unknown): object =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;

let server: RenderedServer;
beforeAll(async () => {
  server = await RenderedServer.start(confOf({}));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe("nats-server", () => {
  test.each(ROWS)(
    "takes up another $name as the table says: $change",
    async ({ name, change, node }) => {
      const other = { [name]: OTHERS[name as keyof typeof OTHERS] };
      const conf = confOf(other);
      const reload = await server.reload(conf);
      if (change === "restart") {
        expect(reload).toEqual({ refused: expect.stringContaining("not supported") });
      } else {
        expect(reload).toBe("applied");
        const reported = reportedSettings(await server.page("varz"));
        if (node?.varz) expect(reported[name]).toBe(new Map(Object.entries(conf)).get(name));
      }
      expect(await server.reload(confOf({}))).toBe("applied");
      const reported = reportedSettings(await server.page("varz"));
      const settings = new Map(
        Object.entries(parseSettings({}, { project: "nats-regions", stack: "dev" })),
      );
      for (const [each, value] of Object.entries(reported)) expect(value).toBe(settings.get(each));
    },
  );

  test.each(Object.entries(OPTIONS))(
    "takes up the option %s as is known of it",
    async (path, value) => {
      const conf = confOf({ config: nested(path, value) });
      const isRestart = Object.keys(restartFields(conf)).some((name) => name.startsWith("config."));
      expect(isRestart).toBe(!RELOADED.has(path));
      const refusal = { refused: expect.stringContaining("not supported") };
      expect(await server.reload(conf)).toEqual(isRestart ? refusal : "applied");
      expect(await server.reload(confOf({}))).toBe("applied");
      if (!isRestart) return;
      await using other = await RenderedServer.start(conf);
      expect(await other.page("varz")).toMatchObject({ server_name: conf.serverName });
    },
  );

  test("is known to reload no option that isn't tried here", () => {
    expect(Object.keys(OPTIONS)).toEqual(expect.arrayContaining([...RELOADED.keys()]));
  });

  test("starts with all of them", async () => {
    await using other = await RenderedServer.start(confOf(OTHERS));
    expect(await other.page("varz")).toMatchObject({
      max_connections: 1_000,
      max_pending: 128 * 1024 ** 2,
      max_subscriptions: 500,
      jetstream: { limits: { max_ack_pending: 10_000, max_duplicate_window: 600_000_000_000 } },
    });
  });

  test("closes what is above a lower maxConnections", async () => {
    const login = { servers: server.clientUrl, user: "user", pass: "user", reconnect: false };
    const clients = await Promise.all(Array.from({ length: 12 }, () => connect(login)));
    await server.reload(confOf({ maxConnections: 10 }));
    const closed = Promise.race(clients.map((client) => client.closed()));
    expect(await closed).toMatchObject({ message: expect.stringMatching(/maximum connections/i) });
    await Promise.all(clients.map((client) => client.close()));
  });
});
