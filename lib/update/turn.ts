/** The last check before a node is restarted, with the cluster as observed at that moment. */
import type { SettingsPlace } from "../base/settings-place.ts";
import {
  describeRemedy,
  describeUnhealthy,
  groupsOf,
  lacksOf,
  losesMajority,
  type ReplicaGroup,
  whyNotWell,
} from "../observed/majorities.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import type { StreamName } from "../streams/stream-name.ts";

/**
 * What the cluster lacked before an update changed anything, without what the same update, run before, may have
 * caused.
 */
export interface FormerLacks {
  /** Keys of lacks, see `lacksOf`. */
  readonly keys: ReadonlySet<string>;
  /** Nodes that didn't answer. */
  readonly silent: ReadonlySet<string>;
}

/**
 * Lists what a cluster lacks before an update. Nodes that have the planned settings already are left out: if those
 * settings caused a failure that stopped the update, another run of it must stop as well.
 *
 * @param restarted names of the nodes that the update will restart.
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
 * The keys of former lacks that the update may ignore. Lacks of a node that didn't answer before, and has been
 * restarted, are not among them: it must recover completely.
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

/** A node that waits for its restart, and the progress of the update. */
export interface Turn {
  readonly node: string;
  /** Other nodes of its step, which may be down together with it. */
  readonly stepPeers: ReadonlySet<string>;
  /** Nodes that this update has allowed to restart. */
  readonly gone: ReadonlySet<string>;
  /** Those of `gone` that run with their new settings. */
  readonly changed: ReadonlySet<string>;
  readonly former: FormerLacks;
  readonly planned: readonly StreamName[];
  /** Where the settings come from. @default "config" */
  readonly place?: SettingsPlace;
}

/** Why a node must not be restarted now. */
export interface Obstacle {
  /** The same text as long as nothing changes. */
  readonly reason: string;
  /** What the user can do. */
  readonly remedy?: string;
}

/** Nodes that were allowed to restart, and aren't well with their new settings yet. They may go down at any moment. */
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
 * Says why a node must not be restarted now; undefined if it may. A restart must take no group's majority, and must
 * wait until the nodes restarted before are well again. The latter doesn't apply if the node itself is down.
 */
export function whyNotItsTurn(cluster: ObservedCluster, turn: Turn): Obstacle | undefined {
  const { node, stepPeers, changed, former } = turn;
  const groups = groupsOf(cluster);
  const down = [...new Set([...stillGone(cluster, turn), node])];
  const loser = groups.find((group) => counts(group, node) && losesMajority(group, down));
  if (loser) return describeLoss(loser, down, turn);
  const isDown = cluster.silent.includes(node) && !groups.some((group) => counts(group, node));
  if (isDown) return undefined;
  const isMate = (name: string) => name === node || stepPeers.has(name);
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
    reason: `${describeUnhealthy(group, planned)}, and would lose its majority by a restart of ${node}`,
    remedy: describeRemedy(group, place),
  };
}
