import * as pulumi from "@pulumi/pulumi";
import { LEAF_PORT, type Listener } from "../lib/nodes/listeners.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../lib/plan/plan.ts";
import type { Bucket } from "./bucket.ts";
import type { NatsClusterArgs } from "./cluster-args.ts";
import type { PlacedStream } from "./cluster-streams.ts";
import type { DeclaredStreams } from "./declared-streams.ts";
import { allMade } from "./known-value.ts";
import { type MadeCluster, makeCluster } from "./make-cluster.ts";
import type { NatsNode } from "./nats-node.ts";
import type { ObjectStore } from "./object-store.ts";
import { JetStreamProvider } from "./parts/jetstream-provider.ts";
import { Lifespan } from "./parts/lifespan.ts";
import { withOwnProviders } from "./parts/own-providers.ts";
import type { Region } from "./region.ts";
import type { Stream } from "./stream.ts";
import { StreamCluster } from "./stream-cluster.ts";

/**
 * A NATS cluster with JetStream: nodes in containers, by regions and availability zones, and the streams that are
 * declared in its args or as separate resources.
 *
 * It inspects what runs before it creates anything. A preview says which nodes are reloaded or restarted, and why, and
 * refuses what would lose messages or what the servers would refuse.
 */
export class NatsCluster extends StreamCluster<MadeCluster> {
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
  /** The key-value buckets of its args, by name. */
  readonly buckets: Readonly<Record<string, Bucket>>;
  /** The object stores of its args, by name. */
  readonly objectStores: Readonly<Record<string, ObjectStore>>;
  readonly jetStream: JetStreamProvider;
  readonly lifespan: Lifespan;

  readonly #name: string;
  readonly #args: NatsClusterArgs;
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
    super("NatsCluster", name, args, { cluster: args.cluster ?? name }, opts, (given) =>
      withOwnProviders(name, given),
    );
    this.#name = name;
    this.#args = args;
    const made = <Value>(pick: (cluster: MadeCluster) => pulumi.Input<Value>) =>
      pulumi.output(this.made.then(pick));
    this.lifespan = new Lifespan(`${name}-lifespan`, this);
    this.jetStream = new JetStreamProvider(
      `${name}-jetstream`,
      {
        connection: made(async ({ access, isNew, nodes }) => {
          // While Pulumi starts the process of the dynamic provider it does nothing else: in a new cluster, nodes come
          // first. It isn't a dependency, as it would be one in the state only, see `independent`.
          if (isNew) await allMade([...nodes.nodes.values()].map(({ container }) => container));
          return access.connection;
        }),
      },
      { parent: this },
    );
    // In this order, as streams are planned before what has one.
    this.streams = this.createStreams();
    this.buckets = this.createBuckets();
    this.objectStores = this.createObjectStores();
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
    this.#nodes ??= pulumi.output(this.made.then(({ nodes }) => Object.fromEntries(nodes.nodes)));
    return this.#nodes;
  }

  /** The regions by name. */
  get regions(): pulumi.Output<Readonly<Record<string, Region>>> {
    this.#regions ??= pulumi.output(
      this.made.then(({ nodes }) => Object.fromEntries(nodes.regions)),
    );
    return this.#regions;
  }

  /**
   * Where its streams live, by name: those of its args and those that were declared separately so far. Those of buckets
   * are called `KV_<name>`, those of object stores `OBJ_<name>`.
   */
  get placements(): Readonly<Record<string, PlacedStream>> {
    return this.places;
  }

  protected override get outputs(): pulumi.Inputs {
    return { clientUrls: this.clientUrls, monitoringUrls: this.monitoringUrls };
  }

  protected override make(streams: DeclaredStreams): Promise<MadeCluster> {
    return makeCluster(this, { name: this.#name, args: this.#args, streams });
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
