import type * as pulumi from "@pulumi/pulumi";
import type { Fleet } from "../lib/placement/placement.ts";
import type { StreamPlan } from "../lib/plan/plan.ts";
import type { StreamConfig } from "../lib/streams/stream-fields.ts";
import type { StreamSettingsArgs } from "./args.ts";
import type { JetStreamProvider } from "./parts/jetstream-provider.ts";
import type { Lifespan } from "./parts/lifespan.ts";

/** A cluster as its streams see it. */
export interface StreamHost extends pulumi.Resource {
  /** Through what its streams are reached. */
  readonly jetStream: JetStreamProvider;
  /** What its streams are deleted with. */
  readonly lifespan: Lifespan;
  /**
   * Takes a stream into the cluster's plan.
   *
   * @param name of its resource.
   * @returns what it comes to, once the cluster is planned.
   * @throws pulumi.RunError where there is one of that name, or where the cluster is planned already.
   */
  admit(name: string, settings: StreamSettingsArgs): Promise<StreamStage>;
  /** Is told of the resource of a stream that was admitted. */
  follow(name: string, stream: FollowedStream): void;
}

/** What a stream is made from. */
export interface StreamStage {
  readonly plan: StreamPlan;
  /** The servers to plan with: unknown where the provider can't be asked yet. */
  readonly fleet: pulumi.Output<Fleet>;
  /** Stands for what the provider's `check` adds: unknown where that can't be called yet. */
  readonly checked: pulumi.Output<undefined>;
  /** What has to be ready before. */
  readonly after: readonly pulumi.Resource[];
}

/** A stream's resource, as far as its cluster looks at it. */
export interface FollowedStream extends pulumi.Resource {
  readonly account: pulumi.Output<string>;
  readonly config: pulumi.Output<StreamConfig>;
  readonly leader: pulumi.Output<string>;
  readonly replicas: pulumi.Output<string[]>;
}
