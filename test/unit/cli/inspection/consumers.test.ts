import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { renderConsumers } from "../../../../cli/inspection/consumers-view.ts";
import type {
  ConsumerSighting,
  NodeAnswer,
  StreamSighting,
} from "../../../../cli/inspection/observe.ts";
import { observationsOf, planOf, reportOf } from "../../../support/cluster-report.ts";

const stream = { subjects: ["orders.*"], placement: { region: "rg2" }, replicas: 3 };
const plan = planOf({ streams: { ORDERS: { ...stream, consumers: { worker: {}, audit: {} } } } });
const bare = planOf({ streams: { ORDERS: stream } });

function seeing(
  change: (consumers: readonly ConsumerSighting[]) => readonly ConsumerSighting[],
  ofStream: Partial<StreamSighting> = {},
): Map<string, NodeAnswer> {
  return new Map(
    [...observationsOf(plan)].map(([name, answer]) => [
      name,
      {
        ...answer,
        streams: answer.streams.map((each) => ({
          ...each,
          ...ofStream,
          consumers: change(each.consumers),
        })),
      },
    ]),
  );
}

const worker = (change: Partial<ConsumerSighting>) =>
  seeing((consumers) =>
    consumers.map((each) => (each.name === "worker" ? { ...each, ...change } : each)),
  );
const down = { current: false, offline: true, pending: false, lag: 0 };

describe("consumers of streams are reported", () => {
  test("with their leader, which needn't be that of the stream, and what waits", () => {
    const [{ consumers } = { consumers: [] }] = reportOf(plan).streams;
    expect(consumers).toEqual(
      ["worker", "audit"].map((name) => ({
        name,
        verdict: "in place",
        leader: "rg2-az2",
        replicas: ["rg2-az2", "rg2-az1", "rg2-az3"].map((node) => ({
          node,
          current: true,
          lag: 0,
        })),
        pending: 34,
        ackPending: 2,
      })),
    );
    expect(reportOf(plan).ok).toBe(true);
  });

  test("as their leaders know them", () => {
    const answers = new Map(
      [...worker({ pending: 0, ackPending: 0 })].map(([name, answer]) => [
        name,
        name === "rg2-az2" ? (observationsOf(plan).get(name) ?? answer) : answer,
      ]),
    );
    expect(reportOf(plan, answers).streams[0]?.consumers?.[0]).toMatchObject({
      pending: 34,
      ackPending: 2,
    });
  });

  test.each<[string, Map<string, NodeAnswer>, string, string]>([
    [
      "gone",
      seeing((consumers) => consumers.filter(({ name }) => name !== "worker")),
      "missing",
      "ORDERS/worker: no node that answers knows this consumer.",
    ],
    [
      "without a leader",
      worker({ leader: "" }),
      "leaderless",
      "ORDERS/worker: no leader, as too few of its replicas are there to elect one.",
    ],
    [
      "without a replica",
      worker({ followers: [] }),
      "behind",
      "ORDERS/worker: 1 of 3 replicas have a server.",
    ],
    [
      "with a replica that is down",
      worker({
        followers: [
          { name: "rg2-az1", ...down },
          { name: "rg2-az3", ...down },
        ],
      }),
      "behind",
      "ORDERS/worker: the replica on rg2-az1 is not current, the replica on rg2-az3 is not current.",
    ],
  ])("as a problem: one that is %s", (_, answers, verdict, problem) => {
    const report = reportOf(plan, answers);
    expect(report.streams[0]?.consumers?.[0]).toMatchObject({ name: "worker", verdict });
    expect(report.problems).toEqual([problem]);
  });

  test("as paused, which is no problem", () => {
    const report = reportOf(plan, worker({ isPaused: true }));
    expect(report.streams[0]?.consumers?.[0]?.verdict).toBe("paused");
    expect(report.ok).toBe(true);
  });

  test("with as many replicas as they are to have", () => {
    expect(reportOf(plan, worker({ followers: [], replicaCount: 1 })).ok).toBe(true);
  });

  test("without problems of their own where their stream is ill, except for those that are gone", () => {
    const ill = seeing(
      (consumers) =>
        consumers
          .filter(({ name }) => name !== "worker")
          .map((consumer) => ({ ...consumer, followers: [] })),
      { leader: "" },
    );
    expect(reportOf(plan, ill).problems).toEqual([
      "ORDERS: no leader, as too few of its replicas are there to elect one.",
      "ORDERS/worker: no node that answers knows this consumer.",
    ]);
  });

  test("by number where they aren't this stack's", () => {
    const [seen] = reportOf(bare, observationsOf(plan)).streams;
    expect(seen).toMatchObject({ otherConsumers: 2 });
    expect(seen).not.toHaveProperty("consumers");
    expect(reportOf(bare).streams[0]).not.toHaveProperty("otherConsumers");
  });
});

describe("the table of consumers", () => {
  const plain = (width: number) => ({ width, colors: pc.createColors(false) });
  const render = (answers = observationsOf(plan), width = 100) =>
    renderConsumers(reportOf(plan, answers).streams, plain(width));

  test("says who leads, and what waits", () => {
    expect(`\n${render(worker({ isPaused: true, pending: 1234 }))}\n`).toMatchInlineSnapshot(`
      "
      consumer       leader   other replicas   pending  unacknowledged  state
      ORDERS/worker  rg2-az2  rg2-az1 rg2-az3    1,234               2  ! paused
      ORDERS/audit   rg2-az2  rg2-az1 rg2-az3       34               2  ✓ in place
      "
    `);
  });

  test("has no lines where there are no consumers", () => {
    expect(renderConsumers(reportOf(bare).streams, plain(100))).toBeUndefined();
  });

  test("counts those that aren't this stack's", () => {
    const { streams } = reportOf(bare, observationsOf(plan));
    expect(renderConsumers(streams, plain(100))).toBe(
      "Consumers that aren't this stack's: ORDERS 2",
    );
  });

  test("becomes entries on a narrow terminal", () => {
    expect(render(observationsOf(plan), 30)).toContain("ORDERS/audit\n  leader: rg2-az2\n");
  });
});
