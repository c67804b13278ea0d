/** What other Pulumi programs import as `nats-regions`. */
export type * from "./args.ts";
export { AvailabilityZone } from "./availability-zone.ts";
export { Bucket, type BucketArgs } from "./bucket.ts";
export type { NatsClusterArgs } from "./cluster-args.ts";
export type { PlacedConsumer, PlacedStream } from "./cluster-streams.ts";
export { Consumer, type ConsumerArgs } from "./consumer.ts";
export type { ConsumerHost } from "./consumer-host.ts";
export type {
  ExistingClusterArgs,
  ExistingTlsArgs,
  LoginArgs,
  TopologyArgs,
} from "./existing-args.ts";
export { ExistingCluster } from "./existing-cluster.ts";
export { NatsCluster } from "./nats-cluster.ts";
export { NatsNode } from "./nats-node.ts";
export { ObjectStore, type ObjectStoreArgs } from "./object-store.ts";
export { Region } from "./region.ts";
export { settingsFromConfig } from "./settings-from-config.ts";
export { Stream, type StreamArgs } from "./stream.ts";
export type { StreamHost } from "./stream-host.ts";
export type { Transform, Transforms } from "./transforms.ts";
