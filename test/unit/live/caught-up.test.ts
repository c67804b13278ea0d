import { describe, expect, test } from "vitest";
import { lookAgainAtLag, type Pages, withCaughtUp } from "../../../live/monitoring/caught-up.ts";
import { parseJsz } from "../../../live/monitoring/jsz.ts";

interface Sighting {
  /** Sequence of the last message in the node's own replica. */
  readonly last: number;
  /** Sequences of its consumer: delivered, acknowledged. */
  readonly consumer?: readonly [number, number];
}

const HOSTS = ["a", "b", "c"];

/** Pages of nodes with a stream and its consumer, both led by `a`, which calls `c` behind. */
function pagesOf(seen: Readonly<Record<string, Sighting>>, more: object = {}): Pages {
  const cluster = {
    leader: "a",
    replicas: [
      { name: "b", peer: "b", current: true },
      { name: "c", peer: "c", current: false, lag: 1, ...more },
    ],
  };
  const seenBy = (name: string, { last, consumer = [0, 0] }: Sighting) => ({
    account_details: [
      {
        name: "APP",
        stream_detail: [
          {
            name: "S",
            cluster: name === "a" ? cluster : { leader: "a" },
            config: { name: "S", num_replicas: 3, storage: "file" },
            state: { messages: last, bytes: last, last_seq: last },
            consumer_detail: [
              {
                name: "work",
                cluster: name === "a" ? cluster : { leader: "a" },
                delivered: { consumer_seq: consumer[0], stream_seq: consumer[0] },
                ack_floor: { consumer_seq: consumer[1], stream_seq: consumer[1] },
              },
            ],
          },
        ],
      },
    ],
  });
  return new Map(
    Object.entries(seen).map(([name, sighting]) => [name, parseJsz(seenBy(name, sighting))]),
  );
}

/** Whether the replicas on `c` of the stream and of its consumer count as well. */
function wellOn(pages: Pages): { readonly stream: boolean; readonly consumer: boolean } {
  const isWell = (group: { readonly replicas: readonly { name: string; well: boolean }[] }) =>
    group.replicas.find(({ name }) => name === "c")?.well ?? false;
  const stream = pages.get("a")?.streams[0]?.stream;
  const [consumer] = stream?.consumer_detail ?? [];
  if (!stream || !consumer) throw new Error("no page of a");
  return { stream: isWell(stream.cluster), consumer: isWell(consumer.cluster) };
}

const EARLIER = pagesOf({ a: { last: 10 }, b: { last: 10 }, c: { last: 8 } });
const NEITHER = { stream: false, consumer: false };

describe("a replica that its leader doesn't call current", () => {
  test("is well with all that the leader had before", () => {
    const now = pagesOf({ a: { last: 14 }, b: { last: 14 }, c: { last: 10 } });
    expect(wellOn(withCaughtUp(now, EARLIER))).toEqual({ stream: true, consumer: false });
  });

  test("lags while it lacks some of it, and goes on lagging if it stands still", () => {
    const now = pagesOf({ a: { last: 14 }, b: { last: 14 }, c: { last: 9 } });
    expect(wellOn(withCaughtUp(now, EARLIER))).toEqual(NEITHER);
    const later = pagesOf({ a: { last: 18 }, b: { last: 18 }, c: { last: 10 } });
    expect(wellOn(withCaughtUp(later, now))).toEqual(NEITHER);
  });

  test("lags if nothing is on its way: it lacks something else than messages", () => {
    const still = { a: { last: 10 }, b: { last: 10 }, c: { last: 10 } };
    expect(wellOn(withCaughtUp(pagesOf(still), pagesOf(still)))).toEqual(NEITHER);
  });

  test("lags if it is offline, or being added, whatever it has", () => {
    const seen = { a: { last: 14 }, b: { last: 14 }, c: { last: 14 } };
    for (const state of [{ offline: true }, { pending: true }]) {
      expect(wellOn(withCaughtUp(pagesOf(seen, state), EARLIER))).toEqual(NEITHER);
    }
  });

  test("lags if its own server doesn't answer, or its leader didn't before", () => {
    const now = { a: { last: 14 }, b: { last: 14 } };
    expect(wellOn(withCaughtUp(pagesOf(now), EARLIER))).toEqual(NEITHER);
    const whole = pagesOf({ ...now, c: { last: 14 } });
    expect(wellOn(withCaughtUp(whole, pagesOf({ b: { last: 10 } })))).toEqual(NEITHER);
  });

  test("of a consumer has both what was delivered and what was acknowledged", () => {
    const before = pagesOf({ a: { last: 9, consumer: [20, 18] }, c: { last: 9 } });
    const later = (...consumer: [number, number]) =>
      pagesOf({ a: { last: 9, consumer: [24, 22] }, c: { last: 9, consumer } });
    expect(wellOn(withCaughtUp(later(20, 18), before))).toEqual({ stream: false, consumer: true });
    expect(wellOn(withCaughtUp(later(24, 17), before))).toEqual(NEITHER);
    expect(wellOn(withCaughtUp(later(19, 18), before))).toEqual(NEITHER);
  });
});

describe("a second look", () => {
  const now = pagesOf({ a: { last: 14 }, b: { last: 14 }, c: { last: 11 } });

  test("is taken of the nodes that answered, if a replica is behind", async () => {
    const asked: string[] = [];
    const pages = await lookAgainAtLag(EARLIER, async (names) => {
      asked.push(...names);
      return now;
    });
    expect(asked).toEqual(HOSTS);
    expect(wellOn(pages).stream).toBe(true);
  });

  test("isn't taken for replicas that are current, offline, or on a node that doesn't answer", async () => {
    const whole = { a: { last: 10 }, b: { last: 10 }, c: { last: 10 } };
    const { c: _, ...rest } = whole;
    const quiet = [
      pagesOf(whole, { current: true }),
      pagesOf(whole, { offline: true }),
      pagesOf(rest),
    ];
    for (const pages of quiet) {
      const look = lookAgainAtLag(pages, () => Promise.reject(new Error("asked again")));
      expect(await look).toBe(pages);
    }
  });
});
