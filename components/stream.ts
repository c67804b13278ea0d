import type * as pulumi from "@pulumi/pulumi";
import { isMap } from "../lib/base/records.ts";
import type { ConsumerSettingsArgs, StreamSettingsArgs } from "./args.ts";
import { Consumer } from "./consumer.ts";
import type { ConsumerHost, ConsumerStage, FollowedConsumer } from "./consumer-host.ts";
import type { StreamHost } from "./stream-host.ts";
import { StreamResource } from "./stream-resource.ts";

/** A stream's settings, and the cluster that it is in. */
export interface StreamArgs extends StreamSettingsArgs {
  /** The cluster that it is in, a `NatsCluster` or an `ExistingCluster`. */
  readonly cluster: StreamHost;
}

/**
 * A JetStream stream, placed among regions and zones. The preview shows the hosts of its replicas, and refuses a
 * placement that can't be satisfied and changes that would lose messages.
 *
 * Declare it in the same synchronous run as its cluster, before the program awaits anything: the waves and tags of the
 * cluster's nodes depend on all of its streams.
 */
export class Stream extends StreamResource implements ConsumerHost {
  /** The consumers of its args, by name. */
  readonly consumers: Readonly<Record<string, Consumer>>;

  readonly #name: string;
  readonly #cluster: StreamHost;

  /**
   * @param name of the resource, and of the stream on the servers unless `stream` gives another one.
   * @param opts as for {@link StreamResource}.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: StreamArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { cluster, ...settings } = args;
    super("stream", name, cluster, () => cluster.admit(name, settings), opts);
    this.#name = name;
    this.#cluster = cluster;
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
