import { setImmediate } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { formatProblems, nameResources, PlanError } from "../lib/base/errors.ts";
import { isMap } from "../lib/base/records.ts";
import type { SettingsPlace } from "../lib/base/settings-place.ts";
import type { BucketKind } from "../lib/buckets/bucket-kinds.ts";
import type { StreamPlan } from "../lib/plan/plan.ts";
import type {
  BucketSettingsArgs,
  ConsumerSettingsArgs,
  ObjectStoreSettingsArgs,
  StreamSettingsArgs,
} from "./args.ts";
import { Bucket } from "./bucket.ts";
import type { PlacedStream } from "./cluster-streams.ts";
import type { ConsumerStage, FollowedConsumer } from "./consumer-host.ts";
import { DeclaredStreams } from "./declared-streams.ts";
import { ObjectStore } from "./object-store.ts";
import type { JetStreamProvider } from "./parts/jetstream-provider.ts";
import type { Lifespan } from "./parts/lifespan.ts";
import { type ClusterKind, handedDown, refuseClusterOptions } from "./resource-options.ts";
import { Stream } from "./stream.ts";
import type { FollowedStream, StreamHost, StreamKind, StreamStage } from "./stream-host.ts";

/** What a cluster's streams need of it once it is planned. */
export interface MadeStreams {
  readonly streams: readonly StreamPlan[];
  readonly stageOf: (stream: StreamPlan) => StreamStage;
}

/** The args of a cluster that its streams depend on. */
interface StreamClusterArgs {
  readonly streams?: Readonly<Record<string, StreamSettingsArgs>> | undefined;
  readonly buckets?: Readonly<Record<string, BucketSettingsArgs>> | undefined;
  readonly objectStores?: Readonly<Record<string, ObjectStoreSettingsArgs>> | undefined;
  readonly settingsIn?: SettingsPlace | undefined;
  readonly goesByPlan?: boolean | undefined;
}

/** A component with streams: they are declared while the program runs, then planned together, then made. */
export abstract class StreamCluster<Made extends MadeStreams>
  extends pulumi.ComponentResource
  implements StreamHost
{
  abstract readonly jetStream: JetStreamProvider;
  abstract readonly lifespan: Lifespan | undefined;

  readonly #kind: ClusterKind;
  readonly #name: string;
  readonly #args: StreamClusterArgs;
  readonly #declared: DeclaredStreams;
  readonly #made = Promise.withResolvers<Made>();

  /**
   * @param inputs of the component's resource.
   * @param withProviders adds what the component needs to its options.
   * @throws pulumi.RunError if an option can't be honoured.
   */
  constructor(
    kind: ClusterKind,
    name: string,
    args: StreamClusterArgs,
    inputs: pulumi.Inputs,
    opts: pulumi.ComponentResourceOptions,
    withProviders = (given: pulumi.ComponentResourceOptions) => given,
  ) {
    // Before anything is started, because nothing would stop it after a refusal.
    refuseClusterOptions(kind, name, opts);
    super(`nats-regions:index:${kind}`, name, inputs, handedDown(withProviders(opts)));
    this.#kind = kind;
    this.#name = name;
    this.#args = args;
    this.#declared = new DeclaredStreams(name);
  }

  admit(name: string, settings: StreamSettingsArgs): Promise<StreamStage> {
    return this.#stageOf(this.#declared.declare("stream", name, settings));
  }

  admitBucket(
    kind: BucketKind,
    name: string,
    settings: BucketSettingsArgs | ObjectStoreSettingsArgs,
  ): Promise<StreamStage> {
    return this.#stageOf(this.#declared.declare(kind, name, settings));
  }

  follow(kind: StreamKind, name: string, stream: FollowedStream): void {
    this.#declared.follow(kind, name, stream);
  }

  admitConsumer(
    stream: string,
    consumer: string,
    settings: ConsumerSettingsArgs,
  ): Promise<ConsumerStage> {
    const key = this.#declared.declareConsumer(stream, consumer, settings);
    return this.#made.promise.then(({ streams }) => {
      const planOf = streams.find((each) => each.key === key);
      const plan = planOf?.consumers.find(({ name }) => name === consumer);
      if (!planOf || !plan) throw new Error(`The plan has no consumer ${consumer} of ${key}.`);
      return { account: planOf.account, stream: planOf.name, plan };
    });
  }

  followConsumer(stream: string, name: string, consumer: FollowedConsumer): void {
    this.#declared.followConsumer(stream, name, consumer);
  }

  followPart(part: pulumi.Resource): void {
    this.#declared.followPart(part);
  }

  /** The outputs of the component's resource. */
  protected abstract get outputs(): pulumi.Inputs;

  /** Plans the cluster, and registers its resources. */
  protected abstract make(declared: DeclaredStreams): Promise<Made>;

  /** What is there once the cluster is made. */
  protected get made(): Promise<Made> {
    return this.#made.promise;
  }

  /** Where its streams live, by name. */
  protected get places(): Readonly<Record<string, PlacedStream>> {
    return this.#declared.placements(this.#args.goesByPlan ?? false);
  }

  /** Called by the base class's constructor, before this class's own constructor runs. */
  protected override async initialize(): Promise<void> {
    // By then the program's first synchronous run is over, in which all streams have to be declared.
    await setImmediate();
    try {
      this.#made.resolve(await this.make(this.#declared));
    } catch (error) {
      const named = this.#nameIn(error);
      // Outputs that wait for the cluster have to fail with it: otherwise an inline program (automation API) would
      // never end. It is the same error object each time, so it is shown once.
      this.#made.reject(named);
      throw named;
    }
    this.registerOutputs(this.outputs);
  }

  protected createStreams(): Readonly<Record<string, Stream>> {
    return this.#create("stream", this.#args.streams, (name, settings) => {
      return new Stream(name, { cluster: this, ...settings });
    });
  }

  protected createBuckets(): Readonly<Record<string, Bucket>> {
    return this.#create("bucket", this.#args.buckets, (name, settings) => {
      return new Bucket(name, { cluster: this, ...settings });
    });
  }

  protected createObjectStores(): Readonly<Record<string, ObjectStore>> {
    return this.#create("objectStore", this.#args.objectStores, (name, settings) => {
      return new ObjectStore(name, { cluster: this, ...settings });
    });
  }

  /**
   * Creates what the args have of a kind. With the settings in the config, resource names have no cluster prefix, as
   * before a stack could have several clusters.
   */
  #create<Settings extends object, Resource>(
    kind: StreamKind,
    given: Readonly<Record<string, Settings>> | undefined,
    make: (name: string, settings: Settings) => Resource,
  ): Readonly<Record<string, Resource>> {
    const { settingsIn } = this.#args;
    // The config may hold any value here; planning checks it.
    const declared = Object.entries(isMap(given) ? (given as typeof given & object) : {}).map(
      ([key, settings]) => {
        const name = settingsIn === "config" ? key : `${this.#name}-${key}`;
        this.#declared.announce(kind, name, key, settings);
        return [key, name, settings] as const;
      },
    );
    // Of an `up` that `npx pulumi` makes two of: see cli/pulumi/checkpoints.mjs.
    if (settingsIn === "config" && process.env.NATS_REGIONS_NODES_FIRST) return {};
    return Object.fromEntries(declared.map(([key, name, settings]) => [key, make(name, settings)]));
  }

  /** @param key of a stream in the plan. */
  async #stageOf(key: string): Promise<StreamStage> {
    const { streams, stageOf } = await this.#made.promise;
    const plan = streams.find((stream) => stream.key === key);
    if (!plan) throw new Error(`The plan has no stream ${key}.`);
    return stageOf(plan);
  }

  /** Adds the cluster's name to errors, because a program may have several clusters. */
  #nameIn(error: unknown): unknown {
    const isOfPlan = error instanceof PlanError;
    if (!isOfPlan && !pulumi.RunError.isInstance(error)) return error;
    const { streams = {}, buckets = {}, objectStores = {}, settingsIn } = this.#args;
    if (settingsIn === "config") return refusal(error.message);
    const besideOf = (kind: StreamKind, own: object) =>
      this.#declared.keys(kind).filter((key) => !Object.hasOwn(own, key));
    const beside = {
      streams: besideOf("stream", streams),
      buckets: besideOf("bucket", buckets),
      objectStores: besideOf("objectStore", objectStores),
    };
    const text = isOfPlan
      ? formatProblems(nameResources(error.problems, beside), "program")
      : error.message;
    return refusal(`${this.#kind} ${this.#name}: ${text}`);
  }
}

/** An error that is shown as it is. */
function refusal(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  // The SDK (3.259, cmd/run/index.js) prints the stack of further errors, e.g. of another cluster, instead of the message.
  error.stack = message;
  // It (runtime/rpc.js) writes "error serializing property" before the message where an input waits for the cluster.
  Object.defineProperty(error, "message", { get: () => message, set: () => undefined });
  return error;
}
