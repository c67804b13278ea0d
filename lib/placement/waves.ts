/** In which order nodes are changed, and how many at once. Knows the plan only, not what runs. */

import type { NodePlace } from "../topology/topology.ts";
import type { Seating } from "./room.ts";
import { survives } from "./survivability.ts";

export const ROLLOUTS = ["zone", "node", "all"] as const;

/**
 * `zone`: the nodes of a zone in all regions together, where that is safe. `node`: one by one. `all`: at
 * once, with an outage, and whatever state the cluster is in.
 */
export type Rollout = (typeof ROLLOUTS)[number];

type Place = Pick<NodePlace, "name" | "zone">;

/**
 * Groups nodes so that the groups can be down one after the other: zone by zone, but never so many at once
 * that the meta group (every node votes) would lose its majority, nor a stream that gets over the loss of
 * one node. Nodes that can't be down together go one by one; so do all where replicas needn't differ in
 * their zone, as streams that are not in the settings may be anywhere then.
 *
 * @param uniqueTag prefix of the tags in which replicas must differ.
 * @param streams where the replicas of each stream are, or may be.
 */
export function planWaves<Node extends Place>(
  nodes: readonly Node[],
  { rollout, uniqueTag }: { readonly rollout: Rollout; readonly uniqueTag: string },
  streams: readonly Seating[] = [],
): Node[][] {
  if (rollout === "all") return [[...nodes]];
  const isZoned = rollout === "zone" && uniqueTag === "az:";
  const largest = isZoned ? Math.max(1, Math.floor((nodes.length - 1) / 2)) : 1;
  const zones = Map.groupBy(nodes, ({ zone }) => zone);
  const waves = [...zones.values()].flatMap((members) => chunks(members, largest));
  const lasting = streams.filter((stream) => nodes.every(({ name }) => survives(stream, [name])));
  return waves.flatMap((wave) => (isSafe(wave, lasting) ? [wave] : chunks(wave, 1)));
}

function isSafe(wave: readonly Place[], streams: readonly Seating[]): boolean {
  const names = wave.map(({ name }) => name);
  return streams.every((stream) => survives(stream, names));
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
