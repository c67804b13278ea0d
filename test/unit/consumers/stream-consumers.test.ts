import { describe, expect, test } from "vitest";
import { formatProblem, PlanError } from "../../../lib/base/errors.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";

function plan(stream: object, others: object = {}) {
  const settings = { ...others, streams: { ORDERS: { subjects: ["orders.*"], ...stream } } };
  return planCluster(parseSettings(settings, { project: "app", stack: "dev" }));
}

function problemsOf(stream: object, others: object = {}): string[] {
  try {
    plan(stream, others);
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.problems.map(formatProblem);
    throw error;
  }
}

describe("consumers in the settings", () => {
  test("are compiled with their stream", () => {
    const [stream] = plan({
      replicas: 3,
      consumers: {
        worker: { filterSubjects: ["orders.new"], backoff: ["1s", "5s"], maxExpires: "1m" },
        audit: { deliverPolicy: "new", recreate: "atAckFloor", adopt: true },
      },
    }).streams;
    expect(stream?.consumers).toEqual([
      {
        name: "worker",
        config: {
          name: "worker",
          filter_subjects: ["orders.new"],
          backoff: [1_000_000_000, 5_000_000_000],
          max_expires: 60_000_000_000,
        },
        policy: {},
      },
      {
        name: "audit",
        config: { name: "audit", deliver_policy: "new" },
        policy: { adopt: true, recreate: "atAckFloor" },
      },
    ]);
  });

  test.each<[string, object, string]>([
    [
      "more replicas than their stream",
      { consumers: { w: { replicas: 3 } } },
      "streams.ORDERS.consumers.w.replicas: 3 is more than its stream has: 1; use 1 at most, or leave it out: it has as many as its stream then",
    ],
    [
      "fewer replicas than a stream that keeps messages for them",
      { replicas: 3, retention: "interest", consumers: { w: { replicas: 1 } } },
      "streams.ORDERS.consumers.w.replicas: with retention: interest a consumer has as many as its stream: 3; leave it out",
    ],
    [
      "a name that can't be",
      { consumers: { "a.b": {} } },
      `streams.ORDERS.consumers.a.b: "a.b" can't name a consumer; leave out blanks and . * > / \\`,
    ],
    [
      "messages that another one of a work queue takes",
      {
        retention: "workqueue",
        consumers: { a: { filterSubjects: ["orders.new"] }, b: { filterSubjects: ["orders.*"] } },
      },
      "streams.ORDERS.consumers.b.filterSubjects: takes messages that a takes, too, and each of a work queue's goes to one consumer; give them filterSubjects that have nothing in common",
    ],
    [
      "a subject that comes back",
      { consumers: { w: { deliverSubject: "orders.back" } } },
      `streams.ORDERS.consumers.w.deliverSubject: "orders.back" comes back into the stream by its subject "orders.*"; use one that the stream does not take`,
    ],
    [
      "more than the stream's limit",
      { consumerLimits: { maxAckPending: 10 }, consumers: { w: { maxAckPending: 11 } } },
      "streams.ORDERS.consumers.w.maxAckPending: 11 is more than the stream's consumerLimits.maxAckPending: 10; use 10 at most, or raise that",
    ],
    [
      "one more than the stream may have",
      { maxConsumers: 1, consumers: { a: {}, b: {} } },
      "streams.ORDERS.maxConsumers: 1 is less than the 2 consumers that the settings have; raise it, or take consumers out",
    ],
    [
      "labels of the stack's own",
      { consumers: { w: { metadata: { "nats-regions.start": "new" } } } },
      `streams.ORDERS.consumers.w.metadata: "nats-regions.start" is the stack's own; leave out names that begin with nats-regions.`,
    ],
  ])("are refused with %s", (_, stream, problem) => {
    expect(problemsOf(stream)).toEqual([problem]);
  });

  test("go by the limits of the account and of the servers", () => {
    const accounts = { APP: { jetStream: { maxAckPending: 200 } } };
    const stream = { consumers: { w: {} } };
    const [planned] = plan(stream, { accounts, maxAckPending: 300, maxRequestBatch: 10 }).streams;
    expect(planned?.consumers[0]?.config).toEqual({
      name: "w",
      max_ack_pending: 200,
      max_batch: 10,
    });
    expect(problemsOf({ consumers: { w: { maxAckPending: 250 } } }, { accounts })).toEqual([
      "streams.ORDERS.consumers.w.maxAckPending: 250 is more than the account or the servers allow: 200; use 200 at most, or raise that",
    ]);
  });

  test("warn of what they would never get, and of what takes them away", () => {
    const { notices } = plan({
      replicas: 3,
      consumers: { w: { filterSubjects: ["invoices.*"], inactiveThreshold: "1h" } },
    });
    expect(notices.filter((notice) => notice.includes("consumer w"))).toEqual([
      'ORDERS: consumer w gets nothing by "invoices.*": the stream takes no such subject',
      "ORDERS: consumer w is deleted by the servers, with where it stands, once nobody has used it for 1h (inactiveThreshold)",
    ]);
  });

  test("can't be called what no map of ours holds", () => {
    const consumers: unknown = JSON.parse('{ "__proto__": {} }');
    expect(problemsOf({ consumers })).toEqual([
      "streams.ORDERS.consumers.__proto__: no consumer can be called that",
    ]);
  });
});
