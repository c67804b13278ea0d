import { diffConsumer, isRefused, requestedConfig } from "../../lib/consumers/consumer-diff.ts";
import type { ConsumerConfig } from "../../lib/consumers/consumer-fields.ts";
import { placeOf } from "../../lib/consumers/standing.ts";
import { type Start, startingAt, startOf } from "../../lib/consumers/start-note.ts";
import type { ConsumerInfo, ConsumerPort } from "../../live/jetstream/consumers.ts";
import { ConsumerNotFound, type JetStreamPort } from "../../live/jetstream/jetstream.ts";
import { type Pace, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";
import { describeNoPlace } from "./consumer-check.ts";
import { type ConsumerInputs, nameOf } from "./consumer-inputs.ts";
import { findConsumer } from "./find-consumer.ts";

export interface LastAcks {
  /** Milliseconds to wait for clients to acknowledge what they have. */
  readonly lastAcks: number;
}

/** The API of an account. */
export interface AccountPorts {
  readonly streams: JetStreamPort;
  readonly consumers: ConsumerPort;
}

/**
 * Name of the consumer that keeps where another one stands while that one is made anew, and by which a stream with
 * `retention: interest` keeps the messages.
 */
export function keeperOf(consumer: string): string {
  return `${consumer}-nats-regions-keeper`;
}

/** How long a consumer that is to go delivers nothing, milliseconds: if the `up` is killed, it goes on after that. */
const ASIDE_MS = 120_000;

/**
 * Makes a consumer anew if its goal can't be reached in place and its policy allows it. It continues an interrupted run
 * where that stopped.
 *
 * With `recreate: atAckFloor` the consumer delivers nothing for a moment, so that clients can acknowledge what they
 * have; the new one begins behind the last message up to which all are acknowledged. What was acknowledged beyond that
 * one comes again, and so does what wasn't acknowledged. A work queue needs no more than that: what is acknowledged is
 * gone from it.
 *
 * @returns whether anything was changed.
 */
export async function recreateConsumer(
  ports: AccountPorts,
  goal: ConsumerInputs,
  pace: Pace & LastAcks,
): Promise<boolean> {
  const { stream, consumer, policy } = goal;
  const port = ports.consumers;
  const found = await findConsumer(port, stream, consumer, pace);
  const keeper = await findConsumer(port, stream, keeperOf(consumer), pace);
  const mustGo = found !== undefined && diffConsumer(found.config, goal.config).some(isRefused);
  if (mustGo && policy.recreate) {
    await replace(ports, goal, found, pace);
    return true;
  }
  if (mustGo && policy.allowDataLoss) {
    await retry(() => port.delete(stream, consumer), pace);
    await retry(() => port.put(stream, requestedConfig(goal.config), "create"), pace);
    if (keeper) await remove(port, stream, keeper.name, pace);
    return true;
  }
  if (!keeper) {
    if (found || !policy.recreate || !(await isWorkQueue(ports, goal, pace))) return false;
    // It was deleted to be made anew; what it has to do with is what the queue still has.
    await retry(() => port.put(stream, requestedConfig(goal.config), "create"), pace);
    return true;
  }
  if (!found) {
    if (!policy.recreate) {
      throw new Error(
        `${nameOf(goal)} was being made anew, and where it stood is kept by consumer ${keeper.name}; set recreate: atAckFloor for it to go on`,
      );
    }
    await begin(port, goal, startOf(keeper.config), pace);
  }
  await remove(port, stream, keeper.name, pace);
  return true;
}

async function isWorkQueue(
  { streams }: AccountPorts,
  { stream }: ConsumerInputs,
  pace: Pace,
): Promise<boolean> {
  return (await retry(() => streams.info(stream), pace)).config.retention === "workqueue";
}

async function replace(
  ports: AccountPorts,
  goal: ConsumerInputs,
  found: ConsumerInfo,
  pace: Pace & LastAcks,
): Promise<void> {
  const { stream, consumer } = goal;
  const port = ports.consumers;
  const isQueue = await isWorkQueue(ports, goal, pace);
  const { pause_until: pausedUntil } = found.config;
  try {
    const last = await standAside(port, goal, found, pace);
    const next = placeOf(last, last.config, last.created);
    if (!next) throw new Error(describeNoPlace(goal, last));
    if (!isQueue) await keep(port, goal, next, pace);
    await retry(() => port.delete(stream, consumer), pace);
    if (isQueue) await retry(() => port.put(stream, requestedConfig(goal.config), "create"), pace);
    else await begin(port, goal, next, pace);
  } catch (error) {
    await port.pause(stream, consumer, pausedUntil).catch(() => undefined);
    throw error;
  }
  await remove(port, stream, keeperOf(consumer), pace);
}

/** Has a consumer deliver nothing, and gives clients time to acknowledge what they have. */
async function standAside(
  port: ConsumerPort,
  { stream, consumer }: ConsumerInputs,
  found: ConsumerInfo,
  pace: Pace & LastAcks,
): Promise<ConsumerInfo> {
  if (!found.paused) {
    const end = new Date(Date.now() + ASIDE_MS).toISOString();
    await retry(() => port.pause(stream, consumer, end), pace);
  }
  return await until<ConsumerInfo, ConsumerInfo>(
    async () => {
      const info = await retry(() => port.info(stream, consumer), pace);
      return info.paused && info.num_ack_pending === 0 ? { done: info } : { shown: info };
    },
    { pause: pace.pause, limit: pace.lastAcks, giveUp: (info) => info },
  );
}

/** Creates the keeper; one that an interrupted run has left may stand further back. */
async function keep(
  port: ConsumerPort,
  { stream, config }: ConsumerInputs,
  start: Start,
  pace: Pace,
): Promise<void> {
  const { filter_subject, filter_subjects } = config;
  const name = keeperOf(config.name);
  const keeper: ConsumerConfig = {
    name,
    ack_policy: "explicit",
    ...(filter_subject === undefined ? {} : { filter_subject }),
    ...(filter_subjects === undefined ? {} : { filter_subjects }),
  };
  await remove(port, stream, name, pace);
  await retry(() => port.put(stream, requestedConfig(startingAt(keeper, start)), "create"), pace);
}

/** Creates the new consumer. */
async function begin(
  port: ConsumerPort,
  { stream, config }: ConsumerInputs,
  start: Start,
  pace: Pace,
): Promise<void> {
  await retry(() => port.put(stream, requestedConfig(startingAt(config, start)), "create"), pace);
}

async function remove(
  port: ConsumerPort,
  stream: string,
  consumer: string,
  pace: Pace,
): Promise<void> {
  try {
    await retry(() => port.delete(stream, consumer), pace);
  } catch (error) {
    if (!(error instanceof ConsumerNotFound)) throw error;
  }
}
