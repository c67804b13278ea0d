/** Whether a stream's replicas are where they should be: one answer for previews, repairs and reports. */
import { type Fleet, type PlacementRequest, planSeating } from "./placement.ts";

/** Where the replicas of a stream may be. */
export interface Place {
  /** All hosts that may have one. */
  readonly hosts: readonly string[];
  /** Groups of hosts that may have one together, as they share the tag in which replicas must differ. Default: none. */
  readonly apart?: readonly (readonly string[])[];
}

/** What of a stream is not in its place. */
export interface Misfit {
  /** Hosts that may have no replica. */
  readonly strays: readonly string[];
  /** Hosts that share what one replica may have only. */
  readonly crowded: readonly string[];
}

/** Groups the hosts that fit a request and that may have one replica together; empty where each may have its own. */
export function hostsApart(
  request: PlacementRequest,
  fleet: Fleet,
): readonly (readonly string[])[] {
  if (request.replicas === 1) return [];
  return planSeating(request, fleet).seats.filter(({ length }) => length > 1);
}

/** What is wrong with where replicas are; undefined if nothing is. Whether there are enough of them is another matter. */
export function findMisfit(
  replicas: readonly string[],
  { hosts, apart = [] }: Place,
): Misfit | undefined {
  const strays = replicas.filter((host) => !hosts.includes(host));
  const crowded = apart.flatMap((group) => {
    const taken = group.filter((host) => replicas.includes(host));
    return taken.length > 1 ? taken : [];
  });
  return strays.length + crowded.length > 0 ? { strays, crowded } : undefined;
}
