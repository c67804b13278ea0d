import * as pulumi from "@pulumi/pulumi";
import { howToSet, pulumiCommand } from "../../lib/base/settings-place.ts";
import type { ObservedStream } from "../../lib/observed/observed.ts";
import { type ClusterPlan, nodesOf } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import type { StreamName } from "../../lib/streams/stream-name.ts";
import {
  describeFates,
  describeMetaLoss,
  describeRefusedLosses,
  describeUnasked,
  fatesOf,
  findLostNodes,
} from "../../lib/update/lost-nodes.ts";
import type { Engine } from "../../live/engine/engine.ts";
import type { LostEngines } from "../../live/engine/engines-of.ts";
import { isSilence } from "../../live/jetstream/jetstream.ts";
import { allStreams } from "../../live/jetstream/manager.ts";
import { LONG_REQUEST_MS } from "../../live/monitoring/ask-node.ts";
import { observeCluster } from "../../live/monitoring/observe-cluster.ts";
import { hearsOf } from "../../live/monitoring/system-account.ts";
import type { PlannedCluster } from "../cluster-plan.ts";
import { knownValue } from "../known-value.ts";
import { listContainers, listVolumes } from "./engine-finds.ts";
import type { EngineState } from "./inspect-engine.ts";
import { type Observer, runningMonitors } from "./observer.ts";
import type { Restarts } from "./plan-restarts.ts";

/** What a preview finds of nodes whose machines are lost for good. */
export interface LostNodes {
  /** Names of those that are yet to be let go of. */
  readonly nodes: readonly string[];
  /** An engine that answers, and has nothing of them. */
  readonly instead: Engine;
  /** Keys of what streams lack for now, see `lacksOf`: they get new replicas after the nodes. */
  readonly lacks: readonly string[];
}

/**
 * Says what becomes of the streams that lost nodes have replicas of, and refuses to let go of nodes that may not be
 * lost, or of messages that the settings don't.
 *
 * @returns undefined if the settings name no lost machine.
 * @throws pulumi.RunError naming the way out.
 */
export async function announceLoss(
  planned: PlannedCluster,
  before: EngineState,
  observe: Observer,
): Promise<LostNodes | undefined> {
  const { plan, lost, log } = planned;
  if (!lost) return undefined;
  await refuseAnswering(lost, planned);
  const seen = await observe();
  const own = new Set([...nodesOf(plan).map(({ name }) => name), ...before.leaving.keys()]);
  const recorded = recordedNodes(lost, plan);
  // A node that is busy may need longer than usual: that alone mustn't refuse a loss, nor hide a node that came back.
  const observed =
    seen.silent.length === 0
      ? seen
      : await observeCluster(runningMonitors(plan, before), LONG_REQUEST_MS);
  const nodes = findLostNodes(plan.lost, recorded, observed.meta?.hosts ?? [], own);
  const instead = await findInstead(planned, recorded);
  if (nodes.length === 0) return { nodes, instead, lacks: [] };
  refuseUnseen(observed.silent, planned, before);
  await refuseLiving(nodes, plan, before);
  const gone = new Set(nodes);
  const known = await knownStreams(planned, before, observed.meta !== undefined);
  const { notices, allowed, refused } = describeFates(
    fatesOf(observed.streams, known, gone),
    plan.streams.filter(({ policy }) => policy.allowDataLoss),
  );
  if (refused.length > 0) throw new pulumi.RunError(describeRefusedLosses(nodes, refused));
  log.info(`lost: ${nodes.join(", ")}: taken out of the meta group, and let go of unasked`);
  const existing = nodesOf(plan).filter(({ containerName }) =>
    before.containers.has(containerName),
  );
  const members = [...existing.map(({ name }) => name), ...before.leaving.keys(), ...nodes];
  const metaLoss = observed.meta ? undefined : describeMetaLoss(members, gone);
  for (const line of notices) log.info(line);
  for (const line of [...(metaLoss === undefined ? [] : [metaLoss]), ...allowed]) log.warn(line);
  const lacks = observed.streams.flatMap((stream) => lacksAfter(stream, gone));
  return { nodes, instead, lacks };
}

/**
 * Refuses to restart nodes one after the other while streams lack replicas, which each restart would wait for. Without a
 * region in its place, those behind it in `regions` get other ports.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseRestarts(
  { nodes, lacks }: LostNodes,
  { restarted }: Pick<Restarts, "restarted">,
  { rollout, identity }: ClusterPlan,
): void {
  if (nodes.length === 0 || lacks.length === 0 || restarted.size === 0 || rollout === "all") return;
  throw new pulumi.RunError(
    `lost: ${[...restarted].sort().join(", ")} would be restarted (see above why), which streams with lost replicas don't survive.\nChange that by another up. Where it is the ports, have a new region on a new machine take the lost one's place in regions; or restart all nodes at once, which is an outage of some seconds: ${howToSet(settingsPlaceOf(identity), "rollout", "all")}`,
  );
}

/**
 * What a stream lacks after a loss until it gets new replicas. A host that has the only one left of several calls itself
 * ill until then: `group node missing` (nats-server 2.15.2).
 */
function lacksAfter(
  { account, name, hosts, config }: ObservedStream,
  gone: ReadonlySet<string>,
): string[] {
  const left = hosts.filter((host) => !gone.has(host));
  if (left.length >= (config.num_replicas ?? 1)) return [];
  return ["replicas", ...left].map((what) => `${account} > stream ${name}: ${what}`);
}

/** Names of the nodes that the state has on lost engines. */
function recordedNodes({ parts }: LostEngines, { prefix }: ClusterPlan): string[] {
  return [...parts.values()].flatMap(({ containers }) =>
    containers.map((container) => container.slice(prefix.length + 1)),
  );
}

/** A machine that has something of the stack isn't lost. Another one may have its address. */
async function refuseAnswering(
  { answering }: LostEngines,
  { plan, ownership }: PlannedCluster,
): Promise<void> {
  for (const engine of answering) {
    const found = [
      ...(await listContainers(engine, plan, ownership)),
      ...(await listVolumes(engine, plan, ownership)),
    ].filter(({ owner }) => owner === ownership.label.value);
    if (found.length === 0) continue;
    throw new pulumi.RunError(
      `lost: ${engine.host ?? engine.context} answers, and has ${found.map(({ name }) => name).join(", ")}: it isn't lost.\nTake it out of lost, and what its nodes hold moves off them before they go.`,
    );
  }
}

/** By its provider, volumes of lost nodes are deleted by name on this engine: it must have none. */
async function findInstead(
  { plan, answering, ownership }: PlannedCluster,
  recorded: readonly string[],
): Promise<Engine> {
  const volumes = new Set(
    recorded.flatMap((node) => ["config", "data"].map((kind) => `${plan.prefix}-${node}-${kind}`)),
  );
  for (const engine of answering.filter(({ isFormer }) => !isFormer)) {
    const found = recorded.length === 0 ? [] : await listVolumes(engine, plan, ownership);
    if (!found.some(({ name }) => volumes.has(name))) return engine;
  }
  throw new pulumi.RunError(
    `lost: the other engines have volumes of ${recorded.join(", ")}.\nRemove those first, if nobody needs them: docker volume rm`,
  );
}

/** What only others have can't be told from what is lost. */
function refuseUnseen(
  unheard: readonly string[],
  { plan, silent }: PlannedCluster,
  before: EngineState,
): void {
  const stopped = nodesOf(plan).filter(({ containerName, name }) => {
    const found = before.containers.get(containerName);
    return (found && found.clientAddress === undefined) || before.containerless.has(name);
  });
  const names = [...new Set([...stopped.map(({ name }) => name), ...unheard])].sort();
  if (names.length === 0 && silent.size === 0) return;
  const whose =
    silent.size === 0
      ? names.join(", ")
      : `${names.join(", ")}${names.length === 0 ? "" : ", and "}the engine of ${[...silent.keys()].join(", ")}`;
  throw new pulumi.RunError(
    `lost: no answer from ${whose} either, so that what only they hold can't be told from what is lost.\nBring them back first (${pulumiCommand(settingsPlaceOf(plan.identity))} up --refresh, with the settings of before), or name what is lost of them, too.`,
  );
}

async function refuseLiving(
  nodes: readonly string[],
  plan: ClusterPlan,
  before: EngineState,
): Promise<void> {
  const monitors = runningMonitors(plan, before);
  const signs = await Promise.all(
    nodes.map(async (node) => ({
      node,
      heard: await Promise.all(monitors.map((monitor) => hearsOf(monitor, node))),
    })),
  );
  const unasked = signs.find(({ heard }) => heard.every((each) => each === undefined));
  if (unasked) throw new pulumi.RunError(describeUnasked(unasked.node));
  const living = signs.flatMap(({ node, heard }) => (heard.includes(true) ? [node] : []));
  if (living.length === 0) return;
  throw new pulumi.RunError(
    `lost: the other servers hear of ${living.join(", ")}, which run.\nIf they are to stay, take their machine out of lost, and wait until its engine answers; if they are to go, first remove their containers there: docker rm --force ${living.map((node) => `${plan.prefix}-${node}`).join(" ")}`,
  );
}

const PACE = { patience: 5_000, silence: 5_000, pause: 250 };

/**
 * All streams, as far as a preview can tell. Without a leader of the meta group, those in the state; the `up` asks again
 * before it lets go of any.
 *
 * @throws pulumi.RunError if the servers don't know the login.
 */
async function knownStreams(
  { plan, access, lost }: PlannedCluster,
  before: EngineState,
  hasLeader: boolean,
): Promise<readonly StreamName[]> {
  const recorded = lost?.streams ?? [];
  const login = await knownValue(access);
  if (!hasLeader || !login) return recorded;
  const urls = runningMonitors(plan, before).flatMap(({ address }) => address ?? []);
  const names = nodesOf(plan).map(({ name }) => name);
  const pair = before.login?.pair;
  const trust = before.tls
    ? { tls: { ca: before.tls.ca, names, ...(pair === undefined ? {} : { pair }) } }
    : {};
  const { managerKey } = login;
  try {
    return await allStreams({ urls, managerKey, ...trust }, accountsWithStreams(plan), PACE);
  } catch (error) {
    if (isSilence(error)) return recorded;
    throw new pulumi.RunError((error as Error).message);
  }
}

/** Names of the accounts that may have streams. */
export function accountsWithStreams({ accounts }: Pick<ClusterPlan, "accounts">): string[] {
  return accounts.filter(({ jetStream }) => jetStream !== false).map(({ name }) => name);
}
