import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Accounts } from "../lib/accounts/accounts-conf.ts";
import { renderAccountsConf } from "../lib/nodes/nats-conf.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../lib/plan/plan.ts";
import type { Engine } from "../live/engine/engine.ts";
import type { SettledLabels, Strays } from "./announce-changes.ts";
import type { AvailabilityZone } from "./availability-zone.ts";
import { createDrain } from "./departure-steps.ts";
import { createAccountsStep, createInterestStep } from "./interest-steps.ts";
import { Lifespan } from "./lifespan.ts";
import type { ContainerSettings, NatsNode } from "./nats-node.ts";
import { createNetwork, ensureNetwork } from "./network.ts";
import { type Certificates, createCertificates } from "./node-certificates.ts";
import type { Ownership } from "./ownership.ts";
import type { EngineState } from "./preflight.ts";
import { limitProcesses } from "./process-limit.ts";
import type { TlsTexts } from "./read-tls-files.ts";
import { Region } from "./region.ts";
import { type Restarts, Turns } from "./restarts.ts";
import {
  createGate,
  createShutdown,
  createStartGate,
  createTagPause,
  monitoringUrls,
} from "./rollout.ts";

export interface NatsClusterArgs {
  readonly plan: ClusterPlan;
  readonly accounts: pulumi.Output<Accounts>;
  readonly ownership: Ownership;
  readonly engine: Engine;
  readonly before: EngineState;
  readonly strays: Strays;
  readonly labels: SettledLabels;
  /** Whether reloads give nodes more room for streams. */
  readonly hasGrowth: boolean;
  readonly restarts: Restarts;
  /** The user's own certificates, if they are to be used. */
  readonly tlsTexts?: TlsTexts;
  /** What a saved plan, and an `up` by it, have to have in common. */
  readonly planMark?: string;
}

/** A NATS cluster with JetStream: a network, regions of nodes, and gates between the waves of nodes. */
export class NatsCluster extends pulumi.ComponentResource {
  /** URL for clients of each node, by node name. */
  readonly clientUrls: Readonly<Record<string, string>>;
  /** URL of the monitoring pages of each node, by node name. */
  readonly monitoringUrls: Readonly<Record<string, string>>;
  /** PEM of the authorities that certify the nodes; undefined where they have no TLS. */
  readonly caCertificate: pulumi.Output<string> | undefined;
  /** Whether no node has a container yet. */
  readonly isNew: boolean;
  /** In the order in which they are changed; to be waited for by whatever needs containers, healthy or not. */
  readonly nodes: readonly NatsNode[];
  /** To be waited for by whatever needs JetStream: one meta group of all nodes, each of them healthy. */
  readonly ready: readonly pulumi.Resource[];
  /** What streams are deleted with. */
  readonly lifespan: Lifespan;

  constructor(name: string, args: NatsClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const { plan, ownership } = args;
    const labels = labelsOf(args);
    // An `up` that goes by the plan of other settings ends here, before any of the cluster's resources: of those, Pulumi
    // (3.259, `MakeError` in plan.go) would print what differs, secrets as well. A change that is ignored, of an input
    // that there isn't, is a part of plans and of nothing else.
    const mark = args.planMark === undefined ? {} : { ignoreChanges: [args.planMark] };
    super("nats-regions:index:NatsCluster", name, { cluster: plan.cluster }, { ...opts, ...mark });
    const certificates = createCertificates(name, plan, args.tlsTexts, args.before, this);
    const settings = createCommon(name, args, certificates, this);
    const caCertificate = certificates?.ca;
    const zones = createZones(name, plan, this);

    const isWhole = nodesOf(plan).every((node) => args.before.containers.has(node.containerName));
    const { accountsConf } = settings;
    const accountsStep = createAccountsStep(`${name}-accounts`, { ...args, caCertificate }, this);
    const departing = { ...args, caCertificate, accountsConf, after: [accountsStep] };
    const drain = createDrain(`${name}-drain`, departing, this);
    const isNew = args.before.containers.size === 0;
    const starting = { ...args, labels, isNew };
    const start = createStartGate(`${name}-start`, starting, caCertificate, drain, this);
    const turns = new Turns({ ...args, labels, caCertificate });
    const made = new Map<string, NatsNode>();
    const gates = new Map<number, pulumi.Resource>();
    let after: readonly pulumi.Resource[] = [start];
    for (const step of args.restarts.steps) {
      for (const node of step) {
        const strayedAt = args.strays.get(node.name);
        const turn = turns.hookFor(node);
        const label = labels(node);
        const nodeArgs = { plan: node, settings, strayedAt, label, after, turn };
        made.set(node.name, zones(node).addNode(`${name}-${node.name}`, nodeArgs));
      }
      const closed = closedWaves(plan.waves, made).filter((index) => !gates.has(index));
      for (const index of closed) {
        const { hasKept = false } = args.before;
        const gate = { ...args, index, nodes: made, caCertificate, isWhole, hasKept };
        gates.set(index, createGate(`${name}-wave-${index + 1}`, gate, this));
      }
      // The gate behind a wave is waited for in the place of its nodes.
      const gated = new Set(closed.flatMap((index) => plan.waves[index] ?? []));
      after = [
        ...closed.flatMap((index) => gates.get(index) ?? []),
        ...step.filter((node) => !gated.has(node)).flatMap(({ name }) => made.get(name) ?? []),
      ];
    }
    const nodes = [...made.values()];

    const listening = { ...args, caCertificate, accountsStep };
    // Side by side, as each step that waits for another one costs a preview its time.
    const closed = [...gates.values()];
    const heard = createInterestStep(`${name}-interest`, listening, closed, this);
    const ready = [heard, createTagPause(`${name}-tags`, args, closed, this)];
    createShutdown(`${name}-shutdown`, ownership, ready, this);

    this.caCertificate = caCertificate;
    this.isNew = isNew;
    this.ready = ready;
    this.lifespan = new Lifespan(`${name}-lifespan`, this);
    this.nodes = nodes;
    this.clientUrls = Object.fromEntries(nodesOf(plan).map((node) => [node.name, node.clientUrl]));
    this.monitoringUrls = monitoringUrls(nodesOf(plan));
    this.registerOutputs({ clientUrls: this.clientUrls, monitoringUrls: this.monitoringUrls });
  }
}

/** Nodes that have no container get what is planned. */
function labelsOf({ labels }: NatsClusterArgs): (node: NodePlan) => string {
  return ({ name, restartSettings }) => labels.get(name) ?? JSON.stringify(restartSettings);
}

/** What all nodes share: the network, the image, the file with the accounts. */
function createCommon(
  name: string,
  { plan, accounts, ownership, engine, before }: NatsClusterArgs,
  certificates: Certificates | undefined,
  parent: pulumi.Resource,
): ContainerSettings {
  const network = createNetwork(`${name}-network`, plan.prefix, ownership, parent);
  const pulled = new docker.RemoteImage(
    `${name}-image`,
    { name: plan.image, keepLocally: true },
    { parent },
  );
  return {
    image: plan.image,
    cluster: plan.cluster,
    bindAddress: plan.bindAddress,
    monitorAddress: plan.monitorAddress,
    memory: plan.memory,
    keepsVolumes: plan.keepsVolumes,
    accountsConf: pulumi.secret(accounts.apply(renderAccountsConf)),
    certificates: certificates?.files ?? new Map(),
    network,
    networkName: plan.prefix,
    ensureNetwork: ensureNetwork(engine, plan.prefix, ownership),
    limitProcesses: limitProcesses(engine, `limit-processes-${plan.prefix}`),
    engine,
    before,
    pulled,
    ownership,
  };
}

/** Makes the regions with their zones; the answer finds the zone that a node belongs in. */
function createZones(
  name: string,
  plan: ClusterPlan,
  parent: pulumi.Resource,
): (node: NodePlan) => AvailabilityZone {
  const regions = new Map(
    plan.regions.map((region) => [
      region.name,
      new Region(`${name}-${region.name}`, { plan: region }, { parent }),
    ]),
  );
  return ({ region, zone }) => {
    const found = regions.get(region)?.zones.get(zone);
    if (!found) throw new Error(`The plan has a node in ${region}-${zone}, but no such zone.`);
    return found;
  };
}

/** Indexes of the waves whose nodes are all there. */
function closedWaves(
  waves: ClusterPlan["waves"],
  made: ReadonlyMap<string, unknown>,
): readonly number[] {
  return [...waves.entries()]
    .filter(([, wave]) => wave.every(({ name }) => made.has(name)))
    .map(([index]) => index);
}
