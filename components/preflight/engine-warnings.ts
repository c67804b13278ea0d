import { pulumiCommand, type SettingsPlace } from "../../lib/base/settings-place.ts";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import { settingsPlaceOf } from "../../lib/plan/settings.ts";
import type { KeptCluster } from "../../lib/update/kept-members.ts";
import { describeKeptVolumes } from "../../lib/update/kept-volumes.ts";
import { describeLostData, describeNotKept } from "../../lib/update/lost-data.ts";
import type { Engine } from "../../live/engine/engine.ts";
import type { ClusterEngines } from "../../live/engine/engines-of.ts";
import { askMemoryKills } from "../../live/engine/memory-kills.ts";
import type { Logger } from "../logger.ts";
import { type Ownership, ownerFilter } from "../ownership.ts";
import { type Found, type FoundContainer, type FoundVolume, partition } from "./engine-finds.ts";

/**
 * Nodes with a data volume but no container. Empty if no node has a container: then the cluster is new, or its first
 * `up` was interrupted.
 */
export function findContainerless(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  plan: ClusterPlan,
): ReadonlySet<string> {
  const containers = new Set(own.map(({ name }) => name));
  const held = new Set(own.length === 0 ? [] : volumes.map(({ name }) => name));
  return new Set(
    nodesOf(plan)
      .filter((node) => held.has(node.dataVolume) && !containers.has(node.containerName))
      .map(({ name }) => name),
  );
}

/**
 * Names of nodes of which only the data volume exists: it was kept when the node left, or when the stack was destroyed.
 */
export function findReturning(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  plan: ClusterPlan,
): ReadonlySet<string> {
  const containers = new Set(own.map(({ name }) => name));
  const held = new Set(volumes.map(({ name }) => name));
  return new Set(
    nodesOf(plan)
      .filter(
        ({ containerName, configVolume, dataVolume }) =>
          held.has(dataVolume) && !held.has(configVolume) && !containers.has(containerName),
      )
      .map(({ name }) => name),
  );
}

export function warnOfKept(
  own: readonly FoundContainer[],
  volumes: readonly FoundVolume[],
  returning: ReadonlySet<string>,
  judged: KeptCluster | undefined,
  plan: ClusterPlan,
  log: Logger,
): void {
  const nodes = nodesOf(plan);
  const taken = new Set([
    ...nodes.map(({ dataVolume }) => dataVolume),
    ...own.map(({ name }) => `${name}-data`),
  ]);
  const back = nodes
    .filter(({ name }) => returning.has(name))
    .map(({ name: node, dataVolume }) => ({ node, dataVolume }));
  const silent = new Set(volumes.filter(({ cluster }) => cluster === "").map(({ name }) => name));
  const kept = {
    returning: back,
    others: volumes
      .map(({ name }) => name)
      .filter((name) => isDataVolume(name, plan) && !taken.has(name))
      .sort(),
    isNew: own.length === 0,
    unsaid: back.some(({ dataVolume }) => silent.has(dataVolume)) ? plan.cluster : undefined,
    judged,
  };
  for (const line of describeKeptVolumes(kept)) log.warn(line);
}

/** Checks the whole prefix, because another stack's name may begin with this one's. */
export function isDataVolume(name: string, { prefix }: ClusterPlan): boolean {
  return name.startsWith(`${prefix}-`) && name.endsWith("-data");
}

/**
 * Warns of engines that don't answer. What is on them stays as it is.
 *
 * @returns the names of their nodes.
 */
export function warnOfSilence(
  plan: ClusterPlan,
  { engines, silent }: Pick<ClusterEngines, "engines" | "silent">,
  log: Logger,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [key, reason] of silent) {
    const nodes = nodesOf(plan).filter(({ engine }) => engine?.key === key);
    for (const { name } of nodes) names.add(name);
    log.warn(
      `engines.${key}: its engine doesn't answer, so that ${nodes.map(({ name }) => name).join(", ")} stay as they are, and get what they miss from the first up after its return. (${reason})`,
    );
    const isBySsh = engines.find((engine) => engine.key === key)?.host?.startsWith("ssh:");
    if (!isBySsh) log.warn(describeExclusion(key, nodes, settingsPlaceOf(plan.identity)));
  }
  return names;
}

/**
 * The official Docker plugin (5.2, `Configure` in provider.go) asks an engine for a sign of life before it takes it on,
 * unless that is reached by ssh. What is excluded isn't asked for.
 */
function describeExclusion(
  key: string,
  nodes: readonly Pick<NodePlan, "region" | "zone">[],
  place: SettingsPlace,
): string {
  const parts = nodes.map(({ region, zone }) => (key === `${region}-${zone}` ? key : region));
  const globs = [...new Set(parts)].map((part) => `**-${part}-*`);
  const options = [...globs, `**-image-${key}`].map((glob) => `--exclude '${glob}'`).join(" ");
  return `engines.${key} isn't reached by ssh, and Pulumi's own Docker plugin fails where such an engine doesn't answer ("failed to connect to any docker daemon"). This goes on without it: ${pulumiCommand(place)} up ${options}`;
}

export async function warnOfStopped(
  engines: readonly Engine[],
  containers: readonly FoundContainer[],
  containerless: ReadonlySet<string>,
  plan: ClusterPlan,
  ownership: Ownership,
  log: Logger,
): Promise<void> {
  const stopped = new Set(containers.filter(({ running }) => !running).map(({ name }) => name));
  const names = nodesOf(plan)
    .filter(({ name, containerName }) => stopped.has(containerName) || containerless.has(name))
    .map(({ name }) => name);
  if (names.length === 0) return;
  const place = settingsPlaceOf(plan.identity);
  const kills = await askMemoryKills(engines, ownerFilter(ownership), place);
  log.warn(
    `${names.length} of ${nodesOf(plan).length} nodes don't run: ${names.join(", ")}. \`${pulumiCommand(place)} up --refresh\` brings them back; without --refresh, an \`up\` does so where it restarts them anyway.${kills === undefined ? "" : ` ${kills}.`}`,
  );
}

/** A node with a config volume but no data volume isn't new: somebody removed the volume, or its disk is gone. */
export function warnOfLostData(
  own: readonly FoundContainer[],
  volumes: readonly Found[],
  plan: ClusterPlan,
  log: Logger,
): void {
  if (own.length === 0) return;
  const held = new Set(volumes.map(({ name }) => name));
  const emptied = nodesOf(plan).filter(
    ({ configVolume, dataVolume }) => held.has(configVolume) && !held.has(dataVolume),
  );
  if (emptied.length === 0) return;
  const names = emptied.map(({ name }) => name);
  const pulumi = pulumiCommand(settingsPlaceOf(plan.identity));
  log.warn(`${describeLostData(plan, names)} \`${pulumi} up --refresh\` goes on.`);
}

/**
 * If only data volumes exist, a `destroy` has kept them, and some may have been removed since. An interrupted first
 * `up` leaves config volumes or the network as well.
 */
export function warnOfNotKept(volumes: readonly Found[], plan: ClusterPlan, log: Logger): void {
  if (!volumes.every(({ name }) => isDataVolume(name, plan))) return;
  const held = new Set(volumes.map(({ name }) => name));
  const [kept, others] = partition(nodesOf(plan), ({ dataVolume }) => held.has(dataVolume));
  if (kept.length === 0) return;
  const names = others.map(({ name }) => name);
  for (const line of describeNotKept(plan, names)) log.warn(line);
}
