import { setImmediate } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { formatProblems, nameStreams, PlanError } from "../lib/base/errors.ts";
import { isMap } from "../lib/base/records.ts";
import { LEAF_PORT, type Listener } from "../lib/nodes/listeners.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../lib/plan/plan.ts";
import type { ConsumerSettingsArgs, StreamSettingsArgs } from "./args.ts";
import type { NatsClusterArgs } from "./cluster-args.ts";
import type { PlacedStream } from "./cluster-streams.ts";
import type { ConsumerStage, FollowedConsumer } from "./consumer-host.ts";
import { DeclaredStreams } from "./declared-streams.ts";
import { type MadeCluster, makeCluster } from "./make-cluster.ts";
import type { NatsNode } from "./nats-node.ts";
import { JetStreamProvider } from "./parts/jetstream-provider.ts";
import { Lifespan } from "./parts/lifespan.ts";
import { withOwnProviders } from "./parts/own-providers.ts";
import type { Region } from "./region.ts";
import { handedDown, refuseClusterOptions } from "./resource-options.ts";
import { Stream } from "./stream.ts";
import type { FollowedStream, StreamHost, StreamStage } from "./stream-host.ts";

/**
 * A NATS cluster with JetStream: nodes in containers, by regions and availability zones, and the streams that are
 * declared in its args or as separate resources.
 *
 * It inspects what runs before it creates anything. A preview says which nodes are reloaded or restarted, and why, and
 * refuses what would lose messages or what the servers would refuse.
 */
export class NatsCluster extends pulumi.ComponentResource implements StreamHost {
  /** Each node's URL for clients, by node name. */
  readonly clientUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** Each node's URL of the monitoring pages, by node name; empty if they have none. */
  readonly monitoringUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** Each node's URL for clients by WebSocket, by node name; empty unless the setting `websocket` is on. */
  readonly websocketUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** Each node's URL for clients by MQTT, by node name; empty unless the setting `mqtt` is on. */
  readonly mqttUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** Each node's URL for leaf nodes outside of the network, by node name; empty unless `leafNodePort` is set. */
  readonly publishedLeafNodeUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** Name of the Docker network of the nodes. Known once the network exists. */
  readonly networkName: pulumi.Output<string>;
  /** Each node's URL for leaf nodes within the network, by node name; empty unless the setting `leafNodes` is on. */
  readonly leafNodeUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** PEM of the authorities that certify the nodes, and of those in `clientTls.ca`; undefined without TLS. */
  readonly caCertificate: pulumi.Output<string | undefined>;
  /** The streams of its args, by name. */
  readonly streams: Readonly<Record<string, Stream>>;
  readonly jetStream: JetStreamProvider;
  readonly lifespan: Lifespan;

  readonly #name: string;
  readonly #args: NatsClusterArgs;
  readonly #streams: DeclaredStreams;
  readonly #made = Promise.withResolvers<MadeCluster>();
  // Created on demand: for unknown values, the SDK (3.259, containsUnknowns in output.js) walks through everything that
  // an output contains, which here is every resource of the cluster.
  #nodes?: pulumi.Output<Readonly<Record<string, NatsNode>>>;
  #regions?: pulumi.Output<Readonly<Record<string, Region>>>;

  /**
   * @param name of the resource; distinguishes the clusters of one program.
   * @param opts options that a cluster can't honour are refused with a reason; all others work as in Pulumi.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: NatsClusterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    // Before anything is started, because nothing would stop it after a refusal.
    refuseClusterOptions(name, opts);
    super(
      "nats-regions:index:NatsCluster",
      name,
      { cluster: args.cluster ?? name },
      handedDown(withOwnProviders(name, opts)),
    );
    this.#name = name;
    this.#args = args;
    this.#streams = new DeclaredStreams(name);
    const made = <Value>(pick: (cluster: MadeCluster) => pulumi.Input<Value>) =>
      pulumi.output(this.#made.promise.then(pick));
    this.lifespan = new Lifespan(`${name}-lifespan`, this);
    // While Pulumi starts the process of the dynamic provider it does nothing else: in a new cluster, nodes come first.
    const nodesFirst = this.#made.promise.then(({ isNew, nodes }) =>
      isNew ? [...nodes.nodes.values()] : [],
    );
    this.jetStream = new JetStreamProvider(
      `${name}-jetstream`,
      { connection: made(({ access }) => access.connection) },
      { parent: this, dependsOn: nodesFirst },
    );
    this.streams = this.#createStreams();
    this.clientUrls = made(({ planned: { plan } }) =>
      Object.fromEntries(nodesOf(plan).map((node) => [node.name, node.clientUrl])),
    );
    this.monitoringUrls = made(({ planned: { plan } }) =>
      urlsOf(plan, ({ monitoringUrl }) => monitoringUrl),
    );
    const listenerUrls = (setting: Listener["setting"]) =>
      made(({ planned: { plan } }) => urlsOf(plan, ({ listenerUrls }) => listenerUrls[setting]));
    this.websocketUrls = listenerUrls("websocketPort");
    this.mqttUrls = listenerUrls("mqttPort");
    this.publishedLeafNodeUrls = listenerUrls("leafNodePort");
    this.networkName = made(({ planned: { plan }, nodes }) =>
      pulumi.all(nodes.networks.map(({ urn }) => urn)).apply(() => plan.prefix),
    );
    this.leafNodeUrls = made(({ planned: { plan } }) => leafNodeUrls(plan));
    this.caCertificate = made(({ nodes }) => nodes.clientAuthorities);
  }

  /** The nodes by name, e.g. `rg1-az1`. */
  get nodes(): pulumi.Output<Readonly<Record<string, NatsNode>>> {
    this.#nodes ??= pulumi.output(
      this.#made.promise.then(({ nodes }) => Object.fromEntries(nodes.nodes)),
    );
    return this.#nodes;
  }

  /** The regions by name. */
  get regions(): pulumi.Output<Readonly<Record<string, Region>>> {
    this.#regions ??= pulumi.output(
      this.#made.promise.then(({ nodes }) => Object.fromEntries(nodes.regions)),
    );
    return this.#regions;
  }

  /** Where its streams live, by name: those of its args and those that were declared separately so far. */
  get placements(): Readonly<Record<string, PlacedStream>> {
    return this.#streams.placements(this.#args.goesByPlan ?? false);
  }

  admit(name: string, settings: StreamSettingsArgs): Promise<StreamStage> {
    const key = this.#streams.declare(name, settings);
    return this.#made.promise.then(({ planned, stageOf }) => {
      const plan = planned.plan.streams.find((stream) => stream.key === key);
      if (!plan) throw new Error(`The plan has no stream ${key}.`);
      return stageOf(plan);
    });
  }

  follow(name: string, stream: FollowedStream): void {
    this.#streams.follow(name, stream);
  }

  admitConsumer(
    stream: string,
    consumer: string,
    settings: ConsumerSettingsArgs,
  ): Promise<ConsumerStage> {
    const key = this.#streams.declareConsumer(stream, consumer, settings);
    return this.#made.promise.then(({ planned }) => {
      const planOf = planned.plan.streams.find((each) => each.key === key);
      const plan = planOf?.consumers.find(({ name }) => name === consumer);
      if (!planOf || !plan) throw new Error(`The plan has no consumer ${consumer} of ${key}.`);
      return { account: planOf.account, stream: planOf.name, plan };
    });
  }

  followConsumer(stream: string, name: string, consumer: FollowedConsumer): void {
    this.#streams.followConsumer(stream, name, consumer);
  }

  /** Called by the base class's constructor, before this class's own constructor runs. */
  protected override async initialize(): Promise<void> {
    // By then the program's first synchronous run is over, in which all streams have to be declared.
    await setImmediate();
    try {
      const declared = { name: this.#name, args: this.#args, streams: this.#streams };
      this.#made.resolve(await makeCluster(this, declared));
    } catch (error) {
      const named = this.#nameIn(error);
      // Outputs that wait for the cluster have to fail with it: otherwise an inline program (automation API) would
      // never end. It is the same error object each time, so it is shown once.
      this.#made.reject(named);
      throw named;
    }
    this.registerOutputs({ clientUrls: this.clientUrls, monitoringUrls: this.monitoringUrls });
  }

  /** Adds the cluster's name to errors, because a program may have several clusters. */
  #nameIn(error: unknown): unknown {
    const isOfPlan = error instanceof PlanError;
    if (!isOfPlan && !pulumi.RunError.isInstance(error)) return error;
    if (this.#args.settingsIn === "config") return new pulumi.RunError(error.message);
    const beside = this.#streams.keys.filter((key) => !Object.hasOwn(this.streams, key));
    const text = isOfPlan
      ? formatProblems(nameStreams(error.problems, new Set(beside)), "program")
      : error.message;
    const named = new pulumi.RunError(`NatsCluster ${this.#name}: ${text}`);
    // The SDK (3.259, cmd/run/index.js) prints the stack of further errors, e.g. of another cluster, instead of the
    // message.
    named.stack = named.message;
    return named;
  }

  /**
   * With the settings in the config, resource names have no cluster prefix, as before a stack could have several
   * clusters.
   */
  #createStreams(): Readonly<Record<string, Stream>> {
    const { streams, settingsIn } = this.#args;
    // The config may hold any value here; planning checks it.
    const declared = Object.entries(isMap(streams) ? streams : {}).map(([key, settings]) => {
      const name = settingsIn === "config" ? key : `${this.#name}-${key}`;
      this.#streams.announce(name, key, settings);
      return [key, name, settings] as const;
    });
    // Of an `up` that `npx pulumi` makes two of: see cli/pulumi/checkpoints.mjs.
    if (settingsIn === "config" && process.env.NATS_REGIONS_NODES_FIRST) return {};
    return Object.fromEntries(
      declared.map(([key, name, settings]) => [
        key,
        new Stream(name, { cluster: this, ...settings }),
      ]),
    );
  }
}

/** The URLs use container names, because other clusters may have nodes of the same name. */
function leafNodeUrls(plan: ClusterPlan): Readonly<Record<string, string>> {
  const scheme = plan.tls === "none" ? "nats-leaf" : "tls";
  const listening = nodesOf(plan).filter(({ conf }) => conf.leafNodes);
  return Object.fromEntries(
    listening.map((node) => [node.name, `${scheme}://${node.containerName}:${LEAF_PORT}`]),
  );
}

/** One URL of each node that has it. */
function urlsOf(
  plan: ClusterPlan,
  urlOf: (node: NodePlan) => string | undefined,
): Readonly<Record<string, string>> {
  const urls = nodesOf(plan).map((node) => [node.name, urlOf(node)] as const);
  return Object.fromEntries(
    urls.flatMap(([name, url]) => (url === undefined ? [] : [[name, url] as const])),
  );
}
