/** Nodes that leave because they were removed from the settings, and the streams of which they have replicas. */

import { imageVersion, isOlder } from "../nodes/versions.ts";
import {
  describeNearest,
  type Fleet,
  type PlacementRequest,
  placementRequest,
  planPlacement,
} from "../placement/placement.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { distinctStreams, streamsExcept } from "../streams/stream-name.ts";

/** A stream of which a node has a replica. */
export interface HeldStream {
  readonly account: string;
  readonly name: string;
  readonly request: PlacementRequest;
}

/** A node that is to leave. */
export interface LeavingNode {
  readonly name: string;
  /** The streams of which it has a replica; absent if it doesn't answer. */
  readonly held?: readonly HeldStream[];
}

/** The placement request of a stream, from its config on a server's monitoring page. */
export function heldStream(
  account: string,
  config: Pick<StreamConfig, "name" | "num_replicas" | "placement">,
): HeldStream {
  return { account, name: config.name, request: placementRequest(config) };
}

/**
 * The streams on leaving nodes that aren't in the settings, each once. Streams in the settings move by their own plan.
 */
export function unplannedStreams(
  leaving: readonly LeavingNode[],
  { streams }: Pick<ClusterPlan, "streams">,
): HeldStream[] {
  const held = leaving.flatMap((node) => node.held ?? []);
  return distinctStreams(streamsExcept(held, streams));
}

/** The first version that can move all replicas off a server on request (`$JS.API.SERVER.EVACUATE`). */
const EVACUATES = [2, 15, 0] as const;

/**
 * Says why streams can't leave their nodes, one sentence each: the remaining nodes don't fit their placement, or the
 * servers are too old to evacuate a node. An evacuation without enough remaining nodes would leave a stream with fewer
 * replicas.
 */
export function describeStranded(
  streams: readonly HeldStream[],
  fleet: Fleet,
  image: string,
): string[] {
  const version = imageVersion(image);
  const isOld = version !== undefined && isOlder(version, EVACUATES);
  return streams.flatMap(({ account, name, request }) => {
    const which = `stream ${name} of account ${account}, which is not in the settings,`;
    const placement = planPlacement(request, fleet);
    if (placement.kind === "impossible") {
      const nearest = describeNearest(placement.nearest);
      const close = nearest === "" ? "" : `; nearest: ${nearest}`;
      return [`${which} has nowhere to go: ${placement.summary}${close}`];
    }
    return isOld
      ? [`${which} can't be moved by servers before 2.15: move it yourself, or name it there`]
      : [];
  });
}

/** Announces what an update will do with leaving nodes and their streams. */
export function describeDepartures(
  leaving: readonly LeavingNode[],
  plan: Pick<ClusterPlan, "streams" | "keepsVolumes">,
): string[] {
  if (leaving.length === 0) return [];
  const names = leaving.map(({ name }) => name).join(", ");
  const silent = leaving.filter(({ held }) => held === undefined).map(({ name }) => name);
  const unplanned = unplannedStreams(leaving, plan).map(
    ({ account, name }) => `${name} (account ${account})`,
  );
  const volumes = plan.keepsVolumes ? "its volumes stay" : "its volumes are deleted";
  return [
    `leave: ${names}: what they hold moves first; then one after the other is stopped and taken out of the meta group; ${volumes}`,
    ...(unplanned.length > 0
      ? [`streams that are not in the settings move too: ${unplanned.join(", ")}`]
      : []),
    ...(silent.length > 0
      ? [
          `no answer from ${silent.join(", ")}: started first, and then asked what streams are there`,
        ]
      : []),
  ];
}
