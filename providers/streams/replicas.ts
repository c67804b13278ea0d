/** What a stream's info says about its replicas. */

import { countOf } from "../../lib/base/wording.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { Reconfiguration, Replica, StreamInfo } from "../../live/jetstream/jetstream.ts";

/** No change is under way; replicas may still be catching up. */
export function isCalm(info: StreamInfo): boolean {
  const { cluster } = info;
  return cluster?.desired === undefined && Boolean(cluster?.leader) && !hasExtraMembers(info);
}

/**
 * Whether there are more members than replicas: those before and those after a change. Before 2.15 nothing else shows
 * that a stream moves (nats-server 2.14, `stream.isMigrating` in server/jetstream_cluster.go).
 */
export function hasExtraMembers({ cluster, config }: StreamInfo): boolean {
  return 1 + (cluster?.replicas?.length ?? 0) > replicaCount(config);
}

/**
 * Whether no change is under way and every replica is current, or was at an earlier look: of a stream in use, some
 * replica is a few operations behind at most looks.
 *
 * @param caughtUp replicas that were current at an earlier look.
 */
export function isSettled(info: StreamInfo, caughtUp: ReadonlySet<string> = new Set()): boolean {
  return (
    isCalm(info) &&
    hostsOf(info).length === replicaCount(info.config) &&
    lagging(info).every(({ name, offline, pending }) => !offline && !pending && caughtUp.has(name))
  );
}

/**
 * Whether a change waits for a quorum to remove a replica. A change removes replicas one by one. While all seem equally
 * current, the leader may pick a healthy one, although the one that has to go no longer answers. The rest then has no
 * majority, and the change waits for one (nats-server 2.15.2, `selectPeerToRemove` and `canRemovePeer` in
 * server/jetstream_cluster.go).
 */
export function waitsToRemove({ cluster }: StreamInfo): boolean {
  return cluster?.desired?.status?.description === "waiting for quorum to remove peer";
}

/** The config before the change that is under way. */
export function configBefore(
  config: StreamConfig,
  { replicas, placement, retention }: NonNullable<Reconfiguration["origin"]>,
): StreamConfig {
  const { placement: _, ...rest } = config;
  return {
    ...rest,
    num_replicas: replicas,
    ...(placement ? { placement } : {}),
    ...(retention ? { retention } : {}),
  };
}

export function replicaCount({ num_replicas: replicas = 1 }: StreamConfig): number {
  return replicas;
}

/** The hosts that hold a replica, sorted, without those that are being added. */
export function hostsOf({ cluster }: StreamInfo): string[] {
  const followers = (cluster?.replicas ?? []).filter(({ pending }) => !pending);
  return [
    ...(cluster?.leader ? [cluster.leader] : []),
    ...followers.map(({ name }) => name),
  ].sort();
}

/** The replicas that aren't current. */
export function lagging({ cluster }: StreamInfo): Replica[] {
  return (cluster?.replicas ?? []).filter(
    ({ current, offline, pending }) => !current || offline || pending,
  );
}

/** Operations that the replicas lack, summed up. */
export function totalLag(info: StreamInfo): number {
  return lagging(info).reduce((sum, { lag = 0 }) => sum + lag, 0);
}

/** What an unsettled stream is waiting for, the server's own words first. */
export function describeDelay(info: StreamInfo | undefined): string {
  if (!info) return "JetStream does not answer";
  const { cluster, config } = info;
  if (!cluster?.leader) return "it has no leader";
  const { description, err } = cluster.desired?.status ?? {};
  const missing = replicaCount(config) - hostsOf(info).length;
  const reasons = [
    ...(description ? [err ? `${description} (${err})` : description] : []),
    ...lagging(info).map((replica) => describeReplica(replica, cluster.desired)),
    ...(missing > 0 ? [`${missing} of ${replicaCount(config)} replicas have no server`] : []),
  ];
  return reasons.join(", ") || "a change is under way";
}

function describeReplica(
  { name, offline, pending, lag = 0 }: Replica,
  desired: Reconfiguration | undefined,
): string {
  if (offline) return `${name} is down`;
  if (pending) {
    const leaves = desired?.replicas?.every((replica) => replica.name !== name);
    return `${name} is being ${leaves ? "removed" : "added"}`;
  }
  return lag > 0 ? `${name} is ${countOf(lag, "operation")} behind` : `${name} is catching up`;
}
