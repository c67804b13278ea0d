import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { type ConsumerPort, openConsumers } from "../../live/jetstream/consumers.ts";
import type { JetStreamPort } from "../../live/jetstream/jetstream.ts";
import { consumerLifecycle } from "../../providers/consumers/consumer-lifecycle.ts";
import { consumerHosts } from "../../providers/consumers/consumer-replicas.ts";
import { Handovers } from "../../providers/streams/handovers.ts";
import type { StreamInputs, StreamOutputs } from "../../providers/streams/stream-inputs.ts";
import { streamLifecycle } from "../../providers/streams/stream-lifecycle.ts";
import { provideServer } from "../support/older-server.ts";
import { type OpenCluster, openCluster } from "../support/open-cluster.ts";
import { pull } from "../support/pull-client.ts";
import { BINARY } from "../support/server-process.ts";

/**
 * Consumers in use while their stream moves and scales, and the `up` that does it is killed: each message is delivered,
 * none comes again whose acknowledgement was confirmed, and no ack floor goes back.
 */

const STREAM = "ORDERS";
const WORKERS = ["one", "two"] as const;
/** Nanoseconds, after which a message comes again that was lost on its way. */
const ACK_WAIT = 2_000_000_000;
/** Requests without a message, half a second each, after which none comes again. */
const IDLE = 8;

let opened: OpenCluster;
let port: ConsumerPort;

/** The lifecycle of streams in the process of an `up` of its own. */
function streamsOf(ended: AbortSignal | undefined) {
  const guard = <Args extends readonly unknown[], Result>(
    work: (...args: Args) => Promise<Result>,
  ) => {
    return (...args: Args): Promise<Result> =>
      ended?.aborted ? Promise.reject(new Error("killed")) : work(...args);
  };
  const { info, update, consumers } = opened.port;
  const guarded: JetStreamPort = {
    ...opened.port,
    info: guard(info),
    update: guard(update),
    consumers: guard(consumers),
  };
  return streamLifecycle(() => guarded, {
    pause: 50,
    say: () => undefined,
    handovers: new Handovers(),
  });
}

function configOf(region: number, replicas: number): StreamConfig {
  return {
    name: STREAM,
    subjects: ["orders.*"],
    num_replicas: replicas,
    placement: { tags: [`rg:${region}`] },
  };
}

/** @param killedAfter milliseconds after which the `up` ends; undefined: it isn't killed. */
async function change(
  olds: StreamOutputs | undefined,
  config: StreamConfig,
  killedAfter?: number,
): Promise<StreamOutputs> {
  const ended = killedAfter === undefined ? undefined : AbortSignal.timeout(killedAfter);
  const lifecycle = streamsOf(ended);
  const { account, fleet } = opened.cluster;
  const news = { stream: STREAM, account, config, policy: {}, fleet };
  const { inputs, failures = [] } = await lifecycle.check(olds ?? {}, news);
  expect(failures).toEqual([]);
  if (!olds) return (await lifecycle.create(inputs as StreamInputs)).outs;
  return (await lifecycle.update("", olds, inputs as StreamInputs)).outs as StreamOutputs;
}

/** Takes messages and acknowledges them until it is told to stop, and notes what happens. */
function work(consumer: string) {
  const delivered = new Set<number>();
  const confirmed = new Set<number>();
  const again: number[] = [];
  const floors: number[] = [];
  let isOver = false;
  const done = (async () => {
    for (let idle = 0; (!isOver || idle < IDLE) && !opened.client.isClosed(); ) {
      const delivery = await pull(opened.client, STREAM, consumer).catch(() => undefined);
      if (!delivery) {
        idle += 1;
        continue;
      }
      idle = 0;
      delivered.add(delivery.sequence);
      if (confirmed.has(delivery.sequence)) again.push(delivery.sequence);
      await delivery.ack().then(
        () => confirmed.add(delivery.sequence),
        () => undefined,
      );
      const info = await port.info(STREAM, consumer).catch(() => undefined);
      if (info) floors.push(info.ack_floor.stream_seq);
    }
  })();
  return {
    delivered,
    again,
    floors,
    stop: () => {
      isOver = true;
      return done;
    },
  };
}

/** `npm run chaos` has the oldest version, too, which moves streams by other means. */
const VERSIONS = process.env.MOVE_KILLS ? ["2.15.2", "2.14.7"] : ["2.15.2"];

describe.each(VERSIONS)("on nats-server %s", (version) => {
  beforeAll(async () => {
    const servers = [1, 2].flatMap((region) =>
      [1, 2, 3].map((zone) => ({
        name: `rg${region}-az${zone}`,
        cluster: "c1",
        tags: [`rg:${region}`, `az:${zone}`],
      })),
    );
    const isOlder = version !== "2.15.2";
    opened = await openCluster(servers, "az:", isOlder ? await provideServer(version) : BINARY);
    port = openConsumers(opened.cluster.connection, opened.cluster.account);
  }, 300_000);

  afterAll(() => opened.close());

  it("every consumer has what its stream has, wherever that goes", async () => {
    let stream = await change(undefined, configOf(1, 3));
    const consumers = consumerLifecycle(() => ({ streams: opened.port, consumers: port }), {
      pause: 50,
      say: () => undefined,
    });
    const { account } = opened.cluster;
    for (const consumer of WORKERS) {
      const config = { name: consumer, ack_wait: ACK_WAIT };
      await consumers.create({ account, stream: STREAM, consumer, config, policy: {} });
    }
    const stored: number[] = [];
    let isOver = false;
    const publishing = (async () => {
      while (!isOver && !opened.client.isClosed()) {
        const ack = await opened.client
          .request("orders.new", "order", { timeout: 2_000 })
          .then((message) => message.json<{ seq?: number }>())
          .catch(() => ({}) as { seq?: number });
        if (ack.seq !== undefined) stored.push(ack.seq);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const workers = WORKERS.map(work);

    for (const [region, replicas, killedAfter] of [
      [2, 3, 400],
      [2, 3, undefined],
      [2, 1, 300],
      [2, 1, undefined],
      [1, 1, undefined],
      [1, 3, 500],
      [1, 3, undefined],
    ] as const) {
      const config = configOf(region, replicas);
      try {
        stream = await change(stream, config, killedAfter);
      } catch (error) {
        if (killedAfter === undefined) throw error;
        continue;
      }
      // What Pulumi shows as done is done.
      for (const consumer of WORKERS) {
        const info = await port.info(STREAM, consumer);
        expect(info.cluster?.leader).toBeTruthy();
        expect(consumerHosts(info)).toEqual([...stream.replicas]);
        expect(info.cluster?.desired).toBeUndefined();
      }
    }

    isOver = true;
    await publishing;
    for (const worker of workers) {
      await worker.stop();
      expect(stored.filter((sequence) => !worker.delivered.has(sequence))).toEqual([]);
      expect(worker.again).toEqual([]);
      expect(worker.floors).toEqual(worker.floors.toSorted((a, b) => a - b));
    }
    console.log(`${stored.length} messages, ${workers.map(({ floors }) => floors.length)} looks`);
  }, 240_000);
});
