import { beforeEach, describe, expect, test } from "vitest";
import { JetStreamUnavailable } from "../../../live/jetstream/jetstream.ts";
import type {
  ConsumerInputs,
  ConsumerOutputs,
} from "../../../providers/consumers/consumer-inputs.ts";
import { consumerLifecycle } from "../../../providers/consumers/consumer-lifecycle.ts";
import { UNKNOWN } from "../../../providers/process/unknown.ts";
import { FakeConsumers } from "../../support/fake-consumers.ts";
import { FakeJetStream } from "../../support/fake-jetstream.ts";

const FLEET = {
  cluster: "c1",
  uniqueTag: "",
  servers: [{ name: "n1", cluster: "c1", tags: [] }],
};
const WANTED: ConsumerInputs = {
  account: "APP",
  stream: "ORDERS",
  consumer: "worker",
  config: { name: "worker", max_deliver: 5 },
  policy: {},
};
const SILENCE = new JetStreamUnavailable("JetStream does not answer");

let streams: FakeJetStream;
let consumers: FakeConsumers;
let said: string[];

/** The lifecycle in the process of an `up` of its own. */
function process(patience = 50) {
  const options = { pause: 0, silence: 20, patience, say: (line: string) => said.push(line) };
  return consumerLifecycle(() => ({ streams, consumers }), options);
}

async function refusals(
  olds: Partial<ConsumerInputs>,
  news: ConsumerInputs = WANTED,
): Promise<string[]> {
  const { failures = [] } = await process().check(olds, news);
  return failures.map(({ reason }) => reason);
}

async function born(inputs: ConsumerInputs = WANTED): Promise<ConsumerOutputs> {
  return (await process().create(inputs)).outs;
}

beforeEach(async () => {
  streams = new FakeJetStream(FLEET);
  consumers = new FakeConsumers();
  said = [];
  await streams.create({ name: "ORDERS", subjects: ["orders.*"] });
});

describe("a consumer that is there already", () => {
  test("is taken up if it is equal, as after an up that was killed", async () => {
    const { created } = await born();
    expect((await born()).created).toBe(created);
    expect(said).toEqual([]);
  });

  test("is refused if it differs, with where it stands", async () => {
    consumers.add({ name: "worker" }, { ack_floor: { consumer_seq: 3, stream_seq: 7 } });
    const [refusal] = await refusals({});
    expect(refusal).toContain("all is acknowledged up to sequence 7");
    expect(refusal).toContain("maxDeliver: unlimited → 5); set adopt: true");
    await expect(born()).rejects.toThrow("set adopt: true");
    expect(consumers.requests).toEqual(["create worker"]);
  });

  test("is adopted if it may be", async () => {
    consumers.add({ name: "worker" });
    const adopting = { ...WANTED, policy: { adopt: true } } as const;
    expect(await refusals({}, adopting)).toEqual([]);
    expect(said).toEqual([expect.stringContaining("is there already, and is adopted")]);
    await born(adopting);
    expect(consumers.consumers.get("worker")?.config.max_deliver).toBe(5);
  });
});

describe("a consumer that is replaced", () => {
  test("stays: its creation takes it up, and its deletion deletes nothing", async () => {
    const outs = await born();
    const run = process();
    await run.check(outs, WANTED);
    await run.check({}, WANTED);
    const made = await run.create(WANTED);
    await run.delete("", outs);
    expect(made.outs.created).toBe(outs.created);
    expect(consumers.requests).not.toContain("delete worker");
    expect(said).toEqual([expect.stringContaining("only an older note of it")]);
  });
});

describe("a consumer that leaves", () => {
  test("is deleted", async () => {
    await process().delete("", await born());
    expect(consumers.consumers.size).toBe(0);
  });

  test("is gone already: that is no error", async () => {
    const outs = await born();
    consumers.consumers.clear();
    await process().delete("", outs);
  });

  test("is never deleted while nobody knows where it stands", async () => {
    const outs = await born();
    consumers.failure = SILENCE;
    await expect(process().delete("", outs)).rejects.toThrow(
      "consumer worker of stream ORDERS can't be deleted",
    );
    consumers.failure = undefined;
    expect(consumers.consumers.size).toBe(1);
  });
});

describe("a refresh", () => {
  test("finds out that it is gone, and says nothing of the kind while nobody answers", async () => {
    const outs = await born();
    consumers.failure = SILENCE;
    expect(await process().read("", outs)).toMatchObject({ id: "ORDERS.worker", props: outs });
    consumers.failure = undefined;
    consumers.consumers.clear();
    expect(await process().read("", outs)).toEqual({ id: "" });
  });

  test("shows what was changed behind its back, and that alone", async () => {
    const outs = await born();
    consumers.add({ ...WANTED.config, ack_wait: 5_000_000_000 });
    const { inputs } = await process().read("", outs);
    expect(inputs.config).toEqual({ ...WANTED.config, ack_wait: 5_000_000_000 });
  });
});

describe("a preview", () => {
  test("names one that is gone", async () => {
    const outs = await born();
    consumers.consumers.clear();
    expect(await refusals(outs)).toEqual([]);
    expect(said).toEqual([expect.stringContaining("was there after the last up, and is gone")]);
  });

  test("refuses another name, stream or account", async () => {
    const outs = await born();
    expect(await refusals(outs, { ...WANTED, consumer: "other" })).toEqual([
      expect.stringContaining(`consumer: "worker" can't become "other" without losing where`),
    ]);
  });

  test("says that nobody knows where it stands, and refuses what it would refuse anyway", async () => {
    const outs = await born();
    consumers.failure = SILENCE;
    const news = { ...WANTED, config: { ...WANTED.config, max_waiting: 5 } };
    expect(await refusals(outs, news)).toEqual([
      expect.stringContaining("where it stands is unknown: put it back"),
    ]);
    expect(said).toEqual([expect.stringContaining("is unknown: JetStream does not answer")]);
  });

  test("waits with what isn't known yet", async () => {
    const news = { ...WANTED, account: UNKNOWN };
    expect(await process().check({}, news)).toEqual({ inputs: news });
    expect(await process().diff("", await born(), news)).toEqual({ changes: true });
  });

  test("refuses to send elsewhere while somebody listens", async () => {
    const push = { ...WANTED, config: { name: "worker", deliver_subject: "to.here" } };
    const outs = await born(push);
    consumers.add(push.config, { push_bound: true });
    const news = { ...push, config: { ...push.config, deliver_subject: "to.there" } };
    expect(await refusals(outs, news)).toEqual([
      "deliverSubject: to.here → to.there: somebody subscribes to to.here; stop the clients of consumer worker of stream ORDERS first",
    ]);
  });

  test("refuses to make one anew whose place nobody can tell", async () => {
    const last: ConsumerInputs = {
      ...WANTED,
      config: { name: "worker", deliver_policy: "last" },
      policy: { recreate: "atAckFloor" },
    };
    const outs = await born(last);
    const delivered = { consumer_seq: 2, stream_seq: 9 };
    consumers.add(last.config, { delivered, num_ack_pending: 2 });
    const news = { ...last, config: { ...last.config, max_waiting: 5 } };
    expect(await refusals(outs, news)).toEqual([
      expect.stringContaining("nothing that it delivered is acknowledged"),
    ]);
  });
});

describe("other filters", () => {
  const standing = { num_pending: 2, delivered: { consumer_seq: 5, stream_seq: 9 } };
  const filtered = (filter_subjects: string[], policy: ConsumerInputs["policy"] = {}) => ({
    ...WANTED,
    config: { name: "worker", filter_subjects },
    policy,
  });
  const judged = async (from: string[], to: string[], policy: ConsumerInputs["policy"] = {}) => {
    consumers.consumers.clear();
    const outs = await born(filtered(from, policy));
    consumers.add(outs.config, standing);
    return await refusals(outs, filtered(to, policy));
  };

  test("that leave out what a stream keeps for the consumer alone are refused", async () => {
    await streams.update({ name: "ORDERS", subjects: ["orders.*"], retention: "interest" });
    expect(await judged(["orders.a", "orders.b"], ["orders.a"])).toEqual([
      expect.stringContaining("the stream deletes what it keeps for orders.b alone"),
    ]);
    expect(await judged(["orders.a"], ["orders.*"])).toEqual([]);
    expect(await judged(["orders.*"], ["orders.a"], { allowDataLoss: true })).toEqual([]);
  });

  test("that are added don't get what is behind the consumer, which is said", async () => {
    expect(await judged(["orders.a"], ["orders.a", "orders.b"])).toEqual([]);
    expect(said).toEqual([
      'consumer worker of stream ORDERS: filterSubjects: ["orders.a"] → ["orders.a","orders.b"]: it is past the messages of orders.b up to sequence 9, they don\'t come',
    ]);
  });

  test("that leave some out of a stream which keeps messages anyway lose nothing", async () => {
    expect(await judged(["orders.a", "orders.b"], ["orders.a"])).toEqual([]);
    expect(said).toEqual([]);
  });
});

test("an update that the server accepts and doesn't keep is no success", async () => {
  const outs = await born();
  consumers.put = async () => undefined;
  const news = { ...WANTED, config: { ...WANTED.config, max_deliver: 9 } };
  await expect(process(20_000).update("", outs, news)).rejects.toThrow(
    "the server accepts maxDeliver: 5 → 9 but does not keep it",
  );
});
