import { beforeEach, describe, expect, it, vi } from "vitest";
import { UNKNOWN } from "../../providers/engine.ts";
import { ClusterUnreachable } from "../../providers/jetstream.ts";
import { type Roster, rosterLifecycle } from "../../providers/roster.ts";
import { FakeJetStream } from "../support/fake-jetstream.ts";
import { SEED_FLEET } from "../support/seed.ts";

let jetStream: FakeJetStream;
let opened: number;
const lifecycle = rosterLifecycle(() => {
  opened += 1;
  return jetStream;
});
const said = vi.spyOn(console, "error").mockImplementation(() => undefined);

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

  it("tells of a stream that vanished, and of no other", async () => {
    jetStream.streams.delete("ORDERS");
    expect(await reasons(both, both)).toEqual([]);
    expect(said.mock.calls.flat()).toEqual([expect.stringContaining("stream ORDERS was there")]);
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

describe("diff", () => {
  it.each([
    ["the same", {}, false],
    ["another stream", { streams: { ORDERS: {}, EVENTS: {} } }, true],
    ["a permission", { streams: { ORDERS: { allowDataLoss: true } } }, true],
  ] as const)("%s", async (_, change, changes) => {
    const olds = roster({ ORDERS: {} });
    expect(await lifecycle.diff("APP", olds, { ...olds, ...change })).toEqual({ changes });
  });
});
