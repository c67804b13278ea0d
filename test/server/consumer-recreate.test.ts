import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requestedConfig } from "../../lib/consumers/consumer-diff.ts";
import type { ConsumerConfig } from "../../lib/consumers/consumer-fields.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { type ConsumerPort, openConsumers } from "../../live/jetstream/consumers.ts";
import type { ConsumerInputs, ConsumerOutputs } from "../../providers/consumers/consumer-inputs.ts";
import { consumerLifecycle } from "../../providers/consumers/consumer-lifecycle.ts";
import { keeperOf } from "../../providers/consumers/consumer-recreate.ts";
import { eventually } from "../support/eventually.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";
import { pull, pullAll } from "../support/pull-client.ts";

/** Consumers that are made anew where the server takes no change, on real servers, with kills of the `up` among it. */

const SECOND = 1_000_000_000;
type Retention = NonNullable<StreamConfig["retention"]>;

let opened: OpenCluster;
let port: ConsumerPort;
let streams = 0;

beforeAll(async () => {
  opened = await openCluster(
    [1, 2, 3].map((number) => ({ name: `n${number}`, cluster: "c1", tags: [`az:${number}`] })),
  );
  port = openConsumers(opened.cluster.connection, opened.cluster.account);
});

afterAll(() => opened.close());

/** The lifecycle in the process of an `up` of its own. */
function lifecycleOf(consumers: ConsumerPort = port, lastAcks = 200) {
  return consumerLifecycle(() => ({ streams: opened.port, consumers }), {
    lastAcks,
    pause: 20,
    silence: 2_000,
    say: () => undefined,
  });
}

/** A stream of its own with a consumer that has a policy. */
async function newConsumer(
  retention: Retention,
  config: Omit<ConsumerConfig, "name"> = {},
  policy: ConsumerInputs["policy"] = { recreate: "atAckFloor" },
): Promise<ConsumerOutputs> {
  streams += 1;
  const stream = `STREAM${streams}`;
  await opened.port.create({
    name: stream,
    subjects: [`s${streams}.>`],
    num_replicas: 3,
    retention,
  });
  const { account } = opened.cluster;
  const consumer = "worker";
  const inputs = { account, stream, consumer, config: { name: consumer, ...config }, policy };
  return (await lifecycleOf().create(inputs)).outs;
}

async function publish({ stream }: ConsumerOutputs, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    await opened.client.request(`${stream.replace("STREAM", "s")}.m`, `${number}`);
  }
}

/** Delivers ten messages, and acknowledges some of them. */
async function acknowledge(
  { stream, consumer }: ConsumerOutputs,
  numbers: readonly number[],
): Promise<void> {
  for (let count = 0; count < 10; count += 1) {
    const delivery = await pull(opened.client, stream, consumer);
    if (delivery && numbers.includes(delivery.sequence)) await delivery.ack();
  }
}

function withConfig(outs: ConsumerOutputs, config: Partial<ConsumerConfig>): ConsumerInputs {
  const { leader: _, replicas: __, created: ___, ...inputs } = outs;
  return { ...inputs, config: { ...inputs.config, ...config } };
}

async function update(
  olds: ConsumerOutputs,
  news: ConsumerInputs,
  lastAcks?: number,
): Promise<ConsumerOutputs> {
  const lifecycle = lifecycleOf(port, lastAcks);
  const { failures = [] } = await lifecycle.check(olds, news);
  expect(failures).toEqual([]);
  return (await lifecycle.update("", olds, news)).outs as ConsumerOutputs;
}

async function sequencesFrom({ stream, consumer }: ConsumerOutputs): Promise<number[]> {
  return (await pullAll(opened.client, stream, consumer)).map(({ sequence }) => sequence);
}

/** Neither a preview nor a refresh finds anything to do, and nothing is left behind. */
async function expectSettled(outs: ConsumerOutputs, news: ConsumerInputs): Promise<void> {
  const lifecycle = lifecycleOf();
  expect(await lifecycle.diff("", outs, news)).toMatchObject({ changes: false });
  expect((await lifecycle.read("", outs)).inputs).toEqual(news);
  expect(await port.names(outs.stream)).toEqual(["worker"]);
}

describe.each<[Retention, readonly number[]]>([
  // The stream still has what was acknowledged beyond the floor.
  ["limits", [6, 7, 8, 9, 10]],
  ["interest", [6, 7, 9, 10]],
  ["workqueue", [6, 7, 9, 10]],
])("with retention %s", (retention, again) => {
  const after = Array.from({ length: 10 }, (_, index) => index + 11);

  it("goes on behind what is acknowledged, and changes in place as ever afterwards", async () => {
    const born = await newConsumer(retention);
    await publish(born, 1, 20);
    await acknowledge(born, [1, 2, 3, 4, 5, 8]);
    const news = withConfig(born, { max_waiting: 100 });
    const made = await update(born, news);
    expect(made.created).not.toBe(born.created);
    await expectSettled(made, news);
    expect(await sequencesFrom(made)).toEqual([...again, ...after]);
    const described = withConfig(made, { description: "other fields change as ever" });
    const changed = await update(made, described);
    expect(changed.created).toBe(made.created);
    await expectSettled(changed, described);
  });

  it("loses nothing that is published meanwhile", async () => {
    const born = await newConsumer(retention);
    await publish(born, 1, 10);
    await acknowledge(born, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const meanwhile = publish(born, 11, 60);
    const made = await update(born, withConfig(born, { ack_policy: "explicit", max_waiting: 100 }));
    await meanwhile;
    const expected = Array.from({ length: 50 }, (_, index) => index + 11);
    expect(await sequencesFrom(made)).toEqual(expected);
  });

  it.each(Array.from({ length: 7 }, (_, index) => index + 1))(
    "loses nothing if the up is killed before its request %i",
    async (last) => {
      const born = await newConsumer(retention);
      await publish(born, 1, 20);
      await acknowledge(born, [1, 2, 3, 4, 5, 8]);
      const news = withConfig(born, { max_waiting: 100 });
      await lifecycleOf(killedBefore(last))
        .update("", born, news)
        .catch(() => undefined);
      await publish(born, 21, 22);
      const made = await update(born, news);
      await expectSettled(made, news);
      expect(await sequencesFrom(made)).toEqual([...again, ...after, 21, 22]);
    },
  );
});

/** A port whose process ends before the n-th request that changes something. */
function killedBefore(request: number): ConsumerPort {
  let left = request - 1;
  const orEnd = <Args extends readonly unknown[]>(work: (...args: Args) => Promise<void>) => {
    return (...args: Args): Promise<void> => {
      if (left === 0) return Promise.reject(new Error("killed"));
      left -= 1;
      return work(...args);
    };
  };
  return { ...port, put: orEnd(port.put), pause: orEnd(port.pause), delete: orEnd(port.delete) };
}

it("keeps where it stands when its beginning changes, whatever that is", async () => {
  const born = await newConsumer("limits");
  await publish(born, 1, 12);
  await acknowledge(born, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const fromNew = withConfig(born, { deliver_policy: "new" });
  const made = await update(born, fromNew);
  await expectSettled(made, fromNew);
  const bySequence = withConfig(made, { deliver_policy: "by_start_sequence", opt_start_seq: 3 });
  const again = await update(made, bySequence);
  await expectSettled(again, bySequence);
  expect(await sequencesFrom(again)).toEqual([11, 12]);
});

it("goes on where one began that has delivered, but got no acknowledgement", async () => {
  const born = await newConsumer("limits", {
    deliver_policy: "by_start_sequence",
    opt_start_seq: 3,
  });
  await publish(born, 1, 5);
  expect(await sequencesFrom(born)).toEqual([3, 4, 5]);
  const made = await update(born, withConfig(born, { max_waiting: 100 }));
  expect(await sequencesFrom(made)).toEqual([3, 4, 5]);
  await publish(born, 6, 6);
  const sinceThen = await update(
    made,
    withConfig(made, { deliver_policy: "new", opt_start_seq: 0 }),
  );
  expect(await sequencesFrom(sinceThen)).toEqual([3, 4, 5, 6]);
});

it("goes on with what came in since one began that takes new messages", async () => {
  const stream = await newConsumer("limits");
  await publish(stream, 1, 3);
  const { account, stream: name } = stream;
  const config: ConsumerConfig = { name: "late", deliver_policy: "new" };
  const policy = { recreate: "atAckFloor" } as const;
  const late = { account, stream: name, consumer: "late", config, policy };
  const { outs } = await lifecycleOf().create(late);
  await publish(stream, 4, 5);
  expect(await sequencesFrom(outs)).toEqual([4, 5]);
  const made = await update(outs, withConfig(outs, { max_waiting: 100 }));
  expect(await sequencesFrom(made)).toEqual([4, 5]);
});

it.each(["none", "all"] as const)("goes on where one that acknowledges %s stands", async (acks) => {
  const born = await newConsumer("limits", { ack_policy: acks });
  await publish(born, 1, 12);
  const deliveries = await Promise.all(
    Array.from({ length: 8 }, () => pull(opened.client, born.stream, born.consumer)),
  );
  const eighth = deliveries.find((each) => each?.sequence === 8);
  if (acks === "all") await eighth?.ack();
  const news = withConfig(born, { max_waiting: 100 });
  const made = await update(born, news);
  await expectSettled(made, news);
  expect(await sequencesFrom(made)).toEqual([9, 10, 11, 12]);
});

it("waits for clients that have messages, so that none comes again that they acknowledge then", async () => {
  const born = await newConsumer("limits");
  await publish(born, 1, 3);
  const first = await pull(opened.client, born.stream, born.consumer, 5_000);
  expect(first?.sequence).toBe(1);
  const made = update(born, withConfig(born, { max_waiting: 100 }), 20_000);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await first?.ack();
  expect(await sequencesFrom(await made)).toEqual([2, 3]);
});

it("is refused without recreate, and told where it stands", async () => {
  const born = await newConsumer("limits", {}, {});
  await publish(born, 1, 12);
  await acknowledge(born, [1, 2, 3]);
  const { failures = [] } = await lifecycleOf().check(born, withConfig(born, { max_waiting: 100 }));
  expect(failures.map(({ reason }) => reason)).toEqual([
    "maxWaiting: 512 → 100: it is fixed when the consumer is created; consumer worker of stream " +
      `${born.stream}: all is acknowledged up to sequence 3; 2 messages wait for delivery, 7 for acknowledgement: put it back, or have the consumer made anew: recreate: atAckFloor goes on where it stands, allowDataLoss: true lets that go`,
  ]);
});

it("begins anew with allowDataLoss", async () => {
  const born = await newConsumer("limits", {}, { allowDataLoss: true });
  await publish(born, 1, 10);
  await acknowledge(born, [1, 2, 3]);
  const made = await update(born, withConfig(born, { max_waiting: 100 }));
  expect(await sequencesFrom(made)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it("names what keeps its place if recreate is taken back after a kill", async () => {
  const born = await newConsumer("limits");
  await publish(born, 1, 10);
  await acknowledge(born, [1, 2, 3]);
  const news = withConfig(born, { max_waiting: 100 });
  // Pause, no former keeper, keeper, deletion; killed before the new one.
  await lifecycleOf(killedBefore(5))
    .update("", born, news)
    .catch(() => undefined);
  expect(await port.names(born.stream)).toEqual([keeperOf("worker")]);
  await expect(lifecycleOf().update("", born, { ...news, policy: {} })).rejects.toThrow(
    `consumer ${keeperOf("worker")}; set recreate: atAckFloor for it to go on`,
  );
});

describe("a consumer of a stream that keeps messages for it alone", () => {
  it("keeps filters by which the stream would drop some", async () => {
    const all = { filter_subjects: ["s.>"] };
    const born = await newConsumer("interest", {}, {});
    await publish(born, 1, 3);
    const narrowed = withConfig(born, all);
    const { failures = [] } = await lifecycleOf().check(born, narrowed);
    expect(failures).toEqual([
      expect.objectContaining({ reason: expect.stringContaining("what it keeps for > alone") }),
    ]);
    // That is what the server does.
    await port.put(born.stream, requestedConfig(narrowed.config), "update");
    await eventually(async () => (await opened.port.info(born.stream)).state.messages === 0);
  });

  it("is not deleted while it waits for some", async () => {
    const born = await newConsumer("interest", {}, {});
    await publish(born, 1, 2);
    await expect(lifecycleOf().delete("", born)).rejects.toThrow(
      "the stream would drop messages that it keeps for this one (all is acknowledged up to sequence 0; 2 messages wait",
    );
    await lifecycleOf().delete("", { ...born, policy: { allowDataLoss: true } });
    expect(await port.names(born.stream)).toEqual([]);
  });

  it("is deleted once it waits for none", async () => {
    const born = await newConsumer("interest", { ack_wait: SECOND }, {});
    await publish(born, 1, 1);
    await (await pull(opened.client, born.stream, born.consumer))?.ack();
    await lifecycleOf().delete("", born);
    expect(await port.names(born.stream)).toEqual([]);
  });
});
