import { setImmediate } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { formatProblems, nameStreams, PlanError } from "../lib/base/errors.ts";
import { LEAF_PORT } from "../lib/nodes/nats-conf.ts";
import { type ClusterPlan, nodesOf, type StreamPlan } from "../lib/plan/plan.ts";
import type { StackIdentity } from "../lib/plan/settings.ts";
import { type Engine, engineFromEnvironment } from "../live/engine/engine.ts";
import type { StreamSettingsArgs } from "./args.ts";
import { type NatsClusterArgs, sourceOf } from "./cluster-args.ts";
import { type ClusterNodes, createNodes } from "./cluster-nodes.ts";
import { type PlannedCluster, planFrom } from "./cluster-plan.ts";
import {
  accessStreams,
  createRoster,
  type PlacedStream,
  placeOf,
  type StreamAccess,
} from "./cluster-streams.ts";
import { claimPorts } from "./foresight/claimed-ports.ts";
import { refuseContextInUse } from "./foresight/engine-refusals.ts";
import { foresee } from "./foresight/foresee.ts";
import { type NatsNode, transformedFields } from "./nats-node.ts";
import { JetStreamProvider } from "./parts/jetstream-provider.ts";
import { Lifespan } from "./parts/lifespan.ts";
import type { Region } from "./region.ts";
import { handedDown, refuseClusterOptions, refuseProviders } from "./resource-options.ts";
import { createRetirement } from "./steps/departures.ts";
import { monitoringUrls } from "./steps/gates.ts";
import { createRemovalGuard } from "./steps/removal.ts";
import { Stream } from "./stream.ts";
import type { FollowedStream, StreamHost, StreamStage } from "./stream-host.ts";
import { planTransformed } from "./transforms.ts";

/** A cluster once it is planned and looked at. */
interface MadeCluster {
  readonly planned: PlannedCluster;
  readonly nodes: ClusterNodes;
  readonly access: StreamAccess;
  /** Whether no node had a container. */
  readonly isNew: boolean;
  readonly stageOf: (stream: StreamPlan) => StreamStage;
}

/** A stream that the program has declared. */
interface DeclaredStream {
  /** As the settings call it: in errors, in the roster and in outputs. */
  readonly key: string;
  readonly settings: StreamSettingsArgs;
  resource?: FollowedStream;
}

function isMap<Value>(value: Value): value is Value & object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

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
  /** The nodes by name, e.g. `rg1-az1`. */
  readonly nodes: pulumi.Output<Readonly<Record<string, NatsNode>>>;
  /** The regions by name. */
  readonly regions: pulumi.Output<Readonly<Record<string, Region>>>;
  /** The streams of its args, by name. */
  readonly streams: Readonly<Record<string, Stream>>;
  readonly jetStream: JetStreamProvider;
  readonly lifespan: Lifespan;

  readonly #name: string;
  readonly #args: NatsClusterArgs;
  readonly #engine: Engine;
  /** By the names of their resources. */
  readonly #streams = new Map<string, DeclaredStream>();
  readonly #made = Promise.withResolvers<MadeCluster>();
  #isPlanned = false;

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
      handedDown(opts),
    );
    this.#name = name;
    this.#args = args;
    this.#engine = engineFromEnvironment();
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
    this.nodes = made(({ nodes }) => Object.fromEntries(nodes.nodes));
    this.regions = made(({ nodes }) => Object.fromEntries(nodes.regions));
  }

  /** Where its streams live, those of its args and those beside it, by name: all that are declared by then. */
  get placements(): Readonly<Record<string, PlacedStream>> {
    const { goesByPlan = false } = this.#args;
    const places = Array.from(this.#streams.values(), ({ key, settings, resource }) => {
      if (!resource) return [];
      const named = (settings.stream ?? key) === key ? {} : { stream: settings.stream };
      return [[key, { ...named, ...placeOf(resource, goesByPlan) }] as const];
    });
    return Object.fromEntries(places.flat());
  }

  admit(name: string, settings: StreamSettingsArgs): Promise<StreamStage> {
    if (this.#isPlanned) {
      throw new pulumi.RunError(
        `Stream ${name}: cluster ${this.#name} is planned already, with all the streams that were declared until then.\nDeclare it in the same go as its cluster, before the program awaits anything, and outside of \`apply\`.`,
      );
    }
    const declared = this.#declare(name, settings);
    return this.#made.promise.then(({ planned, stageOf }) => {
      const plan = planned.plan.streams.find(({ key }) => key === declared.key);
      if (!plan) throw new Error(`The plan has no stream ${declared.key}.`);
      return stageOf(plan);
    });
  }

  /** Those of the args are known by then. */
  #declare(name: string, settings: StreamSettingsArgs): DeclaredStream {
    const known = this.#streams.get(name);
    if (known && !known.resource) return known;
    const keys = Array.from(this.#streams.values(), ({ key }) => key);
    if (keys.includes(name)) {
      throw new pulumi.RunError(
        `Stream ${name}: cluster ${this.#name} has one of that name already.\nGive it another one; \`stream\` is what it is called on the servers.`,
      );
    }
    const declared = { key: name, settings };
    this.#streams.set(name, declared);
    return declared;
  }

  follow(name: string, stream: FollowedStream): void {
    const declared = this.#streams.get(name);
    if (declared) declared.resource = stream;
  }

  /** Runs from within the constructor of the base class, before this one's. */
  protected override async initialize(): Promise<void> {
    // By then, the program has had its first go, in which all streams are declared.
    await setImmediate();
    this.#isPlanned = true;
    try {
      this.#made.resolve(await this.#make());
    } catch (error) {
      // What waits for the cluster waits for ever: each of its promises would tell of the same error.
      throw this.#nameIn(error);
    }
    this.registerOutputs({ clientUrls: this.clientUrls, monitoringUrls: this.monitoringUrls });
  }

  /** Says which cluster it is that something is wrong with, where the stack may have several, in the words of its program. */
  #nameIn(error: unknown): unknown {
    const isOfPlan = error instanceof PlanError;
    if (!isOfPlan && !pulumi.RunError.isInstance(error)) return error;
    if (this.#args.settingsIn === "config") return new pulumi.RunError(error.message);
    const keys = Array.from(this.#streams.values(), ({ key }) => key);
    const beside = new Set(keys.filter((key) => !Object.hasOwn(this.streams, key)));
    const text = isOfPlan
      ? formatProblems(nameStreams(error.problems, beside), "program")
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
      this.#streams.set(name, { key, settings });
      return [key, new Stream(name, { cluster: this, ...settings })] as const;
    });
    return Object.fromEntries(made);
  }

  async #make(): Promise<MadeCluster> {
    refuseProviders(this);
    const { settingsIn = "program", goesByPlan = false, transform, owner } = this.#args;
    const streams = Array.from(this.#streams.values(), ({ key, settings }) => [key, settings]);
    const source = sourceOf(
      settingsIn === "config" ? { cluster: this.#name, ...this.#args } : this.#args,
      isMap(this.#args.streams ?? {}) ? Object.fromEntries(streams) : this.#args.streams,
    );
    const identity: StackIdentity = {
      project: pulumi.getProject(),
      stack: pulumi.getStack(),
      ...(settingsIn === "program" ? { cluster: this.#name } : {}),
    };
    const engine = this.#engine;
    if (settingsIn === "program") await refuseContextInUse(engine);
    const bare = await planFrom(engine, source, identity, owner, this);
    const plan = planTransformed(bare.plan, (node) =>
      transformedFields(transform, node, { ...bare.plan, ...bare, networkName: bare.plan.prefix }),
    );
    claimPorts(this.#name, plan);
    const planned = { ...bare, plan };
    const foresight = await foresee(engine, planned, goesByPlan ? source : undefined);
    const { before } = foresight;
    const nodesArgs = { ...planned, ...foresight, engine, ...(transform ? { transform } : {}) };
    const nodes = await createNodes(this.#name, nodesArgs, this);
    const access = accessStreams(planned, nodes, before, goesByPlan);
    const isNew = before.containers.size === 0;
    const stageOf = createRoster(
      `${this.#name}-streams`,
      planned,
      nodes,
      access,
      this.jetStream,
      this,
    );
    const streamResources = [...this.#streams.values()].flatMap(({ resource }) => resource ?? []);
    const stepArgs = { ...planned, before, caCertificate: nodes.caCertificate };
    const after = [...nodes.ready, ...streamResources];
    const retirement = createRetirement(`${this.#name}-retire`, stepArgs, after, this);
    if (settingsIn === "program") {
      const last = [...streamResources, retirement, nodes.shutdown];
      createRemovalGuard(`${this.#name}-removal`, stepArgs, last, this);
    }
    return { planned, nodes, access, isNew, stageOf };
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
