/** What others import as `nats-regions`. */
export { AvailabilityZone } from "./availability-zone.ts";
export { NatsCluster } from "./nats-cluster.ts";
export { NatsNode } from "./nats-node.ts";
export { Region } from "./region.ts";
export { Stream } from "./stream.ts";
