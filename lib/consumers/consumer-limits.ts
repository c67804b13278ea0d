import type { StreamConfig } from "../streams/stream-fields.ts";
import { MAX_ACK_PENDING } from "./consumer-diff.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";

/** What limits the consumers of a stream. A limit that is absent isn't there. */
export interface ConsumerBounds {
  /** Of the servers and the account: `max_ack_pending` that a consumer may have at most. */
  readonly maxAckPending?: number;
  /** Of the servers: `max_batch` that a pull consumer may have at most. */
  readonly maxRequestBatch?: number;
}

/**
 * The config with the values that limits give to fields which it leaves out (`setConsumerConfigDefaults` in
 * nats-server's server/consumer.go, 2.15). They are written out, so that nothing has to know the limits later.
 */
export function withLimits(
  config: ConsumerConfig,
  { consumer_limits: limits = {} }: Pick<StreamConfig, "consumer_limits">,
  { maxAckPending, maxRequestBatch }: ConsumerBounds,
): ConsumerConfig {
  const { ack_policy: acks, deliver_subject: subject = "" } = config;
  const { max_ack_pending: ofStream = 0, inactive_threshold: idle = 0 } = limits;
  const general = Math.min(MAX_ACK_PENDING, maxAckPending ?? MAX_ACK_PENDING);
  const pending = ofStream > 0 ? ofStream : acks === "none" ? 0 : general;
  const isUsual = pending === MAX_ACK_PENDING || pending === 0;
  return {
    ...config,
    ...(config.max_ack_pending || isUsual ? {} : { max_ack_pending: pending }),
    ...(config.inactive_threshold || idle === 0 ? {} : { inactive_threshold: idle }),
    ...(config.max_batch || subject !== "" || !maxRequestBatch
      ? {}
      : { max_batch: maxRequestBatch }),
  };
}
