import { beforeEach, describe, expect, test } from "vitest";
import type { StreamConfig } from "../../../lib/streams/stream-fields.ts";
import type { Roster } from "../../../lib/update/remembered-streams.ts";
import { JetStreamUnavailable } from "../../../live/jetstream/jetstream.ts";
import { Handovers } from "../../../providers/streams/handovers.ts";
import { judgeLeavingConsumers } from "../../../providers/streams/leaving-consumers.ts";
import { rosterLifecycle } from "../../../providers/streams/roster-lifecycle.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";
import { SEED_FLEET } from "../../support/seed.ts";

const KEPT: Roster = { account: "APP", streams: { ORDERS: { consumers: { worker: {} } } } };
const LEFT: Roster = { account: "APP", streams: { ORDERS: {} } };

let jetStream: FakeJetStream;

async function streamWith(pending: number, change: Partial<StreamConfig> = {}): Promise<void> {
  jetStream = new FakeJetStream(SEED_FLEET);
  await jetStream.create({ name: "ORDERS", ...change });
  const standing = { delivered: { stream_seq: 7 }, ack_floor: { stream_seq: 7 } };
  jetStream.streams
    .get("ORDERS")
    ?.consumers.push({ name: "worker", num_pending: pending, num_ack_pending: 0, ...standing });
}

const judge = (olds: Roster, news: Roster) => judgeLeavingConsumers(() => jetStream, olds, news);

beforeEach(() => streamWith(3));

describe("a consumer that is taken out of the settings", () => {
  test("is deleted, and the preview says where it stands", async () => {
    expect(await judge(KEPT, LEFT)).toEqual({
      refusals: [],
      notices: [
        "consumer worker of stream ORDERS is taken out of the settings, and deleted with where it stands: all is acknowledged up to sequence 7; 3 messages wait for delivery, 0 for acknowledgement",
      ],
    });
  });

  test("stays if its stream would drop messages, which the roster refuses before anything changes", async () => {
    await streamWith(3, { retention: "interest" });
    const notes = { read: () => undefined, write: () => undefined, areAllThereIs: () => false };
    const roster = rosterLifecycle(() => jetStream, new Handovers(), notes);
    const { failures = [] } = await roster.check(KEPT, LEFT);
    expect(failures.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("the stream would drop messages that it keeps for it"),
    ]);
  });

  test("goes if that is allowed, or if it waits for nothing", async () => {
    await streamWith(3, { retention: "interest" });
    const allowed = { ORDERS: { consumers: { worker: { allowDataLoss: true } } } } as const;
    expect((await judge({ ...KEPT, streams: allowed }, LEFT)).refusals).toEqual([]);
    await streamWith(0, { retention: "interest" });
    expect(await judge(KEPT, LEFT)).toEqual({ refusals: [], notices: [] });
  });

  test("is of no concern where its stream leaves, or has only another key", async () => {
    await streamWith(3, { retention: "interest" });
    const none = { refusals: [], notices: [] };
    expect(await judge(KEPT, { account: "APP", streams: {} })).toEqual(none);
    const renamed = { SALES: { stream: "ORDERS", consumers: { worker: {} } } };
    expect(await judge(KEPT, { account: "APP", streams: renamed })).toEqual(none);
  });

  test("is said to stand nobody knows where if JetStream doesn't answer", async () => {
    jetStream.failures.push(new JetStreamUnavailable("JetStream does not answer"));
    expect(await judge(KEPT, LEFT)).toEqual({
      refusals: [],
      notices: ["where worker of stream ORDERS stand is unknown: JetStream does not answer"],
    });
  });
});
