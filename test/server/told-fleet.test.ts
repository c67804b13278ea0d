import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { knownFleet } from "../../lib/existing/fleet.ts";
import { neededSubjects, permissionProblems } from "../../lib/existing/permissions.ts";
import { plannedHosts, planPlacement } from "../../lib/placement/placement.ts";
import { askLimits, askOwnAccess, NoJetStream } from "../../live/jetstream/account-access.ts";
import { AccessDenied } from "../../live/jetstream/clients.ts";
import type { Connection } from "../../live/jetstream/connection.ts";
import { closeConnections, openJetStream } from "../../live/jetstream/jetstream.ts";
import { askToldFleet, NotSystemAccount } from "../../live/monitoring/told-fleet.ts";
import { hostsOf } from "../../providers/streams/replicas.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { freePorts } from "../support/own-ports.ts";
import { PlainServer } from "../support/plain-server.ts";

const foreign = { setting: "login" };
const byName = (servers: readonly { readonly name: string }[]) =>
  servers.map(({ name }) => name).toSorted();

afterAll(closeConnections);

describe("nine servers that are asked what they are", () => {
  let cluster: TestCluster;
  const ask = () => askToldFleet({ connection: cluster.systemConnection, account: "$SYS" });

  beforeAll(async () => {
    cluster = await startCluster();
  });

  afterAll(() => cluster?.stop());

  test("tell all that their placement depends on", async () => {
    const { servers, uniqueTag, silent } = await ask();
    expect({ uniqueTag, silent }).toEqual({ uniqueTag: "az:", silent: [] });
    const plain = servers.map(({ version: _, apiLevel: __, ...server }) => server);
    expect(plain.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(cluster.fleet.servers);
    expect(servers[0]).toMatchObject({ version: [2, 15, expect.any(Number)], apiLevel: 5 });
  });

  test("name a member that doesn't answer", async () => {
    await cluster.pause("rg2-az2");
    try {
      const { servers, silent } = await ask();
      expect(silent).toEqual(["rg2-az2"]);
      expect(servers).toHaveLength(8);
    } finally {
      cluster.resume("rg2-az2");
    }
  });

  test("tell it to the system account alone", async () => {
    const session = { connection: cluster.connection, account: "APP" };
    await expect(askToldFleet(session)).rejects.toThrow(NotSystemAccount);
  });

  test("tell a client whose account it is, and whether it has JetStream", async () => {
    expect(await askOwnAccess(cluster.connection, "")).toMatchObject({
      account: "APP",
      cluster: "c1",
      apiLevel: 5,
    });
    const { urls } = cluster.connection;
    const bare: Connection = { urls, user: "bare", password: "bare", foreign };
    await expect(askLimits(bare, "BARE")).rejects.toThrow(NoJetStream);
    const wrong: Connection = { urls, user: "user", password: "wrong", foreign };
    await expect(askOwnAccess(wrong, "")).rejects.toThrow(
      'login: the servers say that user "user" is not accepted; correct it',
    );
    await expect(askOwnAccess(wrong, "")).rejects.toThrow(AccessDenied);
  });
});

test("a user tells what it may not do, before it tries", async () => {
  const allow = '["$JS.API.STREAM.INFO.*", "$JS.API.STREAM.NAMES", "$SYS.REQ.USER.INFO"]';
  await using server = await PlainServer.start(
    `accounts { APP { jetstream: enabled, users: [{ user: r, password: r, permissions: { publish: { allow: ${allow} }, subscribe: "_INBOX.>" } }] } }\n`,
  );
  const connection: Connection = { urls: [server.address], user: "r", password: "r", foreign };
  const { permissions = {} } = await askOwnAccess(connection, "");
  const needed = neededSubjects([{ name: "ORDERS", consumers: [] }]);
  const [problem] = permissionProblems("login", permissions, needed);
  expect(problem?.message).toMatch(
    /^may not publish to \$JS\.API\.INFO, \$JS\.API\.STREAM\.CREATE/,
  );
});

test("the API is reached at another prefix, where an account imports it", async () => {
  await using server = await PlainServer.start(`accounts {
    HUB { jetstream: enabled, users: [{ user: hub, password: hub }], exports: [{ service: "$JS.API.>" }] }
    EDGE { users: [{ user: edge, password: edge }], imports: [{ service: { account: HUB, subject: "$JS.API.>" }, to: "$JS.hub.API.>" }] }
  }\n`);
  const edge: Connection = {
    urls: [server.address],
    user: "edge",
    password: "edge",
    foreign: { ...foreign, apiPrefix: "$JS.hub.API" },
  };
  await openJetStream(edge, "EDGE").create({ name: "ORDERS", subjects: ["orders.*"] });
  const hub: Connection = { urls: [server.address], user: "hub", password: "hub" };
  expect(await openJetStream(hub, "HUB").names()).toEqual(["ORDERS"]);
});

test("clusters behind gateways are one fleet, where streams are by the name of the cluster", async () => {
  const names = ["eu", "us", "asia"];
  const ports = await freePorts(6);
  const gateways = names.map(
    (name, index) => `{ name: ${name}, url: "nats://127.0.0.1:${ports[index]}" }`,
  );
  const servers = await Promise.all(
    names.map((name, index) =>
      PlainServer.start(
        `cluster { name: ${name}, listen: "127.0.0.1:${ports[index + 3]}", routes: ["nats-route://127.0.0.1:${ports[index + 3]}"] }
gateway { name: ${name}, listen: "127.0.0.1:${ports[index]}", gateways: [${gateways.join(", ")}] }
server_tags: ["region:${name}"]
accounts { $SYS { users: [{ user: sys, password: sys }] }, APP { jetstream: enabled, users: [{ user: user, password: user }] } }\n`,
        {},
        `${name}-1`,
      ),
    ),
  );
  try {
    const urls = [servers[0]?.address ?? ""];
    const system: Connection = { urls, user: "sys", password: "sys" };
    const app: Connection = { urls, user: "user", password: "user" };
    const port = openJetStream(app, "APP");
    await eventually(async () => (await port.names()).length === 0, 40_000);
    const told = await askToldFleet({ connection: system, account: "$SYS" });
    expect(byName(told.servers)).toEqual(["asia-1", "eu-1", "us-1"]);
    const { cluster } = await askOwnAccess(app, "");
    const { fleet } = knownFleet(cluster, { hasSystemLogin: true }, told);
    expect(cluster).toBe("eu");
    for (const [name, placement] of Object.entries({ HERE: undefined, THERE: { cluster: "us" } })) {
      const plan = planPlacement({ replicas: 1, tags: [], ...placement }, fleet);
      await eventually(async () => {
        await port.create({ name, subjects: [name], ...(placement ? { placement } : {}) });
        return true;
      });
      const expected = plan.kind === "impossible" ? [] : plannedHosts(plan);
      expect(hostsOf(await port.info(name))).toEqual(expected);
    }
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
});
