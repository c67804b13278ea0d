import * as pulumi from "@pulumi/pulumi";
import {
  type NodeSecrets,
  renderAccountsConf,
  renderEncryptionConf,
} from "../lib/nodes/nats-conf.ts";
import type { ClusterPlan, NodePlan } from "../lib/plan/plan.ts";
import { settingsPlaceOf } from "../lib/plan/settings.ts";
import type { KeyPair } from "../live/jetstream/connection.ts";
import type { PlannedCluster } from "./cluster-plan.ts";
import { createEngineParts, createLostParts } from "./engine-parts.ts";
import { keepVolume } from "./hooks/keep-volume.ts";
import { Turns } from "./hooks/turns.ts";
import { promiseOf } from "./known-value.ts";
import type { ContainerSettings, NatsNode } from "./nats-node.ts";
import { type Certificates, createCertificates } from "./parts/node-certificates.ts";
import type { Preflight } from "./preflight/run-preflight.ts";
import { Region } from "./region.ts";
import { createDrain } from "./steps/departures.ts";
import { createGate, createStartGate, createTagPause } from "./steps/gates.ts";
import { createAccountsStep, createInterestStep } from "./steps/interest.ts";
import { createLossStep } from "./steps/lost.ts";
import { createShutdown } from "./steps/removal.ts";
import type { StepArgs } from "./steps/step-args.ts";
import type { Transforms } from "./transforms.ts";

export interface ClusterNodesArgs extends PlannedCluster, Preflight {
  readonly transform?: Transforms;
}

export interface ClusterNodes {
  /** One on each engine. */
  readonly networks: readonly pulumi.Resource[];
  /** By name, in the order in which an update changes them. */
  readonly nodes: ReadonlyMap<string, NatsNode>;
  /** By name. */
  readonly regions: ReadonlyMap<string, Region>;
  /** PEM of the authorities that certify the nodes; undefined if they have no TLS. */
  readonly caCertificate: pulumi.Output<string> | undefined;
  /** The same, and the authorities of the settings that clients trust. */
  readonly clientAuthorities: pulumi.Output<string> | undefined;
  /** What the stack itself shows to nodes that ask clients for a certificate; undefined if they ask for none. */
  readonly ownPair: pulumi.Output<KeyPair> | undefined;
  /**
   * Dependencies of whatever needs JetStream: when they are done, one meta group has all nodes, and each node is
   * healthy.
   */
  readonly ready: readonly pulumi.Resource[];
  /** The step that stops the nodes when the cluster is deleted. */
  readonly shutdown: pulumi.Resource;
}

/**
 * Creates a cluster's nodes and what they share: network, certificates, regions, and the gates between waves.
 *
 * While no node has a container, no group has a majority to lose. All nodes are then created at once, except that the
 * last one starts after the others, to lead the meta group.
 */
export async function createNodes(
  name: string,
  args: ClusterNodesArgs,
  parent: pulumi.Resource,
): Promise<ClusterNodes> {
  const { plan } = args;
  const labels = labelsOf(args);
  const regions = await createRegions(name, args, parent);
  const certificates = createCertificates(name, plan, args, parent);
  const settings = createCommon(name, args, certificates, parent);
  const stepArgs = { ...args, caCertificate: certificates?.ca, ownPair: certificates?.ownPair };

  const accountsStep = createAccountsStep(`${name}-accounts`, stepArgs, parent);
  const { accountsConf } = settings;
  const loss = createLoss(name, stepArgs, accountsStep, parent);
  const known = [accountsStep, ...loss];
  const drain = createDrain(`${name}-drain`, stepArgs, accountsConf, known, parent);
  const start = createStartGate(`${name}-start`, stepArgs, labels, drain, parent);
  const turns = new Turns({ ...stepArgs, engines: args.answering, labels });
  const nodes = new Map<string, NatsNode>();
  const gates = new Map<number, pulumi.Resource>();
  let after: readonly pulumi.Resource[] = [start];
  const isNew = args.before.containers.size === 0;
  // The options have to be those of the plan, whichever nodes have been stopped since.
  const goesByPlan = args.planMark !== undefined;
  const all = plan.waves.flat();
  const last = all.length > 1 ? all.at(-1) : undefined;
  // In states of earlier versions it is behind the others since the first start. One that stays as it is has to come
  // behind them again, or an update that excludes it would fail (Pulumi 3.259, "Duplicate resource URN").
  const isBehind = isNew || args.before.silent.has(last?.name ?? "");
  for (const step of isNew ? [all] : args.restarts.steps) {
    for (const node of step) {
      const driftedAt = args.driftTimes.get(node.name);
      const turn = turns.hookFor(node);
      const followers = isBehind && node === last ? [...nodes.values()] : undefined;
      const nodeArgs = {
        plan: node,
        settings,
        driftedAt,
        label: labels(node),
        after,
        followers,
        turn,
        mayHaveStopped: !goesByPlan && args.mayHaveStopped.has(node.name),
      };
      nodes.set(node.name, zoneOf(regions, node).addNode(`${name}-${node.name}`, nodeArgs));
    }
    const closed = closedWaves(plan.waves, nodes).filter((index) => !gates.has(index));
    for (const index of closed) {
      gates.set(index, createGate(`${name}-wave-${index + 1}`, stepArgs, index, nodes, parent));
    }
    // Nodes of a finished wave are waited for through the gate behind it.
    const gated = new Set(closed.flatMap((index) => plan.waves[index] ?? []));
    after = [
      ...closed.flatMap((index) => gates.get(index) ?? []),
      ...step
        .filter((node) => !gated.has(node))
        .flatMap(({ name }) => nodes.get(name)?.container ?? []),
    ];
  }

  // The steps run side by side, because each dependency between steps makes a preview longer.
  const closed = [...gates.values()];
  const ready = [
    createInterestStep(`${name}-interest`, stepArgs, accountsStep, closed, parent),
    createTagPause(`${name}-tags`, args, args.hasGrowth, closed, parent),
  ];
  const shutdown = createShutdown(`${name}-shutdown`, args, ready, parent);
  return {
    networks: [...settings.parts.values()].map(({ network }) => network),
    nodes,
    regions,
    caCertificate: certificates?.ca,
    clientAuthorities: certificates?.clientAuthorities,
    ownPair: certificates?.ownPair,
    ready,
    shutdown,
  };
}

/** Creates what lets go of lost engines: their parts, which do nothing any more, and the step for their nodes. */
function createLoss(
  name: string,
  args: ClusterNodesArgs & Pick<StepArgs, "caCertificate" | "ownPair">,
  accountsStep: pulumi.Resource,
  parent: pulumi.Resource,
): pulumi.Resource[] {
  const { lost, lostNodes } = args;
  if (!lost || !lostNodes) return [];
  for (const [key, { isEmpty }] of lost.parts) {
    createLostParts(name, key, { instead: lostNodes.instead, isEmpty }, parent);
  }
  return [createLossStep(`${name}-lost`, { ...args, lost: lostNodes }, [accountsStep], parent)];
}

/** The label of each node's container. A node without a container gets the planned settings. */
function labelsOf({ labels }: Pick<Preflight, "labels">): (node: NodePlan) => string {
  return ({ name, restartSettings }) => labels.get(name) ?? JSON.stringify(restartSettings);
}

function encryptionConfOf({ encryptionKey = "" }: NodeSecrets): string {
  return renderEncryptionConf(encryptionKey);
}

/** Creates what all nodes share: network, image, and the file with the accounts. */
function createCommon(
  name: string,
  { plan, accounts, monitorSeed, ownership, engines, silent, before, transform }: ClusterNodesArgs,
  certificates: Certificates | undefined,
  parent: pulumi.Resource,
): ContainerSettings {
  const parts = engines
    .filter(({ isFormer }) => !isFormer)
    .map((engine) => {
      const isSilent = silent.has(engine.key);
      return createEngineParts(name, engine, { plan, ownership, isSilent }, parent);
    });
  return {
    image: plan.image,
    cluster: plan.cluster,
    monitorAddress: plan.monitorAddress,
    memory: plan.memory,
    patience: plan.patience,
    keepsVolumes: plan.keepsVolumes,
    accountsConf: pulumi.secret(accounts.apply(renderAccountsConf)),
    ...(plan.isEncrypted
      ? { encryptionConf: pulumi.secret(accounts.apply(encryptionConfOf)) }
      : {}),
    monitorSeed,
    certificates: certificates?.files ?? new Map(),
    parts: new Map(parts.map((each) => [each.engine.key, each])),
    engines,
    networkName: plan.prefix,
    keepVolume:
      settingsPlaceOf(plan.identity) === "program"
        ? (engine, volume) => keepVolume(engine, volume)
        : undefined,
    before,
    ownership,
    ...(transform === undefined ? {} : { transform }),
  };
}

/**
 * Creates the regions with their zones. If an `up` runs with a saved plan of other settings, it fails at the first
 * region. That is before any resource that is made from settings: for those, Pulumi (3.259, `MakeError` in plan.go)
 * would print the differences, secrets included. The mark is an ignored change of an input that doesn't exist, so it
 * appears in saved plans only.
 */
async function createRegions(
  name: string,
  { plan, planMark }: Pick<ClusterNodesArgs, "plan" | "planMark">,
  parent: pulumi.Resource,
): Promise<ReadonlyMap<string, Region>> {
  const regions = new Map<string, Region>();
  for (const each of plan.regions) {
    const isMarked = planMark !== undefined && regions.size === 0;
    const options = { parent, ...(isMarked ? { ignoreChanges: [planMark] } : {}) };
    const region = new Region(`${name}-${each.name}`, { plan: each }, options);
    regions.set(each.name, region);
    if (isMarked) await promiseOf(region.urn);
  }
  return regions;
}

function zoneOf(regions: ReadonlyMap<string, Region>, { region, zone }: NodePlan) {
  const found = regions.get(region)?.zones.get(zone);
  if (!found) throw new Error(`The plan has a node in ${region}-${zone}, but no such zone.`);
  return found;
}

/** Indexes of the waves whose nodes have all been created. */
function closedWaves(
  waves: ClusterPlan["waves"],
  made: ReadonlyMap<string, unknown>,
): readonly number[] {
  return [...waves.entries()]
    .filter(([, wave]) => wave.every(({ name }) => made.has(name)))
    .map(([index]) => index);
}
