import { formatCount } from "../../lib/base/wording.ts";
import type { Follower } from "./observe.ts";

/** A replica of a stream or of a consumer. */
export interface ReplicaReport {
  readonly node: string;
  readonly current: boolean;
  /** Operations behind the leader. */
  readonly lag: number;
}

/** A stream or a consumer as one of its servers reports it. */
interface Seen {
  /** `""` while there is none. */
  readonly leader: string;
  readonly followers: readonly Follower[];
}

/** All replicas, the leader first, without those that are being added. */
export function replicasOf({ leader, followers }: Seen): ReplicaReport[] {
  const leading = leader === "" ? [] : [{ node: leader, current: true, lag: 0 }];
  const following = followers
    .filter(({ pending }) => !pending)
    .map(({ name, current, offline, lag }) => ({ node: name, current: current && !offline, lag }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  return [...leading, ...following];
}

/** Marks replicas on silent nodes as not current, whatever the leader still reports. */
export function withSilence<Group extends Seen>(group: Group, silent: ReadonlySet<string>): Group {
  const followers = group.followers.map((peer) => ({
    ...peer,
    offline: peer.offline || silent.has(peer.name),
  }));
  return { ...group, followers };
}

export function describeBehind({ node, lag }: ReplicaReport): string {
  return lag > 0
    ? `the replica on ${node} is ${lag} operations behind`
    : `the replica on ${node} is not current`;
}

/** A replica as tables show it. */
export function renderReplica({ node, current, lag }: ReplicaReport): string {
  if (current) return node;
  return `${node} (${lag > 0 ? `${formatCount(lag)} behind` : "behind"})`;
}
