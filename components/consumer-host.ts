import type * as pulumi from "@pulumi/pulumi";
import type { ConsumerPlan } from "../lib/consumers/consumer-config.ts";
import type { ConsumerSettingsArgs } from "./args.ts";
import type { JetStreamProvider } from "./parts/jetstream-provider.ts";

/** A stream as its consumers see it. */
export interface ConsumerHost extends pulumi.Resource {
  /** The provider of its consumers. */
  readonly jetStream: JetStreamProvider;
  /**
   * Takes a consumer into the cluster's plan.
   *
   * @param name of the consumer on the servers.
   * @returns the consumer's inputs, once the cluster is planned.
   * @throws pulumi.RunError if the stream has one of that name, or if the cluster is planned already.
   */
  admitConsumer(name: string, settings: ConsumerSettingsArgs): Promise<ConsumerStage>;
  /**
   * Links an admitted consumer to its resource, for which the cluster's last steps wait.
   *
   * @param name of the consumer on the servers.
   */
  followConsumer(name: string, consumer: FollowedConsumer): void;
}

/** The inputs of a consumer's resource. */
export interface ConsumerStage {
  readonly account: string;
  /** The stream's name on the servers. */
  readonly stream: string;
  readonly plan: ConsumerPlan;
}

/** The outputs of a consumer's resource that its cluster uses. */
export interface FollowedConsumer extends pulumi.Resource {
  readonly leader: pulumi.Output<string>;
  readonly replicas: pulumi.Output<string[]>;
}
