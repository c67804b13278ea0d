import type * as pulumi from "@pulumi/pulumi";
import type { BucketKind } from "../lib/buckets/bucket-kinds.ts";
import type { StreamPlan } from "../lib/plan/plan.ts";
import type { StreamConfig } from "../lib/streams/stream-fields.ts";
import type {
  BucketSettingsArgs,
  ConsumerSettingsArgs,
  ObjectStoreSettingsArgs,
  StreamSettingsArgs,
} from "./args.ts";
import type { ConsumerStage, FollowedConsumer } from "./consumer-host.ts";
import type { JetStreamProvider } from "./parts/jetstream-provider.ts";
import type { Lifespan } from "./parts/lifespan.ts";

/** What a program declares a stream as. */
export type StreamKind = "stream" | BucketKind;

/** A cluster as its streams see it. */
export interface StreamHost extends pulumi.Resource {
  /** The provider of its streams. */
  readonly jetStream: JetStreamProvider;
  /** The `deletedWith` of its streams; undefined if they would outlive the cluster, and have to be deleted themselves. */
  readonly lifespan: Lifespan | undefined;
  /**
   * Takes a stream into the cluster's plan.
   *
   * @param name of the stream's resource.
   * @returns the stream's inputs, once the cluster is planned.
   * @throws pulumi.RunError if the name is taken, or if the cluster is planned already.
   */
  admit(name: string, settings: StreamSettingsArgs): Promise<StreamStage>;
  /** As {@link admit}, for the stream of a bucket or an object store. */
  admitBucket(
    kind: BucketKind,
    name: string,
    settings: BucketSettingsArgs | ObjectStoreSettingsArgs,
  ): Promise<StreamStage>;
  /** Links an admitted stream to its resource. */
  follow(kind: StreamKind, name: string, stream: FollowedStream): void;
  /**
   * Takes a consumer of an admitted stream into the cluster's plan.
   *
   * @param stream name of the stream's resource.
   * @param consumer name of the consumer on the servers.
   * @throws pulumi.RunError if the stream has one of that name, or if the cluster is planned already.
   */
  admitConsumer(
    stream: string,
    consumer: string,
    settings: ConsumerSettingsArgs,
  ): Promise<ConsumerStage>;
  /**
   * Links an admitted consumer to its resource, for which the cluster's last steps wait.
   *
   * @param stream name of the stream's resource.
   * @param name of the consumer on the servers.
   */
  followConsumer(stream: string, name: string, consumer: FollowedConsumer): void;
  /** Has the cluster's last steps wait for the entries of a bucket. */
  followPart(part: pulumi.Resource): void;
}

/** The inputs of a stream's resource. */
export interface StreamStage {
  readonly plan: StreamPlan;
  /** The servers to place it on, see `ResourceInputs`; unknown while the provider can't be asked. */
  readonly fleet: pulumi.Output<string>;
  /** Stands for the inputs that the provider's `check` adds: unknown while `check` can't run. */
  readonly checked: pulumi.Output<undefined>;
  /** Its dependencies. */
  readonly after: readonly pulumi.Resource[];
}

/** The outputs of a stream's resource that its cluster uses. */
export interface FollowedStream extends pulumi.Resource {
  readonly account: pulumi.Output<string>;
  readonly config: pulumi.Output<StreamConfig>;
  readonly leader: pulumi.Output<string>;
  readonly replicas: pulumi.Output<string[]>;
}
