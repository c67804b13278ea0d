import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { JetStreamPort } from "../../live/jetstream/jetstream.ts";
import { Handovers } from "../../providers/streams/handovers.ts";
import { rosterLifecycle } from "../../providers/streams/roster-lifecycle.ts";
import type { StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import type { TestCluster } from "../support/nats-cluster.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";

let opened: OpenCluster;
let cluster: TestCluster;
let port: JetStreamPort;
let client: NatsConnection;

beforeAll(async () => {
  opened = await openCluster();
  ({ cluster, port, client } = opened);
});

afterAll(() => opened.close());

afterEach(async () => {
  state = {};
  for (const stream of await port.names()) await port.delete(stream);
});

type Streams = Readonly<Record<string, Partial<StreamConfig>>>;

/** What the state has. */
let state: Record<string, StreamOutputs> = {};

/** An `up` as the engine makes it: the roster is checked, then all streams at once are changed; deletions come last. */
async function up(streams: Streams, { reversed = false } = {}) {
  const { account, fleet } = cluster;
  const handovers = new Handovers(1_000);
  const said: string[] = [];
  const lifecycle = streamLifecycle(() => port, { handovers, say: (line) => said.push(line) });
  const rosterOf = (names: string[]) => ({
    account,
    streams: Object.fromEntries(names.map((name) => [name, {}])),
  });
  const subjects = Object.fromEntries(
    Object.entries(streams).map(([name, { subjects = [] }]) => [name, subjects]),
  );
  const roster = await rosterLifecycle(() => port, handovers).check(rosterOf(Object.keys(state)), {
    ...rosterOf(Object.keys(streams)),
    subjects,
  });
  const failures = [...(roster.failures ?? [])];
  const entries = Object.entries(streams);
  if (reversed) entries.reverse();
  const changes = await Promise.allSettled(
    entries.map(async ([name, change]) => {
      const config = { name, num_replicas: 3, placement: { tags: ["rg:1"] }, ...change };
      const news = { stream: name, account, config, policy: {}, fleet };
      const checked = await lifecycle.check(state[name] ?? {}, news);
      failures.push(...(checked.failures ?? []));
      if (checked.failures?.length) return;
      const { fleet: _, ...inputs } = { ...news, ...checked.inputs };
      const old = state[name];
      const { outs } = old
        ? await lifecycle.update(name, old, inputs)
        : await lifecycle.create(inputs);
      state[name] = outs as StreamOutputs;
    }),
  );
  const errors = changes.flatMap((each) =>
    each.status === "rejected" ? [(each.reason as Error).message] : [],
  );
  if (errors.length === 0 && failures.length === 0) {
    for (const name of Object.keys(state).filter((each) => !(each in streams))) {
      await lifecycle.delete(name, state[name] as StreamOutputs);
      delete state[name];
    }
  }
  return { said, errors, reasons: failures.map(({ reason }) => reason) };
}

async function subjectsNow() {
  const names = (await port.names()).sort();
  const infos = await Promise.all(names.map((name) => port.info(name)));
  return Object.fromEntries(infos.map(({ config: { name, subjects } }) => [name, subjects]));
}

const WELL = { errors: [], reasons: [] };

describe("subjects that change hands", () => {
  it.each([false, true])(
    "split, merge, swap and go to another name, last first: %s",
    async (reversed) => {
      const options = { reversed };
      expect(await up({ ORDERS: { subjects: ["orders.>"] } })).toMatchObject(WELL);
      const split = { ORDERS: { subjects: ["orders.eu.>"] }, US: { subjects: ["orders.us.>"] } };
      expect(await up(split, options)).toMatchObject(WELL);
      expect(await subjectsNow()).toEqual({ ORDERS: ["orders.eu.>"], US: ["orders.us.>"] });
      const swap = { ORDERS: { subjects: ["orders.us.>"] }, US: { subjects: ["orders.eu.>"] } };
      expect(await up(swap, options)).toMatchObject(WELL);
      expect(await subjectsNow()).toEqual({ ORDERS: ["orders.us.>"], US: ["orders.eu.>"] });
      expect(await up({ ORDERS: { subjects: ["orders.>"] } }, options)).toMatchObject(WELL);
      expect(await subjectsNow()).toEqual({ ORDERS: ["orders.>"] });
      expect(await up({ BILLS: { subjects: ["orders.>"] } }, options)).toMatchObject(WELL);
      expect(await subjectsNow()).toEqual({ BILLS: ["orders.>"] });
    },
  );

  it("are without a stream for an instant only, and no message is taken twice", async () => {
    await up({ A: { subjects: ["a.>"] }, B: { subjects: ["b.>"] } });
    let gap = 0;
    let last = Date.now();
    let acknowledged = 0;
    let isOver = false;
    const publishing = (async () => {
      while (!isOver) {
        const reply = await client.request("a.x", "", { timeout: 2_000 }).catch(() => undefined);
        if (!reply) continue;
        acknowledged += 1;
        gap = Math.max(gap, Date.now() - last);
        last = Date.now();
      }
    })();
    const outcome = await up({ A: { subjects: ["b.>"] }, B: { subjects: ["a.>"] } });
    await new Promise((resolve) => setTimeout(resolve, 200));
    isOver = true;
    await publishing;
    expect(outcome).toMatchObject(WELL);
    const kept = await Promise.all(["A", "B"].map(async (name) => (await port.info(name)).state));
    expect(kept.reduce((sum, { messages }) => sum + messages, 0)).toBe(acknowledged);
    console.info(`without a stream for ${gap} ms at most, ${acknowledged} messages`);
    expect(gap).toBeLessThan(1_000);
  });

  it("stay where they are if a stream that is to take them can't be made", async () => {
    await up({ ORDERS: { subjects: ["orders.>"] } });
    const tooLarge = { subjects: ["orders.us.>"], max_bytes: 2 ** 50 };
    const { errors } = await up({ ORDERS: { subjects: ["orders.eu.>"] }, US: tooLarge });
    expect(errors).toHaveLength(2);
    expect(errors.join()).toContain("stream US can't be made, so all subjects stay where they are");
    expect(await subjectsNow()).toEqual({ ORDERS: ["orders.>"] });
  });

  it("are refused by name where a stream outside the settings has them", async () => {
    await port.create({ name: "LOOSE", subjects: ["pay.in", "pay.out"] });
    const { reasons, errors } = await up({ PAY: { subjects: ["pay.*"] } });
    expect(errors).toEqual([]);
    expect(reasons).toEqual([
      expect.stringMatching(/^subjects: "pay.\*" can't be PAY's as long as stream LOOSE/),
    ]);
  });

  it("stay with a stream that leaves and still holds messages", async () => {
    await up({ OLD: { subjects: ["old.>"] } });
    await client.request("old.x", "", { timeout: 5_000 });
    const { reasons, errors } = await up({ NEW: { subjects: ["old.>"] } });
    expect(reasons).toEqual([expect.stringMatching(/^stream OLD is taken out/)]);
    expect(errors).toEqual([expect.stringMatching(/so its subjects stay with it/)]);
    expect(await subjectsNow()).toEqual({ OLD: ["old.>"] });
  });

  it("wait for nobody that an up leaves out", async () => {
    await up({ ORDERS: { subjects: ["orders.>"] } });
    const handovers = new Handovers(100);
    const lifecycle = streamLifecycle(() => port, { handovers });
    const subjects = { ORDERS: ["orders.eu.>"], US: ["orders.us.>"] };
    const roster = { account: cluster.account, streams: { ORDERS: {}, US: {} } };
    await rosterLifecycle(() => port, handovers).check(roster, { ...roster, subjects });
    const old = state.ORDERS as StreamOutputs;
    const news = { ...old, config: { ...old.config, subjects: ["orders.eu.>"] } };
    await lifecycle.check(old, { ...news, fleet: cluster.fleet });
    await expect(lifecycle.update("ORDERS", old, news)).rejects.toThrow(
      "stream ORDERS shares a change of subjects with US, which this up doesn't change",
    );
    expect(await subjectsNow()).toEqual({ ORDERS: ["orders.>"] });
  });

  it("are taken up by the next up where one ended in the middle", async () => {
    await port.create({
      name: "US",
      subjects: ["nats-regions-parked.US"],
      num_replicas: 3,
      placement: { tags: ["rg:1"] },
    });
    expect(await up({ US: { subjects: ["orders.us.>"] } })).toMatchObject(WELL);
    expect(await subjectsNow()).toEqual({ US: ["orders.us.>"] });
  });
});
