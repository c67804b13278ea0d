/** The order in which nodes are restarted. It depends on the planned waves and on the observed cluster. */

import type { SettingsPlace } from "../base/settings-place.ts";
import { listSome } from "../base/wording.ts";
import {
  asHealthy,
  describeGroup,
  describeRemedy,
  describeUnhealthy,
  groupsOf,
  lacksOf,
  losesMajority,
  type ReplicaGroup,
} from "../observed/majorities.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import type { StreamName } from "../streams/stream-name.ts";

export interface RolloutOrder<Node> {
  /** All nodes, in steps. The nodes of a step may be down together; each step waits for the one before. */
  readonly steps: readonly (readonly Node[])[];
  /**
   * Nodes that are restarted before all others: they don't answer, or their ill replicas keep others from restarting.
   */
  readonly early: readonly Node[];
  /** Nodes that are restarted after all others, each with a group that has to get well first. */
  readonly late: readonly { readonly node: Node; readonly blockedBy: ReplicaGroup }[];
  /** Groups because of which planned waves are split. */
  readonly apart: readonly ReplicaGroup[];
}

/**
 * Orders nodes so that no group loses its majority where its replicas are now. Planned waves depend only on where
 * replicas will be.
 *
 * - A wave is split if its nodes can't be down together.
 * - First come nodes that are down, and nodes with ill replicas that keep others from restarting.
 * - Last come these others, unless the restart of a node that is down makes their groups well.
 * - A group that survives no loss stops with each of its nodes, and doesn't affect the order.
 *
 * @param restarted names of the nodes that are to be restarted; the others stay up.
 * @param cluster the observed cluster, before anything changes.
 */
export function orderRestarts<Node extends { readonly name: string }>(
  waves: readonly (readonly Node[])[],
  restarted: ReadonlySet<string>,
  cluster: ObservedCluster,
): RolloutOrder<Node> {
  const groups = groupsOf(cluster);
  const toRestart = waves.flat().filter(({ name }) => restarted.has(name));
  // If no node runs, restarts can't harm.
  const silent = cluster.servers.length === 0 ? [] : cluster.silent;
  const comesBack = (name: string) => silent.includes(name) && restarted.has(name);
  const lacking = [...new Set(lacksOf(groups).map(({ group }) => group))].filter(
    ({ hosts, replicas, ill }) => hosts.length < replicas || !ill.every(comesBack),
  );
  const late = toRestart.flatMap((node) => {
    const blockedBy = lacking.find((group) => losesMajority(group, [node.name]));
    return blockedBy ? [{ node, blockedBy }] : [];
  });
  const blocking = lacking.filter((group) =>
    late.some(({ node }) => losesMajority(group, [node.name])),
  );
  const blocked = new Set(late.map(({ node }) => node));
  const isEarly = ({ name }: Node) =>
    comesBack(name) || blocking.some(({ ill }) => ill.includes(name));
  const early = toRestart.filter((node) => !blocked.has(node) && isEarly(node));
  const moved = new Set([...early, ...blocked]);
  const sound = groups.map(asHealthy);
  const parts = waves.flatMap((wave) => {
    const members = wave.filter((node) => !moved.has(node));
    return splitWave(members, restarted, sound);
  });
  const earlyParts = splitWave(early, restarted, [...groups, ...sound]);
  return {
    steps: [...earlyParts, ...parts, ...[...blocked].map((node) => [node])],
    early,
    late,
    apart: sound.filter((group) => waves.some((wave) => losesMajority(group, restartedOf(wave)))),
  };

  function restartedOf(wave: readonly Node[]): string[] {
    return wave.map(({ name }) => name).filter((name) => restarted.has(name));
  }
}

/** Splits a wave so that no group loses its majority by a part. Nodes that aren't restarted go into the first part. */
function splitWave<Node extends { readonly name: string }>(
  wave: readonly Node[],
  restarted: ReadonlySet<string>,
  groups: readonly ReplicaGroup[],
): Node[][] {
  const parts: Node[][] = [];
  for (const node of wave) {
    const fits = (part: readonly Node[]) => {
      const down = [...part, node].map(({ name }) => name).filter((name) => restarted.has(name));
      return !restarted.has(node.name) || !groups.some((group) => losesMajority(group, down));
    };
    const part = parts.find(fits);
    if (part) part.push(node);
    else parts.push([node]);
  }
  return parts;
}

/** Describes how an order differs from the planned waves, and why. It is a warning if the user has to act. */
export function describeOrder<Node extends { readonly name: string }>(
  { early, late, apart }: RolloutOrder<Node>,
  planned: readonly StreamName[],
  place?: SettingsPlace,
): { readonly notices: readonly string[]; readonly warnings: readonly string[] } {
  const together = apart.map((group) => describeGroup(group, planned));
  const byGroup = Map.groupBy(late, ({ blockedBy }) => blockedBy);
  return {
    notices: [
      ...(together.length > 0
        ? [
            `not all nodes of a zone are restarted together, as ${listSome(together)} would lose the majority where its replicas are now`,
          ]
        : []),
      ...(early.length > 0
        ? [`restarted first, as they are not well: ${listSome(early.map(({ name }) => name))}`]
        : []),
    ],
    warnings: [...byGroup].map(
      ([group, blocked]) =>
        `restarted last, and only once it is well: ${listSome(blocked.map(({ node }) => node.name))}, as ${describeUnhealthy(group, planned)}. To get it well: ${describeRemedy(group, place)}.`,
    ),
  };
}
