/** Whether a stream's replicas are on the hosts where they should be. Previews, repairs and reports all use it. */
import { type Fleet, type PlacementRequest, planSeating } from "./placement.ts";

/** Where the replicas of a stream may be. */
export interface Place {
  /** All hosts that may have a replica; empty if nobody knows them, and any may. */
  readonly hosts: readonly string[];
  /** Groups of hosts of which at most one may have a replica, as they have the same unique tag. Default: none. */
  readonly apart?: readonly (readonly string[])[];
}

/** Hosts that have a replica where they shouldn't. */
export interface Misplacement {
  /** Hosts that have a replica, but may not have one. */
  readonly misplaced: readonly string[];
  /** Hosts that have a replica each, although at most one of their group may have one. */
  readonly crowded: readonly string[];
}

/**
 * The groups of {@link Place.apart}: eligible hosts with the same unique tag. Empty if each host may have a replica.
 */
export function hostsApart(
  request: PlacementRequest,
  fleet: Fleet,
): readonly (readonly string[])[] {
  if (request.replicas === 1) return [];
  return planSeating(request, fleet).seats.filter(({ length }) => length > 1);
}

/** Finds replicas on wrong hosts; undefined if there are none. It doesn't check the number of replicas. */
export function findMisplacement(
  replicas: readonly string[],
  { hosts, apart = [] }: Place,
): Misplacement | undefined {
  const misplaced = hosts.length === 0 ? [] : replicas.filter((host) => !hosts.includes(host));
  const crowded = apart.flatMap((group) => {
    const taken = group.filter((host) => replicas.includes(host));
    return taken.length > 1 ? taken : [];
  });
  return misplaced.length + crowded.length > 0 ? { misplaced, crowded } : undefined;
}
