import * as pulumi from "@pulumi/pulumi";
import { type ClusterPlan, type NodePlan, nodesOf } from "../../lib/plan/plan.ts";
import {
  type KeptCluster,
  type MetaMembers,
  PEERS_FILE,
  parsePeers,
  whyUnfit,
} from "../../lib/update/kept-members.ts";
import type { Engine } from "../../live/engine/engine.ts";
import { readVolumes } from "../../live/engine/read-volumes.ts";
import { type Ownership, ownerFilter } from "../ownership.ts";
import { type FoundContainer, type FoundVolume, toRunError } from "./engine-finds.ts";
import { isDataVolume } from "./engine-warnings.ts";

/**
 * Refuses data volumes of another NATS cluster for nodes that have no container. Their streams would come back, but
 * remain of that cluster: to give them more replicas fails with `no suitable peers for placement` (observed with
 * nats-server 2.15.2). Volumes of versions without the label pass.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseKeptOfOther(
  own: readonly FoundContainer[],
  volumes: readonly FoundVolume[],
  plan: ClusterPlan,
): void {
  const { cluster } = plan;
  const containers = new Set(own.map(({ name }) => name));
  const strange = nodesOf(plan)
    .filter(({ containerName }) => !containers.has(containerName))
    .flatMap(({ dataVolume }) => volumes.filter(({ name }) => name === dataVolume))
    .filter((found) => found.cluster !== "" && found.cluster !== cluster);
  const [first] = strange;
  if (!first) return;
  const names = strange.map(({ name }) => name).join(" ");
  throw new pulumi.RunError(
    `cluster: the data volumes that were kept belong to cluster "${first.cluster}", and in "${cluster}" no server would take further replicas of their streams.\nPut the name back; or begin anew, without the messages: docker volume rm ${names}`,
  );
}

/**
 * Refuses data volumes of a cluster without containers that are on another engine than their nodes, which would begin
 * empty.
 *
 * @throws pulumi.RunError naming the way out.
 */
export function refuseKeptElsewhere(
  own: readonly FoundContainer[],
  volumes: readonly FoundVolume[],
  plan: ClusterPlan,
): void {
  if (own.length > 0) return;
  const lines = nodesOf(plan).flatMap((node) => {
    const found = volumes.filter(({ name }) => name === node.dataVolume);
    const [first] = found;
    if (!first || found.some((volume) => isDataOf(volume, node))) return [];
    return [
      `  ${node.name}: ${first.name} on ${first.engine.key}'s, and not on ${node.engine?.key}'s`,
    ];
  });
  if (lines.length === 0) return;
  throw new pulumi.RunError(
    `engines: data volumes that were kept are on other engines than the settings say:\n${lines.join("\n")}\nPut the engines back; or begin without them and their messages: \`docker volume rm\` on those engines.`,
  );
}

/**
 * What the data volumes say of the cluster's meta group. Undefined if there are none. A volume on another engine than
 * its node isn't the node's.
 *
 * @throws pulumi.RunError if an engine doesn't answer.
 */
export async function findKept(
  own: readonly FoundContainer[],
  volumes: readonly FoundVolume[],
  plan: ClusterPlan,
  ownership: Ownership,
): Promise<KeptCluster | undefined> {
  const nodes = nodesOf(plan);
  const containers = new Set(own.map(({ name }) => name));
  const held = nodes.flatMap((node) => {
    const found = volumes.find((volume) => isDataOf(volume, node));
    const hasContainer = containers.has(node.containerName);
    return found ? [{ node: node.name, hasContainer, ...found }] : [];
  });
  if (held.length === 0) return undefined;
  const byEngine = Map.groupBy(held, ({ engine }) => engine);
  const groups = await Promise.all(
    [...byEngine].map(([engine, found]) =>
      readGroups(
        engine,
        found.map(({ name }) => name),
        plan,
        ownership,
      ),
    ),
  );
  const groupOf = new Map(groups.flatMap((each) => [...each]));
  const planned = new Set(nodes.map(({ dataVolume }) => dataVolume));
  return {
    returning: held.map(({ node, name, hasContainer }) => ({
      node,
      dataVolume: name,
      group: groupOf.get(name),
      hasContainer,
    })),
    planned: nodes.map(({ name }) => name),
    others: volumes
      .filter(({ name }) => isDataVolume(name, plan) && !planned.has(name))
      .map(({ name }) => ({ node: nodeNameOf(name, plan), dataVolume: name })),
    isNew: own.length === 0,
  };
}

/** @throws pulumi.RunError naming the way out, if the volumes can't be used as the settings say. */
export function refuseUnfit(kept: KeptCluster | undefined): void {
  const reason = kept && whyUnfit(kept);
  if (reason !== undefined) throw new pulumi.RunError(reason);
}

function isDataOf({ name, engine }: FoundVolume, node: NodePlan): boolean {
  return name === node.dataVolume && engine.key === (node.engine?.key ?? "");
}

function nodeNameOf(dataVolume: string, { prefix }: ClusterPlan): string {
  return dataVolume.slice(`${prefix}-`.length, -"-data".length);
}

/** The meta group of each volume that has one. Empty if the engine has no image to read volumes with. */
async function readGroups(
  engine: Engine,
  volumes: readonly string[],
  { prefix, image, identity }: ClusterPlan,
  ownership: Ownership,
): Promise<[string, MetaMembers][]> {
  const wanted = {
    volumes,
    file: PEERS_FILE,
    container: `${prefix}-reader`,
    owner: ownerFilter(ownership),
    image,
  };
  try {
    const files = await readVolumes(engine, wanted);
    return [...(files ?? [])].flatMap(([volume, file]): [string, MetaMembers][] => {
      const group = parsePeers(file);
      return group ? [[volume, group]] : [];
    });
  } catch (error) {
    throw toRunError(error, engine, identity);
  }
}
