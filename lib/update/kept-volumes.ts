/**
 * Data volumes that were kept when their nodes left or their stack was destroyed, and new nodes that would use them.
 */

import { listSome } from "../base/wording.ts";
import { majorityOf } from "../placement/survivability.ts";
import { describeLateLeader, type KeptCluster, saysItsGroup } from "./kept-members.ts";

export interface KeptVolumes {
  /** Planned nodes of which only the data volume exists: no container, no config. */
  readonly returning: readonly { readonly node: string; readonly dataVolume: string }[];
  /** Names of data volumes whose nodes are not planned and do not exist. */
  readonly others: readonly string[];
  /** Whether no node exists, so that the whole cluster is created again from kept volumes. */
  readonly isNew: boolean;
  /** The name of the NATS cluster, if volumes don't say that it is theirs: those of versions without that label. */
  readonly unsaid?: string | undefined;
  /** Those of a new cluster, with what they say of its meta group. */
  readonly judged?: KeptCluster | undefined;
}

/** Warns of kept volumes, with what the user can do. */
export function describeKeptVolumes(kept: KeptVolumes): string[] {
  const { returning, isNew, unsaid } = kept;
  if (returning.length === 0) return [];
  const notice = `The volumes don't say of which cluster they are, as an earlier version made them. If it wasn't ${unsaid}, put the name back first.`;
  return [...describeReturn(kept), ...(isNew && unsaid !== undefined ? [notice] : [])];
}

function describeReturn({ returning, others, isNew, judged }: KeptVolumes): string[] {
  const nodes = listSome(returning.map(({ node }) => node));
  const volumes = returning.map(({ dataVolume }) => dataVolume);
  const come = returning.length === 1 ? "comes" : "come";
  const back = `${nodes} ${come} back to the data volumes that were kept`;
  if (!isNew) {
    return [
      `${back}. Where they are of a cluster that was created again since, it doesn't take them in, and they have to go first: docker volume rm ${volumes.join(" ")}`,
    ];
  }
  if (judged && saysItsGroup(judged)) return [`${back}.`, ...describeLateLeader(judged)];
  if (others.length === 0) return [`${back}.`];
  const members = returning.length + others.length;
  const outcome =
    returning.length < majorityOf(members)
      ? `a meta group of ${members} has no leader without ${majorityOf(members)} of them, and nothing begins`
      : `a meta group of ${members} waits for all of them`;
  return [
    `${back}, but not the nodes of ${listSome(others)}: where those were members when the cluster was taken down, ${outcome}. Bring all of them back by an \`up\` with the settings of before, and take nodes out by another; or begin again, without the messages: docker volume rm ${[...volumes, ...others].join(" ")}`,
  ];
}
