import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it, test, vi } from "vitest";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import {
  accountsOf,
  desiredDigests,
  type Roster,
  renamingsOf,
  rosterOf,
  subjectsOf,
} from "../../../lib/update/remembered-streams.ts";
import { ClusterUnreachable } from "../../../live/jetstream/jetstream.ts";
import { UNKNOWN } from "../../../providers/process/unknown.ts";
import { Handovers } from "../../../providers/streams/handovers.ts";
import { type RosterInputs, rosterLifecycle } from "../../../providers/streams/roster-lifecycle.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { SEED_FLEET } from "../../support/seed.ts";

let jetStream: FakeJetStream;
let opened: number;
const lifecycle = rosterLifecycle(() => {
  opened += 1;
  return jetStream;
});
const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
afterAll(() => said.mockRestore());

beforeEach(async () => {
  jetStream = new FakeJetStream(SEED_FLEET);
  opened = 0;
  said.mockClear();
  for (const name of ["ORDERS", "EVENTS"]) await jetStream.create({ name });
});

function roster(streams: Roster["streams"]): Roster {
  return { account: "APP", streams };
}

function fill(stream: string, messages: number): void {
  const found = jetStream.streams.get(stream);
  if (found) found.messages = messages;
}

async function reasons(olds: Partial<Roster>, news: Roster): Promise<string[]> {
  const { failures = [] } = await lifecycle.check(olds, news);
  return failures.map(({ reason }) => reason);
}

describe("check", () => {
  const both = roster({ ORDERS: {}, EVENTS: {} });
  const one = roster({ EVENTS: {} });

  it("refuses to let a stream go that holds messages, and says how many", async () => {
    fill("ORDERS", 1_204);
    expect(await reasons(both, one)).toEqual([
      expect.stringMatching(
        /^stream ORDERS is taken out of the settings, but holds 1,204 messages/,
      ),
    ]);
  });

  it("lets go of one that is empty, gone, or was allowed to lose them", async () => {
    expect(await reasons(both, one)).toEqual([]);
    fill("ORDERS", 5);
    expect(await reasons(roster({ ORDERS: { allowDataLoss: true }, EVENTS: {} }), one)).toEqual([]);
    jetStream.streams.delete("ORDERS");
    expect(await reasons(both, one)).toEqual([]);
  });

  it("isn't persuaded by a permission that leaves together with the stream", async () => {
    fill("EVENTS", 5);
    fill("ORDERS", 5);
    expect(await reasons(both, roster({ EVENTS: { allowDataLoss: true } }))).toHaveLength(1);
  });

  it("asks nobody where no stream leaves", async () => {
    expect(await reasons(both, both)).toEqual([]);
    expect(opened).toBe(1);
    expect(jetStream.looks).toBe(0);
  });

  it("is silent about a stream that was never made", async () => {
    expect(await reasons(roster({ ORDERS: {}, BIG: {} }), both)).toEqual([]);
    expect(await reasons(roster({ ORDERS: {}, BIG: {} }), roster({ ORDERS: {}, BIG: {} }))).toEqual(
      [],
    );
    expect(said).not.toHaveBeenCalled();
  });

  it("guards a stream still that an up was to delete, and failed before it did", async () => {
    const { inputs: after } = await lifecycle.check(both, one);
    expect(after).toMatchObject({ streams: { EVENTS: {} }, leaving: { ORDERS: {} } });
    expect(await lifecycle.diff("APP", one, after)).toEqual({ changes: false });
    fill("ORDERS", 5);
    expect(await reasons(after, one)).toEqual([expect.stringContaining("but holds 5 messages")]);
    expect((await lifecycle.check(after, both)).inputs).toEqual(both);
    jetStream.failures.push(new ClusterUnreachable("no NATS server answers"));
    expect((await lifecycle.check(after, one)).inputs).toEqual(after);
    const permitted = { ...after, leaving: { ORDERS: { allowDataLoss: true as const } } };
    expect(await reasons(permitted, one)).toEqual([]);
    const other = { ...after, leaving: { ORDERS: { created: "2025-01-01T00:00:00Z" } } };
    expect(await lifecycle.check(other, one)).toEqual({ inputs: one, failures: [] });
    jetStream.streams.delete("ORDERS");
    expect(await lifecycle.check(after, one)).toEqual({ inputs: one, failures: [] });
  });

  it("refuses a mirror of a stream that should have gone, as long as that is there", async () => {
    const olds = { ...one, leaving: { ORDERS: {} } };
    const news = { ...roster({ EVENTS: {}, COPY: {} }), mirrors: { COPY: "ORDERS" } };
    expect(await reasons(olds, news)).toEqual([expect.stringContaining("but COPY mirrors it")]);
    jetStream.streams.delete("ORDERS");
    expect(await reasons(olds, news)).toEqual([]);
  });

  it("has streams take over what one has that should have gone", async () => {
    await jetStream.update({ name: "ORDERS", subjects: ["orders.>"] });
    const handovers = new Handovers();
    const checked = rosterLifecycle(() => jetStream, handovers);
    const news = { ...roster({ EVENTS: {} }), subjects: { EVENTS: ["orders.>"] } };
    await checked.check({ ...one, leaving: { ORDERS: {} } }, news);
    const config = { name: "EVENTS", subjects: ["orders.>"] };
    const goal = { account: "APP", stream: "EVENTS", config };
    expect(await handovers.judge(jetStream, goal)).toEqual({
      refusals: [],
      notices: [expect.stringMatching(/takes "orders.>" over from ORDERS, which is deleted/)],
    });
  });

  it("asks nobody at first, or while the account is not known", async () => {
    expect(await reasons({}, both)).toEqual([]);
    expect(await reasons(both, { ...both, account: UNKNOWN })).toEqual([]);
    expect(opened).toBe(0);
  });

  it("leaves it to the deletion itself where nobody answers, and says so", async () => {
    jetStream.failures.push(
      new ClusterUnreachable("no NATS server answers"),
      new ClusterUnreachable("no NATS server answers"),
    );
    expect(await reasons(both, one)).toEqual([]);
    expect(said.mock.calls.flat().join()).toMatch(/what ORDERS holds is unknown/);
  });
});

describe("with several accounts", () => {
  const ports = new Map<string, FakeJetStream>();
  const several = rosterLifecycle((account) => {
    const port = ports.get(account);
    if (!port) throw new Error(`nobody was to ask in ${account}`);
    return port;
  });
  const both: Roster = {
    account: "APP",
    otherAccounts: ["BILLING"],
    streams: { ORDERS: {}, BILLS: { account: "BILLING" } },
  };
  const check = async (news: Roster) =>
    ((await several.check(both, news)).failures ?? []).map(({ reason }) => reason);

  beforeEach(async () => {
    for (const account of ["APP", "BILLING"]) ports.set(account, new FakeJetStream(SEED_FLEET));
    await ports.get("APP")?.create({ name: "ORDERS" });
    await ports.get("BILLING")?.create({ name: "BILLS" });
  });

  it("looks at a stream in its own account", async () => {
    expect(await check(both)).toEqual([]);
    expect(said).not.toHaveBeenCalled();
    const bills = ports.get("BILLING")?.streams.get("BILLS");
    if (bills) bills.messages = 7;
    expect(await check({ ...both, streams: { ORDERS: {} } })).toEqual([
      expect.stringContaining("stream BILLS is taken out of the settings, but holds 7 messages"),
    ]);
  });

  it("refuses to let an account go together with its streams", async () => {
    expect(await check({ account: "APP", streams: { ORDERS: {} } })).toEqual([
      'account BILLING is taken out of the settings, or its jetStream switched off, but has streams: BILLS; put it back, take its streams out first, run "pulumi up", then take out the account',
    ]);
  });

  it("refuses to let an account go that has streams which the settings don't know", async () => {
    const none = { ...both, streams: { ORDERS: {} } };
    const news = { account: "APP", streams: { ORDERS: {} } };
    const reasonsOf = async () => (await several.check(none, news)).failures ?? [];
    expect(await reasonsOf()).toMatchObject([
      { reason: expect.stringMatching(/has streams: BILLS; put it back, or delete them first/) },
    ]);
    ports.get("BILLING")?.streams.clear();
    expect(await reasonsOf()).toEqual([]);
    ports.get("BILLING")?.failures.push(new ClusterUnreachable("no NATS server answers"));
    expect(await reasonsOf()).toEqual([]);
    expect(said.mock.calls.flat().join()).toMatch(/what account BILLING holds is unknown/);
  });

  it("refuses to switch the first account off while it has streams", async () => {
    const news = { ...both, firstIsOff: true as const, streams: { BILLS: { account: "BILLING" } } };
    expect(await check(news)).toEqual([expect.stringMatching(/^account APP is taken out/)]);
  });

  it("refuses another name for the first account while it has streams", async () => {
    const renamed = { ...both, account: "APP2" };
    expect(await check(renamed)).toEqual([expect.stringMatching(/^account APP is taken out/)]);
  });
});

test("a roster remembers accounts and streams that are not the first one's", () => {
  const plan = planCluster(
    parseSettings(
      {
        accounts: { BILLING: {}, QUIET: { jetStream: false } },
        streams: {
          ORDERS: { subjects: ["orders"], allowDataLoss: true },
          BILLS: { account: "BILLING", subjects: ["bills"] },
        },
      },
      { project: "nats-regions", stack: "dev" },
    ),
  );
  expect(rosterOf(plan)).toEqual({
    account: "APP",
    otherAccounts: ["BILLING"],
    streams: { ORDERS: { allowDataLoss: true }, BILLS: { account: "BILLING" } },
  });
});

describe("streams of one name in two accounts", () => {
  const plan = planCluster(
    parseSettings(
      {
        accounts: { BILLING: {} },
        streams: { ORDERS: {}, BILLS: { stream: "ORDERS", account: "BILLING" } },
      },
      { project: "nats-regions", stack: "dev" },
    ),
  );
  const olds = rosterOf(plan);
  const ports = new Map<string, FakeJetStream>();
  const lifecycle = rosterLifecycle((account) => {
    const port = ports.get(account);
    if (!port) throw new Error(`nobody was to ask in ${account}`);
    return port;
  }, new Handovers());
  const check = (news: RosterInputs) => lifecycle.check(olds, news);
  const { ORDERS = {}, BILLS = {} } = olds.streams;
  const taken = (messages: number) =>
    `stream ORDERS is taken out of the settings, but holds ${messages} messages`;

  beforeEach(async () => {
    for (const [account, messages] of [
      ["APP", 5],
      ["BILLING", 7],
    ] as const) {
      const port = new FakeJetStream(SEED_FLEET);
      await port.create({ name: "ORDERS" });
      const stream = port.streams.get("ORDERS");
      if (stream) stream.messages = messages;
      ports.set(account, port);
    }
  });

  test("are remembered by their keys", () => {
    expect(olds).toEqual({
      account: "APP",
      otherAccounts: ["BILLING"],
      streams: { ORDERS: {}, BILLS: { account: "BILLING", stream: "ORDERS" } },
    });
    expect(desiredDigests(plan.streams)).toEqual({
      ORDERS: expect.any(String),
      BILLS: expect.any(String),
    });
    expect(subjectsOf(plan.streams)).toEqual({ ORDERS: ["ORDERS"], BILLS: ["ORDERS"] });
  });

  test("leave one without the other, each looked at in its own account", async () => {
    expect(await check({ ...olds, streams: { ORDERS } })).toMatchObject({
      inputs: { leaving: { BILLS: { account: "BILLING", stream: "ORDERS" } } },
      failures: [{ reason: expect.stringContaining(taken(7)) }],
    });
    expect(await check({ ...olds, streams: { BILLS } })).toMatchObject({
      inputs: { leaving: { ORDERS: {} } },
      failures: [{ reason: expect.stringContaining(taken(5)) }],
    });
  });

  test("aren't told to leave a mirror behind that mirrors the other", async () => {
    const COPY = { account: "BILLING" };
    const news = { ...olds, streams: { BILLS, COPY }, mirrors: { COPY: "ORDERS" } };
    expect((await check(news)).failures).toHaveLength(1);
    const both = { ...olds, streams: { ORDERS, COPY }, mirrors: { COPY: "ORDERS" } };
    expect((await check(both)).failures).toContainEqual({
      property: "",
      reason: expect.stringContaining("but COPY mirrors it"),
    });
  });

  test("stay where they get another key, which is remembered until they get another one", async () => {
    const streams = { MAIN: { stream: "ORDERS" }, BILLS };
    const { inputs, failures } = await check({ ...olds, streams });
    expect(failures).toEqual([]);
    expect(inputs).toEqual({ ...olds, streams, renamed: { MAIN: "ORDERS" } });
    const again = await lifecycle.check(inputs, { ...olds, streams });
    expect(again).toEqual({ inputs, failures: [] });
    expect((await lifecycle.check(inputs, olds)).inputs).toEqual({
      ...olds,
      renamed: { ORDERS: "MAIN" },
    });
    const one = { ...olds, streams: { BILLS } };
    expect((await lifecycle.check(inputs, one)).inputs).not.toHaveProperty("renamed");
  });
});

test("a roster has nothing of keys and names where they are the same, as states have them that exist", () => {
  const names = fc.uniqueArray(fc.constantFrom("A", "B", "C", "constructor"), { minLength: 1 });
  const stream = fc.record(
    { account: fc.constantFrom("APP", "BILLING"), allowDataLoss: fc.boolean() },
    { requiredKeys: [] },
  );
  const streams = names.chain((all) =>
    fc.tuple(...all.map((name) => stream.map((settings) => [name, settings] as const))),
  );
  fc.assert(
    fc.property(streams, fc.boolean(), (entries, spellsOut) => {
      const settings = Object.fromEntries(
        entries.map(([name, each]) => [name, spellsOut ? { ...each, stream: name } : each]),
      );
      const plan = planCluster(
        parseSettings(
          { accounts: { BILLING: {} }, streams: settings },
          { project: "nats-regions", stack: "dev" },
        ),
      );
      expect(plan.streams.map(({ key }) => key)).toEqual(plan.streams.map(({ name }) => name));
      const entry = ({ account, allowDataLoss }: (typeof entries)[number][1]) => ({
        ...(account === "BILLING" ? { account } : {}),
        ...(allowDataLoss ? { allowDataLoss } : {}),
      });
      expect(JSON.stringify(rosterOf(plan).streams)).toBe(
        JSON.stringify(Object.fromEntries(entries.map(([name, each]) => [name, entry(each)]))),
      );
      expect(renamingsOf(rosterOf(plan), rosterOf(plan))).toEqual({});
    }),
  );
});

test("a roster remembers that the first account has no streams", () => {
  const settings = parseSettings(
    {
      accounts: { APP: { jetStream: false }, BILLING: {} },
      streams: { BILLS: { account: "BILLING", subjects: ["bills"] } },
    },
    { project: "nats-regions", stack: "dev" },
  );
  const roster = rosterOf(planCluster(settings));
  expect(roster).toMatchObject({ account: "APP", firstIsOff: true });
  expect(accountsOf(roster)).toEqual(["BILLING"]);
});

describe("diff", () => {
  it.each([
    ["the same", {}, false],
    ["another stream", { streams: { ORDERS: {}, EVENTS: {} } }, true],
    ["a first account that is off", { firstIsOff: true }, true],
    ["a permission", { streams: { ORDERS: { allowDataLoss: true } } }, true],
  ] as const)("%s", async (_, change, changes) => {
    const olds = roster({ ORDERS: {} });
    expect(await lifecycle.diff("APP", olds, { ...olds, ...change })).toEqual({ changes });
  });
});
