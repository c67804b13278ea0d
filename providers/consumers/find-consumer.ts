import type { ConsumerInfo, ConsumerPort } from "../../live/jetstream/consumers.ts";
import { ConsumerNotFound, StreamNotFound } from "../../live/jetstream/jetstream.ts";
import { type Pace, retry } from "../../live/jetstream/patience.ts";

/** Observes a consumer with one request; undefined if it, or its stream, doesn't exist. */
export async function findConsumerAtOnce(
  port: ConsumerPort,
  stream: string,
  consumer: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await port.info(stream, consumer);
  } catch (error) {
    if (error instanceof ConsumerNotFound || error instanceof StreamNotFound) return undefined;
    throw error;
  }
}

/** Observes a consumer; undefined if it doesn't exist. Repeats the request while JetStream doesn't answer. */
export function findConsumer(
  port: ConsumerPort,
  stream: string,
  consumer: string,
  pace: Pace,
): Promise<ConsumerInfo | undefined> {
  return retry(() => findConsumerAtOnce(port, stream, consumer), pace);
}
