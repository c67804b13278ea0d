import { local } from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Accounts } from "../lib/accounts/accounts-conf.ts";
import { renderAccountsConf } from "../lib/nodes/nats-conf.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../lib/plan/plan.ts";
import type { SettledLabels, Strays } from "./announce-changes.ts";
import type { AvailabilityZone } from "./availability-zone.ts";
import { createDrain } from "./departure-steps.ts";
import { createAccountsStep, createInterestStep } from "./interest-steps.ts";
import { Lifespan } from "./lifespan.ts";
import type { NatsNode, NodeSettings } from "./nats-node.ts";
import { createNetwork, ensureNetwork } from "./network.ts";
import { type Certificates, createCertificates, scriptTrust } from "./node-certificates.ts";
import type { Ownership } from "./ownership.ts";
import type { EngineState } from "./preflight.ts";
import { limitProcesses } from "./process-limit.ts";
import type { TlsTexts } from "./read-tls-files.ts";
import { Region } from "./region.ts";
import { type Restarts, Turns } from "./restarts.ts";
import { runCommand } from "./run-command.ts";
import { scriptPatience } from "./script-patience.ts";

export interface NatsClusterArgs {
  readonly plan: ClusterPlan;
  readonly accounts: pulumi.Output<Accounts>;
  readonly ownership: Ownership;
  readonly engine: EngineState;
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
    const certificates = createCertificates(name, plan, args.tlsTexts, args.engine, this);
    const settings = createCommon(name, args, certificates, this);
    const caCertificate = certificates?.ca;
    const zones = createZones(name, plan, this);

    const isWhole = nodesOf(plan).every((node) => args.engine.containers.has(node.containerName));
    const { accountsConf } = settings;
    const accountsStep = createAccountsStep(`${name}-accounts`, { ...args, caCertificate }, this);
    const departing = { ...args, caCertificate, accountsConf, after: [accountsStep] };
    const drain = createDrain(`${name}-drain`, departing, this);
    const isNew = args.engine.containers.size === 0;
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
        const { hasKept = false } = args.engine;
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

function monitoringUrls(nodes: readonly NodePlan[]): Record<string, string> {
  return Object.fromEntries(nodes.map(({ name, monitoringUrl }) => [name, monitoringUrl]));
}

/** What all nodes share: the network, the image, the file with the accounts. */
function createCommon(
  name: string,
  { plan, accounts, ownership, engine }: NatsClusterArgs,
  certificates: Certificates | undefined,
  parent: pulumi.Resource,
): NodeSettings {
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
    ensureNetwork: ensureNetwork(plan.prefix, ownership),
    limitProcesses: limitProcesses(`limit-processes-${plan.prefix}`),
    engine,
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

interface GateArgs {
  readonly plan: ClusterPlan;
  /** Of the wave right before the gate: where containers of its nodes were replaced, it waits again. */
  readonly index: number;
  /** Those of that wave at least, by name. */
  readonly nodes: ReadonlyMap<string, NatsNode>;
  readonly restarts: Restarts;
  readonly caCertificate: pulumi.Output<string> | undefined;
  readonly ownership: Ownership;
  /** Whether all nodes were there before anything was changed. */
  readonly isWhole: boolean;
  /** Whether nodes come back to data volumes that were kept: with streams, which take their time to elect leaders. */
  readonly hasKept: boolean;
}

interface StartGateArgs extends Pick<NatsClusterArgs, "plan" | "ownership"> {
  readonly labels: (node: NodePlan) => string;
  /** Whether no node has a container yet. */
  readonly isNew: boolean;
}

/**
 * Makes the gate before the first wave: whatever restarts a node updates it, and it refuses where the
 * cluster isn't well, also where it is itself replaced by then. It knows nothing of containers that somebody removed,
 * whose return it must not bar.
 */
function createStartGate(
  name: string,
  { plan, labels, isNew, ownership: { label } }: StartGateArgs,
  caCertificate: pulumi.Output<string> | undefined,
  drain: pulumi.Resource,
  parent: pulumi.Resource,
): pulumi.Resource {
  const settings = plan.waves.map((wave) =>
    Object.fromEntries(wave.map((node) => [node.name, labels(node)])),
  );
  const check = plan.rollout === "all" ? ":" : runCommand("start-gate");
  return new local.Command(
    name,
    {
      create: isNew ? ":" : check,
      update: check,
      environment: {
        OWNER: `${label.label}=${label.value}`,
        SETTINGS: JSON.stringify(settings),
        ...scriptTrust(caCertificate),
      },
      logging: local.Logging.Stderr,
    },
    { parent, dependsOn: [drain], ignoreChanges: ["create"] },
  );
}

/**
 * Makes the gate behind a wave. The first boot needs all nodes at once, as a new meta group elects its
 * leader only when every member is there: so only the last gate waits when it is created, unless there was
 * a cluster whose nodes are now to be changed in more waves. A container that was replaced updates the gate
 * behind its wave, and that one waits until all is well again.
 */
function createGate(
  name: string,
  { plan, index, nodes, restarts, caCertificate, ownership: { label }, isWhole, hasKept }: GateArgs,
  parent: pulumi.Resource,
) {
  const { waves } = plan;
  const isLast = index === waves.length - 1;
  const wave = (waves[index] ?? []).flatMap(({ name }) => nodes.get(name) ?? []);
  const containers = pulumi.all(wave.map(({ containerId }) => containerId));
  const isRestarted = (waves[index] ?? []).some(({ name }) => restarts.restarted.has(name));
  const lacked = isRestarted ? [...restarts.former.keys].sort() : [];
  return new local.Command(
    name,
    {
      create: isWhole
        ? runCommand("gate", "replicas")
        : isLast
          ? runCommand("gate", hasKept ? "replicas" : "members")
          : ":",
      update: runCommand("gate", "replicas"),
      environment: {
        MONITORS: JSON.stringify(monitoringUrls(waves.slice(0, index + 1).flat())),
        LATER: JSON.stringify(monitoringUrls(waves.slice(index + 1).flat())),
        OWNER: `${label.label}=${label.value}`,
        CONTAINERS: containers.apply((ids) => ids.join(" ")),
        ...scriptPatience(plan),
        ...(lacked.length > 0 ? { LACKED: JSON.stringify(lacked) } : {}),
        ...scriptTrust(caCertificate),
      },
      logging: local.Logging.Stderr,
    },
    {
      parent,
      // What the cluster lacked before counts while nodes are restarted, and is no change otherwise.
      ignoreChanges: ["create", ...(isRestarted ? [] : ["environment.LACKED"])],
    },
  );
}

/**
 * Makes the step behind the last gate: where tags or stores were changed by reloads, streams wait until the meta leader,
 * which places them, has heard of it. A server tells of its tags at once, but once a second at most (nats-server 2.15,
 * `statszRateLimit`).
 */
function createTagPause(
  name: string,
  { plan, hasGrowth }: NatsClusterArgs,
  gates: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): pulumi.Resource {
  const tags = nodesOf(plan).map((node) => [node.name, node.serverTags] as const);
  const stores = nodesOf(plan).map(({ conf }) => [conf.maxFileStore, conf.maxMemoryStore]);
  return new local.Command(
    name,
    {
      create: ":",
      update: "sleep 1.2",
      environment: {
        TAGS: JSON.stringify(Object.fromEntries(tags)),
        ...(hasGrowth ? { STORES: JSON.stringify(stores) } : {}),
      },
      logging: local.Logging.None,
    },
    {
      parent,
      dependsOn: [...gates],
      // Sizes count while nodes grow by reloads, and are no change otherwise.
      ignoreChanges: hasGrowth ? [] : ["environment.STORES"],
    },
  );
}

const STOP_ALL =
  'nodes=$(docker ps --quiet --filter "label=$OWNER"); [ -z "$nodes" ] || docker stop $nodes';

/**
 * Goes first when the cluster is destroyed, and stops all nodes at once: one after the other, in the
 * order in which the gates let them in, each would hand its leaders on to the next to go. Where an `up` is told to
 * replace it, which deletes the old one as well, they run on.
 */
function createShutdown(
  name: string,
  { label: { label, value } }: Ownership,
  ready: readonly pulumi.Resource[],
  parent: pulumi.Resource,
) {
  return new local.Command(
    name,
    {
      create: ":",
      delete: `case "$NATS_REGIONS_COMMAND" in up | update) exit 0 ;; esac; ${STOP_ALL}`,
      environment: { OWNER: `${label}=${value}` },
      logging: local.Logging.None,
    },
    { parent, dependsOn: [...ready] },
  );
}
