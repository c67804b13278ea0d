import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AccountPlan } from "../../lib/accounts/account-settings.ts";
import { renderAccountsConf, withAccounts, withPoolSize } from "../../lib/nodes/nats-conf.ts";
import { findLostInterest } from "../../lib/observed/lost-interest.ts";
import { openJetStream } from "../../live/jetstream/jetstream.ts";
import { askInterest, healInterest, renewRoutes } from "../../run/route-interest.ts";
import { AccountCluster } from "../support/account-cluster.ts";
import { eventually } from "../support/eventually.ts";

const NODES = ["n0", "n1", "n2"] as const;

/** Accounts with a user each of their own name. */
function render(...accounts: (Partial<AccountPlan> & { readonly name: string })[]): string {
  const plans = accounts.map(
    (account): AccountPlan => ({
      users: [{ name: account.name.toLowerCase() }],
      limits: {},
      jetStream: {},
      exports: [],
      imports: [],
      ...account,
    }),
  );
  const users = ["sys", ...plans.flatMap((plan) => plan.users.map(({ name }) => name))];
  return renderAccountsConf({
    systemUser: "sys",
    accounts: plans,
    hashes: Object.fromEntries(users.map((name) => [name, name])),
    managers: {},
  });
}

const importing = (name: string) => ({ stream: { account: name, subject: "bills.>" } });
const exporting = (name: string) => ({ name, exports: [{ stream: "bills.>" }] });
const APP = { name: "APP" };
const ALONE = render(APP);

let cluster: AccountCluster;
const clients: NatsConnection[] = [];

beforeAll(async () => {
  cluster = await AccountCluster.start(NODES.length, ALONE);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => cluster[Symbol.asyncDispose]());

async function client(node: string, user: string): Promise<NatsConnection> {
  const connection = await cluster.connect(node, user);
  clients.push(connection);
  return connection;
}

/** Tries until it gets in. */
async function subscribeOnceKnown(node: string, user: string, subject: string): Promise<string[]> {
  for (;;) {
    try {
      return await subscribe(node, user, subject);
    } catch {
      await sleep(20);
    }
  }
}

async function subscribe(node: string, user: string, subject: string): Promise<string[]> {
  const heard: string[] = [];
  const connection = await client(node, user);
  connection.subscribe(subject, { callback: (_, { data }) => void heard.push(`${data}`) });
  await connection.flush();
  return heard;
}

async function rollOut(accountsConf: string, order: readonly string[] = NODES): Promise<void> {
  for (const node of order) await cluster.reload(node, { accountsConf });
}

/** As the step before the waves does it. */
async function tell(before: string, names: readonly string[]): Promise<void> {
  await rollOut(withAccounts(before, names));
}

/** As the step behind the waves does it. */
async function heal(): Promise<string[]> {
  const said: string[] = [];
  const renew = async ({ name }: { readonly name: string }) => {
    const node = cluster.find(name);
    await renewRoutes(node, async (size) => {
      const conf = size === undefined ? node.conf : withPoolSize(node.conf, size);
      await cluster.reload(name, { conf });
    });
  };
  await healInterest(cluster.nodes, renew, (line) => void said.push(line));
  return said;
}

/** Publishes through each node. */
async function publish(user: string, subject: string): Promise<void> {
  for (const node of NODES) {
    const connection = await client(node, user);
    connection.publish(subject, node);
    await connection.flush();
  }
  await sleep(200);
}

describe("an account that comes with an import of it", () => {
  test("is unheard on nodes that didn't know it, until their routes are made anew", async () => {
    const heard = await subscribe("n0", "app", "bills.>");
    await rollOut(render({ ...APP, imports: [importing("A")] }, exporting("A")));
    await publish("a", "bills.x");
    expect(heard).toEqual(["n0"]);

    expect(await heal()).toEqual([
      expect.stringContaining("n1 doesn't hear that n0 wants bills.>"),
    ]);
    await publish("a", "bills.x");
    expect(heard.splice(0).sort()).toEqual(["n0", "n0", "n1", "n2"]);

    // It comes back, under a name that routes still have.
    await rollOut(ALONE);
    await rollOut(render({ ...APP, imports: [importing("A")] }, exporting("A")));
    await publish("a", "bills.x");
    expect(heard.splice(0)).toEqual(["n0"]);
    expect(await heal()).not.toEqual([]);
    await publish("a", "bills.x");
    expect(heard.sort()).toEqual(NODES);
    await rollOut(ALONE);
  });

  test("is heard everywhere where nodes are told of it first", async () => {
    await heal();
    const heard = await subscribe("n0", "app", "bills.>");
    const settings = [{ ...APP, imports: [importing("B")] }, exporting("B")] as const;
    await tell(ALONE, ["APP", "B"]);
    await rollOut(render(...settings));
    expect(findLostInterest(await askInterest(cluster.nodes))).toEqual([]);
    await publish("b", "bills.x");
    expect(heard.sort()).toEqual(NODES);
    await rollOut(ALONE);
    // What routes still have of it is found when it has gone, before it comes back.
    expect(await heal()).not.toEqual([]);
    expect(await heal()).toEqual([]);
  });
});

test("a client that gets in while later nodes don't have its user is heard by them", async () => {
  const next = render(APP, { name: "TEAM" });
  await tell(ALONE, ["APP", "TEAM"]);
  const coming = subscribeOnceKnown("n0", "team", "team.>");
  await cluster.reload("n0", { accountsConf: next });
  const heard = await coming;
  await rollOut(next, ["n1", "n2"]);
  await publish("team", "team.x");
  expect(heard.sort()).toEqual(NODES);
  await rollOut(ALONE);
  await heal();
});

test("streams, queues, consumers and answers of other accounts are all told, or nobody else's concern", async () => {
  await rollOut(
    render(
      {
        ...APP,
        imports: [importing("C"), { service: { account: "C", subject: "price" } }],
      },
      { name: "C", exports: [{ stream: "bills.>" }, { service: "price" }] },
      { name: "BARE", jetStream: false },
    ),
  );
  const streams = openJetStream(
    { urls: [cluster.find("n0").clientUrl], user: "app", password: "app" },
    "APP",
  );
  // A server that has just started isn't placed on.
  await eventually(async () => {
    await streams.create({ name: "AUDIT", subjects: ["bills.>"], num_replicas: 3 });
    return true;
  });
  const server = await client("n1", "c");
  server.subscribe("price", { queue: "q", callback: (_, message) => void message.respond("12") });
  await server.flush();
  await sleep(100);
  const asking = await client("n2", "app");
  expect((await asking.request("price")).string()).toBe("12");
  for (const node of NODES) await subscribe(node, "bare", "bare.*");
  await heal();
  expect(await heal()).toEqual([]);
  await publish("c", "bills.x");
  expect((await streams.info("AUDIT"))?.state.messages).toBe(3);
  await streams.delete("AUDIT");
  await rollOut(ALONE);
  await heal();
});

test("whatever changes in whatever order, a message through each node reaches all who want it", async () => {
  const NAMES = ["X", "Y"];
  const step = fc.record({
    accounts: fc.subarray(NAMES),
    imported: fc.subarray(NAMES),
    order: fc.shuffledSubarray([...NODES], { minLength: 3 }),
    isTold: fc.boolean(),
  });
  const counts = { healed: 0, silent: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 3 }), async (steps) => {
      const importers = await Promise.all(
        ["n0", "n2"].map((node) => subscribe(node, "app", "bills.>")),
      );
      let before = ALONE;
      let had: readonly string[] = [];
      for (const { accounts, imported, order, isTold } of steps) {
        const imports = imported.filter((name) => accounts.includes(name)).map(importing);
        const next = render({ ...APP, imports }, ...accounts.map(exporting));
        const members = accounts.flatMap((name) =>
          NODES.map((node) => subscribeOnceKnown(node, name.toLowerCase(), "bills.>")),
        );
        if (isTold) await tell(before, ["APP", ...accounts]);
        await rollOut(next, order);
        const own = await Promise.all(members);
        const said = await heal();
        const onlyCame = had.every((name) => accounts.includes(name));
        if (isTold && onlyCame) expect(said).toEqual([]);
        counts[said.length > 0 ? "healed" : "silent"] += 1;
        for (const [index, name] of accounts.entries()) {
          for (const heard of [...importers, ...own]) heard.splice(0);
          await publish(name.toLowerCase(), "bills.x");
          const isImported = imported.includes(name);
          for (const heard of importers) expect(heard.sort()).toEqual(isImported ? NODES : []);
          for (const heard of own.slice(index * 3, index * 3 + 3)) {
            expect(heard.sort()).toEqual(NODES);
          }
        }
        before = next;
        had = accounts;
      }
      await rollOut(ALONE);
      await Promise.all(clients.splice(0).map((each) => each.close()));
      await heal();
    }),
    { numRuns: 4, seed: 13 },
  );
  expect(counts.healed).toBeGreaterThan(2);
  expect(counts.silent).toBeGreaterThan(2);
  // Alone it takes 25 s: servers are reloaded one after the other, and each has to say so.
}, 180_000);
