/** In which order nodes are restarted, by the waves that are planned and by what runs. */

import type { SettingsPlace } from "../base/settings-place.ts";
import { listSome } from "../base/wording.ts";
import {
  cured,
  describeCure,
  describeGroup,
  describeIllness,
  groupsOf,
  lacksOf,
  losesMajority,
  type ReplicaGroup,
} from "../observed/majorities.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import type { StreamName } from "../streams/stream-name.ts";

export interface RolloutOrder<Node> {
  /** All nodes. Those of a step may be down together; each step waits for the one before. */
  readonly steps: readonly (readonly Node[])[];
  /** Nodes that are restarted before all others: they don't answer, or lack replicas that bar others. */
  readonly early: readonly Node[];
  /** Nodes that are restarted after all others, each with a group that has to get well before. */
  readonly late: readonly { readonly node: Node; readonly barredBy: ReplicaGroup }[];
  /** Groups for which planned waves are taken apart. */
  readonly apart: readonly ReplicaGroup[];
}

/**
 * Orders nodes so that no group loses its majority, wherever it is now: planned waves go by where streams will be.
 *
 * A wave is taken apart where its nodes can't be down together. Nodes that are down come first, and those whose replicas
 * are ill, where others can't be restarted before these are well. Those others come last, unless what they wait for comes
 * back by its own restart. A group that survives the loss of no node stops with its own, and counts for nothing here.
 *
 * @param restarted names of the nodes that are to be restarted; the others stay up.
 * @param cluster as it is before anything changes.
 */
export function orderRestarts<Node extends { readonly name: string }>(
  waves: readonly (readonly Node[])[],
  restarted: ReadonlySet<string>,
  cluster: ObservedCluster,
): RolloutOrder<Node> {
  const groups = groupsOf(cluster);
  const toRestart = waves.flat().filter(({ name }) => restarted.has(name));
  // Where no node runs, there is nobody to spare.
  const silent = cluster.servers.length === 0 ? [] : cluster.silent;
  const comesBack = (name: string) => silent.includes(name) && restarted.has(name);
  const lacking = [...new Set(lacksOf(groups).map(({ group }) => group))].filter(
    ({ hosts, replicas, ill }) => hosts.length < replicas || !ill.every(comesBack),
  );
  const late = toRestart.flatMap((node) => {
    const barredBy = lacking.find((group) => losesMajority(group, [node.name]));
    return barredBy ? [{ node, barredBy }] : [];
  });
  const barring = lacking.filter((group) =>
    late.some(({ node }) => losesMajority(group, [node.name])),
  );
  const barred = new Set(late.map(({ node }) => node));
  const isEarly = ({ name }: Node) =>
    comesBack(name) || barring.some(({ ill }) => ill.includes(name));
  const early = toRestart.filter((node) => !barred.has(node) && isEarly(node));
  const moved = new Set([...early, ...barred]);
  const sound = groups.map(cured);
  const parts = waves.flatMap((wave) => {
    const members = wave.filter((node) => !moved.has(node));
    return splitWave(members, restarted, sound);
  });
  const earlyParts = splitWave(early, restarted, [...groups, ...sound]);
  return {
    steps: [...earlyParts, ...parts, ...[...barred].map((node) => [node])],
    early,
    late,
    apart: sound.filter((group) => waves.some((wave) => losesMajority(group, restartedOf(wave)))),
  };

  function restartedOf(wave: readonly Node[]): string[] {
    return wave.map(({ name }) => name).filter((name) => restarted.has(name));
  }
}

/** Nodes that aren't restarted are in the first part, as they lose nothing. */
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

/** Says where an order differs from the planned waves, and why: sentences, warnings where a person has to act. */
export function describeOrder<Node extends { readonly name: string }>(
  { early, late, apart }: RolloutOrder<Node>,
  planned: readonly StreamName[],
  place?: SettingsPlace,
): { readonly notices: readonly string[]; readonly warnings: readonly string[] } {
  const together = apart.map((group) => describeGroup(group, planned));
  const byGroup = Map.groupBy(late, ({ barredBy }) => barredBy);
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
      ([group, barred]) =>
        `restarted last, and only once it is well: ${listSome(barred.map(({ node }) => node.name))}, as ${describeIllness(group, planned)}. To get it well: ${describeCure(group, place)}.`,
    ),
  };
}
