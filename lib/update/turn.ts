/** Whose turn it is to be restarted: the last look before a node goes down, at the cluster as it is then. */
import type { SettingsPlace } from "../base/settings-place.ts";
import {
  describeCure,
  describeIllness,
  groupsOf,
  lacksOf,
  losesMajority,
  type ReplicaGroup,
  whyNotWell,
} from "../observed/majorities.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import type { StreamName } from "../streams/stream-name.ts";

/** What the cluster lacked before an update changed anything, as far as the update isn't to blame for it. */
export interface FormerLacks {
  /** Keys of what groups lacked. */
  readonly keys: ReadonlySet<string>;
  /** Nodes that didn't answer. */
  readonly silent: ReadonlySet<string>;
}

/**
 * Notes down what a cluster lacks before an update. What lacks on a node that has the planned settings already is not
 * among it: an update that was stopped by what those settings did is not to go on by being started again.
 *
 * @param restarted names of the nodes that the update is to restart.
 */
export function formerLacks(cluster: ObservedCluster, restarted: ReadonlySet<string>): FormerLacks {
  const lacks = lacksOf(groupsOf(cluster)).filter(
    ({ host }) => host === undefined || restarted.has(host),
  );
  return {
    keys: new Set(lacks.map(({ key }) => key)),
    silent: new Set(cluster.silent.filter((name) => restarted.has(name))),
  };
}

/**
 * The keys of former lacks that say nothing of a node's new settings: a node that didn't answer before has to come back
 * whole.
 */
export function excusedLacks(
  groups: readonly ReplicaGroup[],
  { keys, silent }: FormerLacks,
  changed: ReadonlySet<string>,
): ReadonlySet<string> {
  const excused = lacksOf(groups).filter(
    ({ key, host }) =>
      keys.has(key) && !(host !== undefined && changed.has(host) && silent.has(host)),
  );
  return new Set(excused.map(({ key }) => key));
}

export interface Turn {
  readonly node: string;
  /** Nodes of its step, which it may be down together with. */
  readonly mates: ReadonlySet<string>;
  /** Nodes that were let go by this update. */
  readonly gone: ReadonlySet<string>;
  /** Of those, the ones that run with their new settings. */
  readonly changed: ReadonlySet<string>;
  readonly former: FormerLacks;
  readonly planned: readonly StreamName[];
  /** Where the settings stand. @default "config" */
  readonly place?: SettingsPlace;
}

/** Why it isn't a node's turn. */
export interface Obstacle {
  /** The same as long as nothing changes. */
  readonly reason: string;
  /** What the person at the terminal can do. */
  readonly cure?: string;
}

/** Nodes that were let go and aren't back yet: they may go down at any moment. */
export function stillGone(
  cluster: ObservedCluster,
  { gone, changed, former }: Pick<Turn, "gone" | "changed" | "former">,
): string[] {
  const groups = groupsOf(cluster);
  const excused = excusedLacks(groups, former, changed);
  const unwell = new Set(
    lacksOf(groups).flatMap(({ key, host }) => (host && !excused.has(key) ? [host] : [])),
  );
  return [...gone].filter(
    (name) => !changed.has(name) || unwell.has(name) || cluster.silent.includes(name),
  );
}

/**
 * Says why a node isn't to be restarted now; undefined if it may. It mustn't take a group's majority, nor go before
 * those that went before it are well again, unless it is down itself.
 */
export function whyNotItsTurn(cluster: ObservedCluster, turn: Turn): Obstacle | undefined {
  const { node, mates, changed, former } = turn;
  const groups = groupsOf(cluster);
  const down = [...new Set([...stillGone(cluster, turn), node])];
  const loser = groups.find((group) => counts(group, node) && losesMajority(group, down));
  if (loser) return describeLoss(loser, down, turn);
  const isDown = cluster.silent.includes(node) && !groups.some((group) => counts(group, node));
  if (isDown) return undefined;
  const isMate = (name: string) => name === node || mates.has(name);
  const silent = cluster.silent.filter(
    (name) => !isMate(name) && (changed.has(name) || !former.silent.has(name)),
  );
  if (silent.length > 0) return { reason: `no answer from ${silent.join(", ")}` };
  if (cluster.servers.length > 0 && cluster.meta === undefined) {
    return { reason: "the meta group has no leader" };
  }
  const known = excusedLacks(groups, former, changed);
  const reason = whyNotWell(groups, { isAwaited: (name) => !isMate(name), known });
  return reason === undefined ? undefined : { reason };
}

function counts({ hosts, ill }: ReplicaGroup, node: string): boolean {
  return hosts.includes(node) && !ill.includes(node);
}

function describeLoss(
  group: ReplicaGroup,
  down: readonly string[],
  { node, planned, place }: Turn,
): Obstacle {
  const others = down.filter((name) => name !== node && group.hosts.includes(name));
  const lacks = lacksOf([group]);
  if (lacks.length === 0) {
    return {
      reason: `${group.name} would lose its majority, as ${others.join(", ")} may be down too`,
    };
  }
  return {
    reason: `${describeIllness(group, planned)}, and would lose its majority by a restart of ${node}`,
    cure: describeCure(group, place),
  };
}
