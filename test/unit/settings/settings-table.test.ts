import { describe, expect, test } from "vitest";
import { type ClusterPlan, nodesOf, planCluster, withKeyMark } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { settingNames } from "../../../lib/settings/setting-values.ts";
import { SETTINGS, type Setting } from "../../../lib/settings/settings-table.ts";
import { reportedSettings } from "../../../lib/update/node-changes.ts";

const plan = (raw: object = {}): ClusterPlan =>
  planCluster(parseSettings(raw, { project: "nats-regions", stack: "dev" }));
const firstNode = (raw: object = {}) => {
  const [node] = nodesOf(plan(raw));
  if (node === undefined) throw new Error("the plan has no node");
  return node;
};

/** A value that is right, and not the default. */
function otherValue(setting: Setting): unknown {
  switch (setting.kind) {
    case "label":
      return "other";
    case "unique tag":
      return "rg:";
    case "count":
      return setting.most;
    case "size":
      return setting.most ?? "128MiB";
    case "duration":
    case "sync interval":
      return "37s";
    case "choice":
      return setting.values.find((value) => value !== setting.default);
    case "flag":
      return !setting.default;
    default:
      throw new Error(`no node has a ${setting.kind} in its config`);
  }
}

const NODE_SETTINGS = Object.entries<Setting>(SETTINGS).filter(([, { node }]) => node);

describe("a setting that is in a node's config", () => {
  test.each(NODE_SETTINGS)("has its line there: %s", (name, setting) => {
    const other = firstNode({ [name]: otherValue(setting) });
    expect(other.confText).not.toBe(firstNode().confText);
  });

  test.each(NODE_SETTINGS)(
    "needs a new container exactly where no reload takes it up: %s",
    (name, setting) => {
      const labelOf = (raw: object) => JSON.stringify(firstNode(raw).restartSettings);
      const isSame = labelOf({ [name]: otherValue(setting) }) === labelOf({});
      expect(isSame).toBe(setting.change === "reload");
    },
  );

  test.each(NODE_SETTINGS)(
    "says by what a preview tells of its reload: %s",
    (_, { change, node }) => {
      if (change === "reload" || change === "growth") {
        expect(node?.varz ?? node?.isUnreported).toBeDefined();
      }
    },
  );
});

test("a container's label has every setting that no reload changes, and the node's name", () => {
  const marked = withKeyMark(
    plan({
      monitorAddress: "127.0.0.2",
      monitorPort: 8222,
      leafNodes: true,
      leafNodePort: 7422,
      websocket: true,
      mqtt: true,
      encryption: "aes",
      maxPending: "128MiB",
      maxSubscriptions: 1_000,
      maxOutstandingCatchup: "128MiB",
      tls: "stack",
      engines: Object.fromEntries(
        ["rg1", "rg2", "rg3"].map((key) => [key, { host: `ssh://${key}.example` }]),
      ),
    }),
    "mark",
  );
  const { restartSettings = {} } = nodesOf(marked)[0] ?? {};
  const bound: readonly Setting["change"][] = ["restart", "growth", "fixed", "at once"];
  // What is on an engine stays there, however that one is reached.
  const names = settingNames(({ change, kind }) => bound.includes(change) && kind !== "engines");
  expect(Object.keys(restartSettings).sort()).toEqual([...names, "serverName"].sort());
});

test("a label has the limits that the reload of an older server doesn't apply", () => {
  const limits = { maxAckPending: 5, duplicateWindow: "1h", pingMax: 3 };
  const labelOf = (image: string) => firstNode({ image, ...limits }).restartSettings;
  expect(labelOf("nats:2.14.9")).toMatchObject({ maxAckPending: 5, duplicateWindow: 3_600_000 });
  expect(labelOf("nats:2.14.9")).not.toHaveProperty("pingMax");
  expect(labelOf("nats:2.15.2")).toEqual(firstNode().restartSettings);
});

test("a label is to the letter as it was for clusters that are there", () => {
  expect(JSON.stringify(firstNode({ clientPort: 4222, monitorPort: 8222 }).restartSettings)).toBe(
    '{"image":"nats:2.15.2","memory":536870912,"bindAddress":"127.0.0.1","clientPort":4222,"monitorPort":8222,"serverName":"rg1-az1","cluster":"c1","uniqueTag":"az:","maxFileStore":1073741824,"maxMemoryStore":67108864,"syncInterval":"always"}',
  );
});

test("what a server tells of settings is found on its page, where it is of their kind", () => {
  const jetstream = { config: { max_storage: 1, max_memory: 2 } };
  expect(reportedSettings({ max_payload: 3, jetstream })).toEqual({
    maxFileStore: 1,
    maxMemoryStore: 2,
    maxPayload: 3,
  });
  expect(reportedSettings({ max_payload: null, jetstream: {} })).toEqual({});
  const limits = { max_ack_pending: 7, default_max_consumers: 1_000 };
  expect(reportedSettings({ ping_interval: 120_000_000_000, jetstream: { limits } })).toEqual({
    pingInterval: 120_000,
    maxAckPending: 7,
    maxRequestBatch: 0,
    maxHaAssets: 0,
    defaultMaxConsumers: 1_000,
    duplicateWindow: 0,
  });
});
