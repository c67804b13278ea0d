import * as pulumi from "@pulumi/pulumi";
import type { Bucket } from "./bucket.ts";
import type { PlacedStream } from "./cluster-streams.ts";
import type { DeclaredStreams } from "./declared-streams.ts";
import type { ExistingClusterArgs } from "./existing-args.ts";
import { type MadeExisting, makeExisting } from "./make-existing.ts";
import type { ObjectStore } from "./object-store.ts";
import { JetStreamProvider } from "./parts/jetstream-provider.ts";
import type { Stream } from "./stream.ts";
import { StreamCluster } from "./stream-cluster.ts";

/**
 * A cluster with JetStream that others run: its streams, consumers, buckets and object stores, and nothing else, are the
 * program's.
 *
 * It asks the servers before it creates anything. A preview says which hosts a stream will have, as far as the servers'
 * names and tags are known, and refuses what would lose messages or what the servers would refuse.
 */
export class ExistingCluster extends StreamCluster<MadeExisting> {
  /** The streams of its args, by name. */
  readonly streams: Readonly<Record<string, Stream>>;
  /** The key-value buckets of its args, by name. */
  readonly buckets: Readonly<Record<string, Bucket>>;
  /** The object stores of its args, by name. */
  readonly objectStores: Readonly<Record<string, ObjectStore>>;
  readonly jetStream: JetStreamProvider;
  /** The cluster stays when the program's resources go: each of its streams is deleted by itself. */
  readonly lifespan = undefined;

  readonly #name: string;
  readonly #args: ExistingClusterArgs;

  /**
   * @param name of the resource; distinguishes the clusters of one program.
   * @param opts options that a cluster can't honour are refused with a reason; all others work as in Pulumi.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: ExistingClusterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("ExistingCluster", name, args, {}, opts);
    this.#name = name;
    this.#args = args;
    this.jetStream = new JetStreamProvider(
      `${name}-jetstream`,
      { connection: pulumi.output(this.made.then(({ connection }) => connection)) },
      { parent: this },
    );
    // In this order, as streams are planned before what has one.
    this.streams = this.createStreams();
    this.buckets = this.createBuckets();
    this.objectStores = this.createObjectStores();
  }

  /** Where its streams live, by name: those of its args and those that were declared separately so far. */
  get placements(): Readonly<Record<string, PlacedStream>> {
    return this.places;
  }

  protected override get outputs(): pulumi.Inputs {
    return {};
  }

  protected override make(streams: DeclaredStreams): Promise<MadeExisting> {
    return makeExisting(this, { name: this.#name, args: this.#args, streams });
  }
}
