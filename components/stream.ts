import * as pulumi from "@pulumi/pulumi";
import { isMap } from "../lib/base/records.ts";
import type { StreamConfig } from "../lib/streams/stream-fields.ts";
import type { ConsumerSettingsArgs, StreamSettingsArgs } from "./args.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerHost, ConsumerStage, FollowedConsumer } from "./consumer-host.ts";
import { providerText } from "./dynamic.ts";
import type { JetStreamProvider } from "./parts/jetstream-provider.ts";
import { allOf, refuseStreamOptions } from "./resource-options.ts";
import type { StreamHost, StreamStage } from "./stream-host.ts";

/** A stream's settings, and the cluster that it is in. */
export interface StreamArgs extends StreamSettingsArgs {
  /** The cluster that it is in, a `NatsCluster`. */
  readonly cluster: StreamHost;
}

/**
 * A JetStream stream, placed among regions and zones. The preview shows the hosts of its replicas, and refuses a
 * placement that can't be satisfied and changes that would lose messages.
 *
 * Declare it in the same synchronous run as its cluster, before the program awaits anything: the waves and tags of the
 * cluster's nodes depend on all of its streams.
 */
export class Stream extends pulumi.CustomResource implements ConsumerHost {
  /** Account that it belongs to. */
  declare readonly account: pulumi.Output<string>;
  /** Its config as requested from the servers, with the field names of NATS's JSON API. */
  declare readonly config: pulumi.Output<StreamConfig>;
  /** Planned hosts of the replicas; more hosts than replicas if the server chooses among them. */
  declare readonly hosts: pulumi.Output<string[]>;
  /** Host that led the stream when Pulumi last looked. */
  declare readonly leader: pulumi.Output<string>;
  /** Hosts that held a replica when Pulumi last looked, the leader's among them, sorted. */
  declare readonly replicas: pulumi.Output<string[]>;
  /** When the stream was created, RFC 3339. */
  declare readonly created: pulumi.Output<string>;
  /** The consumers of its args, by name. */
  readonly consumers: Readonly<Record<string, Consumer>>;
  readonly jetStream: JetStreamProvider;

  readonly #name: string;
  readonly #cluster: StreamHost;

  /**
   * @param name of the resource, and of the stream on the servers unless `stream` gives another one.
   * @param opts without `provider`, which is the cluster's. By default the cluster is its parent, and its deletion
   * includes the stream.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: StreamArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { cluster, ...settings } = args;
    refuseStreamOptions(name, opts);
    const stage = cluster.admit(name, settings);
    const stageOf = <Value>(pick: (stage: StreamStage) => pulumi.Input<Value>) =>
      pulumi.output(stage.then(pick));
    // A promise and not an output: for unknown values, the SDK (3.259, containsUnknowns in output.js) walks through
    // everything that an output contains, again and again, and from these resources through all others and their
    // outputs.
    const ready = stage.then(({ after }) => [...after]);
    super(
      "pulumi-nodejs:dynamic/nats:Stream",
      name,
      {
        stream: stageOf(({ plan }) => plan.name),
        account: stageOf(({ plan }) => plan.account),
        config: stageOf(({ plan }) => plan.config),
        policy: stageOf(({ plan }) => plan.policy),
        fleet: stageOf(({ fleet }) => fleet),
        hosts: stageOf(({ checked }) => checked),
        apart: stageOf(({ checked }) => checked),
        leader: undefined,
        replicas: undefined,
        created: undefined,
        __provider: PROVIDER,
      },
      {
        parent: cluster,
        // A destroyed cluster takes its streams along, even if it no longer answers.
        deletedWith: cluster.lifespan,
        ...opts,
        provider: cluster.jetStream,
        // The cluster's last steps wait for its streams, so a dependency on the whole cluster would be circular.
        dependsOn:
          opts.dependsOn === undefined
            ? ready
            : allOf(
                ready,
                allOf(opts.dependsOn).apply((given) => given.filter((each) => each !== cluster)),
              ),
      },
    );
    cluster.follow(name, this);
    this.#name = name;
    this.#cluster = cluster;
    this.jetStream = cluster.jetStream;
    this.consumers = this.#createConsumers(settings.consumers);
  }

  admitConsumer(name: string, settings: ConsumerSettingsArgs): Promise<ConsumerStage> {
    return this.#cluster.admitConsumer(this.#name, name, settings);
  }

  followConsumer(name: string, consumer: FollowedConsumer): void {
    this.#cluster.followConsumer(this.#name, name, consumer);
  }

  /** No name of a consumer has a dot, so that names of resources can't meet. */
  #createConsumers(consumers: StreamSettingsArgs["consumers"]): Readonly<Record<string, Consumer>> {
    // The config may hold any value here; planning checks it.
    const declared = Object.entries(isMap(consumers) ? consumers : {});
    return Object.fromEntries(
      declared.map(([consumer, settings]) => [
        consumer,
        new Consumer(`${this.#name}.${consumer}`, { stream: this, consumer, ...settings }),
      ]),
    );
  }
}

const PROVIDER = providerText("stream", "streamProvider");
