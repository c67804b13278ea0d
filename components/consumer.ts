import * as pulumi from "@pulumi/pulumi";
import type { ConsumerConfig } from "../lib/consumers/consumer-fields.ts";
import type { ConsumerSettingsArgs } from "./args.ts";
import type { ConsumerHost, ConsumerStage } from "./consumer-host.ts";
import { providerText } from "./dynamic.ts";
import { allOf, refuseConsumerOptions } from "./resource-options.ts";

/** A consumer's settings, and the stream that it is of. */
export interface ConsumerArgs extends ConsumerSettingsArgs {
  /** The stream that it is of, a `Stream`. */
  readonly stream: ConsumerHost;
  /** Its name on the servers. @default the resource's name */
  readonly consumer?: string | undefined;
}

/**
 * A durable consumer of a stream. The preview refuses what would lose where it stands, and says what that is.
 *
 * Declare it in the same synchronous run as its cluster, before the program awaits anything.
 */
export class Consumer extends pulumi.CustomResource {
  /** Account of its stream. */
  declare readonly account: pulumi.Output<string>;
  /** Name of its stream on the servers. */
  declare readonly stream: pulumi.Output<string>;
  /** Its name on the servers. */
  declare readonly consumer: pulumi.Output<string>;
  /** Its config as the settings have it, with the field names of NATS's JSON API. */
  declare readonly config: pulumi.Output<ConsumerConfig>;
  /** Host that led it when Pulumi last looked. */
  declare readonly leader: pulumi.Output<string>;
  /** Hosts that knew where it stood when Pulumi last looked, the leader's among them, sorted. */
  declare readonly replicas: pulumi.Output<string[]>;
  /** When it was created, RFC 3339. */
  declare readonly created: pulumi.Output<string>;

  /**
   * @param name of the resource, and of the consumer on the servers unless `consumer` gives another one.
   * @param opts without `provider`, which is the cluster's. By default the stream is its parent, and its deletion
   * includes the consumer.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: ConsumerArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { stream, consumer = name, ...settings } = args;
    refuseConsumerOptions(name, opts);
    const stage = stream.admitConsumer(consumer, settings);
    const stageOf = <Value>(pick: (stage: ConsumerStage) => pulumi.Input<Value>) =>
      pulumi.output(stage.then(pick));
    super(
      "pulumi-nodejs:dynamic/nats:Consumer",
      name,
      {
        account: stageOf((each) => each.account),
        stream: stageOf((each) => each.stream),
        consumer,
        config: stageOf(({ plan }) => plan.config),
        policy: stageOf(({ plan }) => plan.policy),
        leader: undefined,
        replicas: undefined,
        created: undefined,
        __provider: PROVIDER,
      },
      {
        parent: stream,
        // The servers delete the consumers of a stream with it.
        deletedWith: stream,
        ...opts,
        provider: stream.jetStream,
        dependsOn: opts.dependsOn === undefined ? [stream] : allOf([stream], opts.dependsOn),
      },
    );
    stream.followConsumer(consumer, this);
  }
}

const PROVIDER = providerText("consumer", "consumerProvider");
