import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configDigest } from "../../../lib/nodes/nats-conf.ts";
import { type ClusterPlan, type NodePlan, nodesOf, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { changeOf, describeChanges, type RunningNode } from "../../../lib/update/node-changes.ts";
import { simpleAccounts } from "../../support/accounts.ts";

const plan = (raw: object = {}) =>
  planCluster(
    parseSettings({ clientPort: 4222, ...raw }, { project: "nats-regions", stack: "dev" }),
  );

const accountsWith = (user: string) => simpleAccounts({ sys: "system", user });
const ACCOUNTS = accountsWith("before");

const CREATED = new Date("2026-11-26T08:00:00Z");
const CONTAINER = { createdAt: CREATED, runs: true };

/** The node as it runs once its plan has been carried out. */
const run = (node: NodePlan, accounts = ACCOUNTS) => ({
  ...CONTAINER,
  settings: node.restartSettings,
  server: {
    version: "2.15.2",
    startedAt: CREATED,
    tags: node.serverTags,
    routes: node.conf.routes,
    advertised: [node.conf.clientAdvertise ?? []].flat(),
    settings: {
      maxPayload: node.conf.maxPayload ?? 1024 ** 2,
      maxFileStore: node.conf.maxFileStore,
      maxMemoryStore: node.conf.maxMemoryStore,
    },
    configDigest: configDigest(node.conf, accounts),
    configLoadTime: "2026-11-26T08:00:00Z",
    certificateReasons: [],
  },
});

const changesOf = (
  before: ClusterPlan,
  after: ClusterPlan,
  accounts = ACCOUNTS,
  observe: (node: NodePlan) => RunningNode = run,
) => {
  const running = new Map(nodesOf(before).map((node) => [node.name, observe(node)]));
  return nodesOf(after).map((node) =>
    changeOf(running.get(node.name), node, configDigest(node.conf, accounts)),
  );
};

const say = (before: object, after: object) =>
  describeChanges(changesOf(plan(before), plan(after)), plan(after).waves);

const ZONES =
  "rg1-az1, rg2-az1, rg3-az1; then rg1-az2, rg2-az2, rg3-az2; then rg1-az3, rg2-az3, rg3-az3";
const NODES = ZONES.replaceAll("; then", ",");

describe("changes of a whole cluster", () => {
  test("are none where the settings are the same", () => {
    expect(say({}, {})).toEqual([]);
  });

  test("aren't announced for a new one", () => {
    const changes = nodesOf(plan()).map((node) => changeOf(undefined, node, ""));
    expect(new Set(changes.map(({ kind }) => kind))).toEqual(new Set(["create"]));
    expect(describeChanges(changes, plan().waves)).toEqual([]);
  });

  test.each([
    [{ memory: "256MiB" }, "memory 512MiB → 256MiB"],
    [{ syncInterval: "1s" }, "syncInterval always → 1s"],
    [{ syncInterval: "1500us" }, "syncInterval always → 1ms500us"],
    [{ clientPort: 5222 }, "clientPort 4222 → 5222"],
    [{ monitorPort: 8222 }, "monitorPort none → 8222"],
    [{ image: "nats:2.15.3" }, "image nats:2.15.2 → nats:2.15.3"],
    [{ maxFileStore: "512MiB" }, "maxFileStore 1GiB → 512MiB"],
    [{ bindAddress: "127.0.0.2" }, "bindAddress 127.0.0.1 → 127.0.0.2"],
    [{ tls: "stack" }, "tls none → stack"],
    [{ advertise: "{node}.example.com" }, "advertise auto → {node}.example.com"],
    [{ advertise: "none" }, "advertise auto → none"],
    [{ memory: "1GiB", syncInterval: "1s" }, "memory 512MiB → 1GiB; syncInterval always → 1s"],
  ])("by %j need a restart, zone by zone, in one line", (settings, reason) => {
    expect(say({}, settings)).toEqual([`restart, zone by zone: ${ZONES}: ${reason}`]);
  });

  test("of what clients are told are restarts, of the nodes that it is about", () => {
    expect(
      say({ advertise: "none" }, { advertise: { rg1: "auto", rg2: "none", rg3: "none" } }),
    ).toEqual(["restart, one by one: rg1-az1; then rg1-az2; then rg1-az3: advertise none → auto"]);
    const [first] = say({}, { advertise: "gate.example.com:7000+" });
    expect(first).toMatch(/^restart: rg1-az1: advertise auto → gate\.example\.com:7000$/);
  });

  test("by larger messages need a reload, which says why", () => {
    const change = "maxPayload 1MiB → 8MiB";
    expect(say({}, { maxPayload: "8MiB" })).toEqual([`reload, no restart: ${NODES}: ${change}`]);
  });

  test("go node by node where replicas may share a zone", () => {
    const [line] = say({}, { uniqueTag: "none" });
    expect(line).toMatch(/^restart, one by one: rg1-az1; then rg2-az1; .*: uniqueTag az: → none$/);
  });

  test("by a tag that a stream asks for are reloads of the nodes that get it", () => {
    const stream = { subjects: ["a"], replicas: 2, placement: { tags: ["xr:12"] } };
    expect(say({}, { streams: { PAIR: stream } })).toEqual([
      "reload, no restart: rg1-az1, rg2-az2: tags + xr:12",
    ]);
    expect(say({ streams: { PAIR: stream } }, {})).toEqual([
      "reload, no restart: rg1-az1, rg2-az2: tags - xr:12",
    ]);
  });

  test("by other certificates are reloads, and say why", () => {
    const reason = { setting: "certificate", change: "expires in 20 days, this up renews it" };
    const observe = (node: NodePlan) => ({
      ...run(node),
      server: { ...run(node).server, certificateReasons: [reason] },
    });
    const secure = plan({ tls: "stack" });
    expect(describeChanges(changesOf(secure, secure, ACCOUNTS, observe), secure.waves)).toEqual([
      `reload, no restart: ${NODES}: certificate expires in 20 days, this up renews it`,
    ]);
  });

  test("by growing name the new nodes, and the routes and tags that the others take up", () => {
    const lines = say({}, { availabilityZones: ["az1", "az2", "az3", "az4"] });
    expect(lines[0]).toBe(`reload, no restart: ${NODES}: routes + rg1-az4, rg2-az4, rg3-az4`);
    expect(lines).toContain("reload, no restart: rg1-az1: tags + xr:124, xr:134, xr:142, xr:143");
    expect(lines.at(-1)).toBe("new: rg1-az4, rg2-az4, rg3-az4");
  });

  test("by a password are reloads that don't show it", () => {
    const changes = changesOf(plan(), plan(), accountsWith("after-Zebra"));
    expect(describeChanges(changes, plan().waves)).toEqual([
      `reload, no restart: ${NODES}: config users, passwords, rights, logs or other config, or changed by hand`,
    ]);
  });
});

describe("a node", () => {
  const one = (observed: Partial<RunningNode>, settings: object = {}, accounts = ACCOUNTS) =>
    changesOf(plan(), plan(settings), accounts, () => ({ ...CONTAINER, ...observed }))[0];
  const [first] = nodesOf(plan());
  if (!first) throw new Error("the plan has no node");
  const { settings, server } = run(first);

  test("that doesn't answer has reasons for a restart only", () => {
    expect(one({ settings }, {}, accountsWith("after"))?.kind).toBe("none");
    expect(one({ settings }, { memory: "1GiB" })).toMatchObject({
      kind: "restart",
      reasons: [{ setting: "memory", change: "512MiB → 1GiB" }],
    });
  });

  test("that was made before its settings were noted down is made anew", () => {
    expect(one({ server })).toMatchObject({
      kind: "restart",
      reasons: [{ setting: "container", change: "made by an earlier nats-regions" }],
    });
  });

  test("of a server that has digests of its own isn't said to have other accounts", () => {
    const other = { ...server, version: "2.16.0", configDigest: "sha256:of something else" };
    expect(one({ settings, server: other })?.kind).toBe("none");
    const { configDigest, ...without } = server;
    expect(one({ settings, server: without })?.kind).toBe("none");
  });

  test("says the same whatever the order in which its server reports", () => {
    const reversed = {
      ...server,
      tags: server.tags.toReversed(),
      routes: server.routes.toReversed(),
    };
    expect(one({ settings, server: reversed })?.kind).toBe("none");
  });

  test("has drifted where its config isn't the planned one, whatever is to become of it", () => {
    const { configLoadTime } = server;
    expect(one({ settings, server })?.driftedAt).toBeUndefined();
    expect(one({ settings, server }, { memory: "1GiB" })?.driftedAt).toBeUndefined();
    expect(one({ settings, server }, {}, accountsWith("after"))?.driftedAt).toBe(configLoadTime);
    const tagged = { ...server, tags: ["rg:1"] };
    expect(one({ settings, server: tagged }, { memory: "1GiB" })?.driftedAt).toBe(configLoadTime);
    const { configDigest, ...old } = { ...tagged, version: "2.10.29" };
    expect(one({ settings, server: old })?.driftedAt).toBe(configLoadTime);
  });

  test("may have been stopped where its server was started later, or doesn't answer", () => {
    const startedAfter = (milliseconds: number) => ({
      settings,
      server: { ...server, startedAt: new Date(CREATED.getTime() + milliseconds) },
    });
    const mayHaveStopped = (observed: Partial<RunningNode>, changed?: object) =>
      one(observed, changed)?.mayHaveStopped;
    expect(mayHaveStopped(startedAfter(2_000))).toBeUndefined();
    expect(mayHaveStopped(startedAfter(4_000))).toBe(true);
    expect(mayHaveStopped(startedAfter(4_000), { maxPayload: "8MiB" })).toBe(true);
    expect(mayHaveStopped(startedAfter(4_000), { memory: "1GiB" })).toBeUndefined();
    expect(mayHaveStopped({ settings })).toBe(true);
    expect(mayHaveStopped({ settings, runs: false })).toBeUndefined();
  });

  test("that tells clients what is planned isn't restarted for a label that doesn't say so", () => {
    const engines = Object.fromEntries(
      ["rg1", "rg2", "rg3"].map((key, index) => [key, { host: `ssh://10.0.0.${index + 1}` }]),
    );
    const planned = nodesOf(plan({ engines }))[0];
    if (!planned) throw new Error("the plan has no node");
    const { advertise, ...settings } = planned.restartSettings;
    expect(advertise).toBe("10.0.0.1");
    const running = { ...run(planned), settings };
    const digest = configDigest(planned.conf, ACCOUNTS);
    expect(changeOf(running, planned, digest)).toMatchObject({
      kind: "none",
      label: JSON.stringify(settings),
    });
    const elsewhere = { ...running, server: { ...running.server, advertised: ["10.0.9.1:4222"] } };
    expect(changeOf(elsewhere, planned, digest)).toMatchObject({
      kind: "restart",
      reasons: [{ setting: "advertise", change: "auto → 10.0.0.1" }],
      label: JSON.stringify(planned.restartSettings),
    });
  });

  test("takes up together what needs a restart and what doesn't", () => {
    const change = one({ settings, server: { ...server, tags: ["rg:1"] } }, { memory: "1GiB" });
    expect(change?.kind).toBe("restart");
    expect(change?.reasons.map(({ setting }) => setting)).toEqual(["memory", "tags"]);
  });
});

/** Of the first node, made with one size of the file store, and grown by a reload since. */
describe("a node's room for streams", () => {
  const nodeOf = (settings: object) => nodesOf(plan(settings))[0] as NodePlan;
  const made = nodeOf({});
  const noted = JSON.stringify(made.restartSettings);
  const runs = (settings: object, label = noted) => ({
    ...CONTAINER,
    settings: JSON.parse(label),
    server: run(nodeOf(settings)).server,
  });
  const change = (running: RunningNode, settings: object) => {
    const node = nodeOf(settings);
    return changeOf(running, node, configDigest(node.conf, ACCOUNTS));
  };
  const planned = (settings: object) => JSON.stringify(nodeOf(settings).restartSettings);
  const TWO = { maxFileStore: "2GiB" };

  test("grows by a reload, and the label stays", () => {
    expect(change(runs({}), { ...TWO, maxMemoryStore: "128MiB" })).toMatchObject({
      kind: "reload",
      reasons: [
        { setting: "maxFileStore", change: "1GiB → 2GiB" },
        { setting: "maxMemoryStore", change: "64MiB → 128MiB" },
      ],
      label: noted,
      grows: true,
    });
    expect(change(runs(TWO), { maxFileStore: "3GiB" })).toMatchObject({
      kind: "reload",
      reasons: [{ setting: "maxFileStore", change: "2GiB → 3GiB" }],
      label: noted,
    });
  });

  test("that has grown is no change, whether its server says so or is silent", () => {
    expect(change(runs(TWO), TWO)).toEqual({
      node: made.name,
      kind: "none",
      reasons: [],
      label: noted,
    });
    const { settings } = runs(TWO);
    expect(change({ ...CONTAINER, settings }, TWO)).toMatchObject({ kind: "none", label: noted });
  });

  test("grows along with a restart where there is one, also of a silent server", () => {
    const both = { ...TWO, memory: "1GiB" };
    const { settings, server } = runs({});
    for (const running of [{ settings, server }, { settings }]) {
      const { kind, reasons, label, grows } = change({ ...CONTAINER, ...running }, both);
      expect({ kind, label, grows }).toEqual({
        kind: "restart",
        label: planned(both),
        grows: undefined,
      });
      expect(reasons.map(({ change }) => change)).toEqual(["512MiB → 1GiB", "1GiB → 2GiB"]);
    }
  });

  test("shrinks by a restart, whatever it was made with", () => {
    const less = { maxFileStore: "1536MiB" };
    expect(change(runs(TWO), less)).toMatchObject({
      kind: "restart",
      reasons: [{ setting: "maxFileStore", change: "2GiB → 1536MiB" }],
      label: planned(less),
    });
    expect(change(runs({}), { maxFileStore: "512MiB" }).kind).toBe("restart");
    const { settings } = runs({});
    expect(change({ ...CONTAINER, settings }, { maxFileStore: "512MiB" }).kind).toBe("restart");
  });

  test("shrinks to what it was made with by another label, which then stays", () => {
    const back = change(runs(TWO), {});
    expect(back).toMatchObject({
      kind: "restart",
      reasons: [{ setting: "maxFileStore", change: "2GiB → 1GiB" }],
    });
    expect(back.label).not.toBe(noted);
    expect(change(runs(TWO), {}).label).toBe(back.label);
    expect(change(runs({}, back.label), {})).toMatchObject({ kind: "none", label: back.label });
    expect(change(runs({}, back.label), TWO)).toMatchObject({ kind: "reload", label: back.label });
    expect(change(runs(TWO, back.label), {})).toMatchObject({ kind: "restart", label: noted });
  });
});

test("a node is replaced exactly where a restart is announced, and says why", () => {
  const settings = fc.record({
    memory: fc.constantFrom("256MiB", "512MiB"),
    syncInterval: fc.constantFrom("always", "1s"),
    uniqueTag: fc.constantFrom("az:", "rg:", "none"),
    clientPort: fc.constantFrom(4222, 5222),
    availabilityZones: fc.constantFrom(["az1", "az2", "az3"], ["az1", "az2", "az3", "az4"]),
    streams: fc.constantFrom({}, { S: { subjects: ["s"], placement: { tags: ["xr:1_2"] } } }),
  });
  fc.assert(
    fc.property(settings, settings, (before, after) => {
      const old = new Map(nodesOf(plan(before)).map((node) => [node.name, node]));
      const changes = new Map(
        changesOf(plan(before), plan(after)).map((change) => [change.node, change]),
      );
      for (const node of nodesOf(plan(after))) {
        const was = old.get(node.name);
        const { kind, reasons } = changes.get(node.name) ?? { kind: "none", reasons: [] };
        const replaced =
          was && JSON.stringify(was.restartSettings) !== JSON.stringify(node.restartSettings);
        const rewritten = was?.confText !== node.confText;
        expect(kind).toBe(!was ? "create" : replaced ? "restart" : rewritten ? "reload" : "none");
        expect(reasons.length > 0).toBe(kind === "restart" || kind === "reload");
      }
    }),
    { numRuns: 50 },
  );
});
