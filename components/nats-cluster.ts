import { setImmediate } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { formatProblems, nameStreams, PlanError } from "../lib/base/errors.ts";
import { isMap } from "../lib/base/records.ts";
import { LEAF_PORT } from "../lib/nodes/nats-conf.ts";
import { type ClusterPlan, nodesOf } from "../lib/plan/plan.ts";
import type { StreamSettingsArgs } from "./args.ts";
import type { NatsClusterArgs } from "./cluster-args.ts";
import type { PlacedStream } from "./cluster-streams.ts";
import { DeclaredStreams } from "./declared-streams.ts";
import { type MadeCluster, makeCluster } from "./make-cluster.ts";
import type { NatsNode } from "./nats-node.ts";
import { JetStreamProvider } from "./parts/jetstream-provider.ts";
import { Lifespan } from "./parts/lifespan.ts";
import { withOwnProviders } from "./parts/own-providers.ts";
import type { Region } from "./region.ts";
import { handedDown, refuseClusterOptions } from "./resource-options.ts";
import { monitoringUrls } from "./steps/gates.ts";
import { Stream } from "./stream.ts";
import type { FollowedStream, StreamHost, StreamStage } from "./stream-host.ts";

/**
 * A NATS cluster with JetStream: nodes by regions and availability zones, in containers, with the streams that are
 * declared in its args or beside it.
 *
 * It looks at what runs before it makes anything: a preview says which nodes are reloaded or restarted, and why, and
 * refuses what would lose messages or what the servers would refuse.
 */
export class NatsCluster extends pulumi.ComponentResource implements StreamHost {
  /** URL for clients of each node, by node name. */
  readonly clientUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** URL of the monitoring pages of each node, by node name. */
  readonly monitoringUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** Docker's name of the network that the nodes are in. Known once it is there. */
  readonly networkName: pulumi.Output<string>;
  /** URL for leaf nodes of each node, by node name, within the network; empty where the setting `leafNodes` isn't on. */
  readonly leafNodeUrls: pulumi.Output<Readonly<Record<string, string>>>;
  /** PEM of the authorities that certify the nodes; undefined where they have no TLS. */
  readonly caCertificate: pulumi.Output<string | undefined>;
  /** The streams of its args, by name. */
  readonly streams: Readonly<Record<string, Stream>>;
  readonly jetStream: JetStreamProvider;
  readonly lifespan: Lifespan;

  readonly #name: string;
  readonly #args: NatsClusterArgs;
  readonly #streams: DeclaredStreams;
  readonly #made = Promise.withResolvers<MadeCluster>();
  // Made when they are asked for: the SDK (3.259, containsUnknowns in output.js) looks for unknown values in all that an
  // output leads to, which is every resource of the cluster.
  #nodes?: pulumi.Output<Readonly<Record<string, NatsNode>>>;
  #regions?: pulumi.Output<Readonly<Record<string, Region>>>;

  /**
   * @param name of the resource; what a program calls its clusters apart by.
   * @param opts what can't be honoured is refused with a reason; all else is as Pulumi has it.
   * @throws pulumi.RunError
   */
  constructor(name: string, args: NatsClusterArgs, opts: pulumi.ComponentResourceOptions = {}) {
    // Before anything is begun: what a cluster that is refused begins would go on.
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
    // Pulumi does nothing else while it starts the process that serves streams: in a new cluster, nodes come first.
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
    this.monitoringUrls = made(({ planned: { plan } }) => monitoringUrls(nodesOf(plan)));
    this.networkName = made(({ planned: { plan }, nodes }) =>
      nodes.network.urn.apply(() => plan.prefix),
    );
    this.leafNodeUrls = made(({ planned: { plan } }) => leafNodeUrls(plan));
    this.caCertificate = made(({ nodes }) => nodes.caCertificate);
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

  /** Where its streams live, those of its args and those beside it, by name: all that are declared by then. */
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

  /** Runs from within the constructor of the base class, before this one's. */
  protected override async initialize(): Promise<void> {
    // By then, the program has had its first go, in which all streams are declared.
    await setImmediate();
    try {
      const declared = { name: this.#name, args: this.#args, streams: this.#streams };
      this.#made.resolve(await makeCluster(this, declared));
    } catch (error) {
      const named = this.#nameIn(error);
      // What waits for the cluster has to end with it: a program that another one runs inline would go on for ever. It is the
      // same error each time, which is said once.
      this.#made.reject(named);
      throw named;
    }
    this.registerOutputs({ clientUrls: this.clientUrls, monitoringUrls: this.monitoringUrls });
  }

  /** Says which cluster it is that something is wrong with, where the stack may have several, in the words of its program. */
  #nameIn(error: unknown): unknown {
    const isOfPlan = error instanceof PlanError;
    if (!isOfPlan && !pulumi.RunError.isInstance(error)) return error;
    if (this.#args.settingsIn === "config") return new pulumi.RunError(error.message);
    const beside = this.#streams.keys.filter((key) => !Object.hasOwn(this.streams, key));
    const text = isOfPlan
      ? formatProblems(nameStreams(error.problems, new Set(beside)), "program")
      : error.message;
    const named = new pulumi.RunError(`NatsCluster ${this.#name}: ${text}`);
    // Of an error after another one, as another cluster may have, the SDK (3.259, cmd/run/index.js) shows the stack.
    named.stack = named.message;
    return named;
  }

  /** Where the config has the settings, the names are those that there were before a stack could have several clusters. */
  #createStreams(): Readonly<Record<string, Stream>> {
    const { streams, settingsIn } = this.#args;
    // What a config has there may be anything, until it is checked.
    const made = Object.entries(isMap(streams) ? streams : {}).map(([key, settings]) => {
      const name = settingsIn === "config" ? key : `${this.#name}-${key}`;
      this.#streams.announce(name, key, settings);
      return [key, new Stream(name, { cluster: this, ...settings })] as const;
    });
    return Object.fromEntries(made);
  }
}

/** Nodes are called by their containers' names: other clusters may have nodes of the same name. */
function leafNodeUrls(plan: ClusterPlan): Readonly<Record<string, string>> {
  const scheme = plan.tls === "none" ? "nats-leaf" : "tls";
  const listening = nodesOf(plan).filter(({ conf }) => conf.leafNodes);
  return Object.fromEntries(
    listening.map((node) => [node.name, `${scheme}://${node.containerName}:${LEAF_PORT}`]),
  );
}
