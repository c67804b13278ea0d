/** In which order nodes are changed, and how many at once. It depends on the plan alone, not on the running cluster. */

import type { NodePlace } from "../topology/topology.ts";
import type { Seating } from "./room.ts";
import { survives } from "./survivability.ts";

export const ROLLOUTS = ["zone", "node", "all"] as const;

/**
 * `zone`: the nodes of a zone in all regions together, where that is safe. `node`: one by one. `all`: all at once,
 * which is an outage, and without checks of the cluster's state.
 */
export type Rollout = (typeof ROLLOUTS)[number];

type Place = Pick<NodePlace, "name" | "zone">;

/**
 * Groups nodes into waves; the nodes of a wave are restarted together. A wave is a zone, or a part of it if the meta
 * group, in which every node votes, would lose its majority. If a stream that survives the loss of one node would
 * lose its majority, the wave's nodes go one by one. All nodes go one by one unless `uniqueTag` is `az:`, because
 * replicas of streams that aren't in the settings may be anywhere.
 *
 * @param uniqueTag prefix of the tag in which replicas must differ.
 * @param streams seatings of the planned streams.
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
  const resilient = streams.filter((stream) => nodes.every(({ name }) => survives(stream, [name])));
  return waves.flatMap((wave) => (isSafe(wave, resilient) ? [wave] : chunks(wave, 1)));
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
