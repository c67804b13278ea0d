import type { StreamConfig } from "../streams/stream-fields.ts";
import type { ConsumerConfig } from "./consumer-fields.ts";

/** The replicas that a durable consumer gets (`ConsumerConfig.replicas` in nats-server's server/consumer.go, 2.15). */
export function consumerReplicas(
  { num_replicas: own = 0 }: Pick<ConsumerConfig, "num_replicas">,
  { num_replicas: ofStream = 1 }: Pick<StreamConfig, "num_replicas">,
): number {
  return own === 0 || own > ofStream ? ofStream : own;
}
