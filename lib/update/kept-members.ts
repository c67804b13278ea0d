/**
 * The meta group that data volumes were in when their servers last ran, and whether it can begin with the nodes of the
 * settings.
 *
 * The servers themselves say it: `peers.idx` has the members, and is written at each start and whenever they change.
 * It is thus right for volumes of any version, and needs no marks that an `up` would have to keep up to date. It
 * doesn't have the name of the NATS cluster, which is a label of the volume: a stack's running nodes can't change it.
 */

import { listSome } from "../base/wording.ts";
import { peerId } from "../observed/meta-group.ts";
import { majorityOf } from "../placement/survivability.ts";

/** Path in a data volume at which nats-server (2.15) notes the members of its meta group. It is never encrypted. */
export const PEERS_FILE = "jetstream/$SYS/_js_/_meta_/peers.idx";

const HEADER_BYTES = 8;
const ID_BYTES = 8;

/** A meta group as a server last knew it. */
export interface MetaMembers {
  /** How many members it has. More than there are ids if it never had a leader. */
  readonly size: number;
  /** See {@link peerId}; sorted. */
  readonly ids: readonly string[];
}

/**
 * Reads `peers.idx`: the group's size and the number of ids as 32-bit little-endian integers, then the ids of 8
 * characters (nats-server 2.15, `encodePeerState` in server/raft.go).
 *
 * @returns undefined if it has another form; the server then bootstraps as if it had none.
 */
export function parsePeers(file: Uint8Array): MetaMembers | undefined {
  if (file.length < HEADER_BYTES) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const size = view.getUint32(0, true);
  const count = view.getUint32(4, true);
  if (file.length < HEADER_BYTES + count * ID_BYTES) return undefined;
  const ids = Array.from({ length: count }, (_, index) => {
    const start = HEADER_BYTES + index * ID_BYTES;
    return String.fromCharCode(...file.subarray(start, start + ID_BYTES));
  });
  return { size, ids: ids.sort() };
}

export interface KeptNode {
  readonly node: string;
  readonly dataVolume: string;
  /** Undefined if the volume has no such state, or couldn't be read. */
  readonly group: MetaMembers | undefined;
  readonly hasContainer: boolean;
}

export interface KeptCluster {
  /** Planned nodes whose data volume exists. */
  readonly returning: readonly KeptNode[];
  /** Names of all planned nodes. */
  readonly planned: readonly string[];
  /** Nodes that aren't planned and whose data volume exists. */
  readonly others: readonly Pick<KeptNode, "node" | "dataVolume">[];
  /** Whether no node has a container. */
  readonly isNew: boolean;
}

/** Nodes whose volumes say the same of their meta group. */
interface Cohort {
  readonly group: MetaMembers;
  readonly nodes: readonly KeptNode[];
}

/**
 * Why volumes can't be used as the settings say, and what to do; undefined if they can. All observed with nats-server
 * 2.15.2:
 *
 * - A group begins with the majority of its members, or with all of them where most are empty. Its new members join
 *   then. An empty server's vote only counts where all members vote (`runAsCandidate` in server/raft.go), and that of a
 *   server that is no member never does.
 * - Members that don't come stay members, so that the group has another size than the settings say, and the `up` would
 *   wait for them.
 * - If two groups can begin, each with its own majority, their volumes are of two times. Where they start together,
 *   chance decides: either the streams of one are deleted, or all servers hear one leader, whose log those of the other
 *   group never take over. Where one runs already, the latter happens.
 */
export function whyUnfit(kept: KeptCluster): string | undefined {
  const cohorts = cohortsAmong(kept.returning);
  const [first, second] = cohorts.filter(standsAlone);
  if (first && second) return describeTwoTimes(first, second);
  if (!kept.isNew) return undefined;
  const judged = first ? [first] : cohorts;
  const lacking = judged.map((cohort) => missingOf(cohort, kept.planned));
  const [cohort, missing] = [judged[0], lacking[0]];
  if (!cohort || !missing || lacking.some((ids) => ids.length === 0)) return undefined;
  return describeMissing(cohort, missing, kept);
}

/** Whether the volumes say of which group they are, so that {@link whyUnfit} can tell. */
export function saysItsGroup({ returning }: Pick<KeptCluster, "returning">): boolean {
  return returning.some(({ group }) => group !== undefined);
}

/** Says of a cluster that begins if most members of its meta group are empty: the group waits for each of them. */
export function describeLateLeader({ returning }: KeptCluster): string[] {
  const [cohort, ...more] = cohortsAmong(returning);
  if (!cohort || [cohort, ...more].some(standsAlone)) return [];
  const { size } = cohort.group;
  return [
    `Most of the ${size} members of their meta group begin empty: it has no leader before all ${size} run.`,
  ];
}

/** The largest first. */
function cohortsAmong(nodes: readonly KeptNode[]): Cohort[] {
  const groups = Map.groupBy(nodes, ({ group }) => JSON.stringify(group));
  return [...groups.values()]
    .flatMap((nodes) => {
      const group = nodes[0]?.group;
      return group ? [{ group, nodes }] : [];
    })
    .sort((a, b) => b.nodes.length - a.nodes.length);
}

function standsAlone({ group, nodes }: Cohort): boolean {
  const members = nodes.filter(({ node }) => group.ids.includes(peerId(node)));
  return members.length >= majorityOf(group.size);
}

function missingOf({ group }: Cohort, planned: readonly string[]): string[] {
  const ids = new Set(planned.map(peerId));
  return group.ids.filter((id) => !ids.has(id));
}

function describeTwoTimes(first: Cohort, second: Cohort): string {
  const [one, other] = [first, second].map(
    ({ nodes, group }) => `${namesOf(nodes)} in a meta group of ${group.size}`,
  );
  const removals = [second, first]
    .filter(({ nodes }) => !nodes.some(({ hasContainer }) => hasContainer))
    .map(({ nodes }) => `docker volume rm ${volumesOf(nodes)}`);
  const letGo =
    removals.length === 0 ? "" : `; or let go of what they hold: ${removals.join("; or: ")}`;
  return `The data volumes are of two times: their servers last ran ${one}, and ${other}. Each group has a majority: together, the streams of one are deleted, or the servers never agree; nothing was changed.\nTake the nodes of one of them out of the settings${letGo}`;
}

function describeMissing(
  cohort: Cohort,
  missing: readonly string[],
  { returning, others }: KeptCluster,
): string {
  const { group, nodes } = cohort;
  const named = others.filter(({ node }) => missing.includes(peerId(node)));
  const nameless = missing.length - named.length;
  const absent = "of which no volumes were found";
  const more = nameless === 0 ? "" : `, and ${nameless} ${absent}`;
  const members = named.length === 0 ? `, ${absent}` : `: ${namesOf(named)}${more}`;
  const outcome = standsAlone(cohort)
    ? "They stay its members, and the `up` would wait for them"
    : `It has no leader with fewer than ${majorityOf(group.size)} members, and nothing would begin`;
  return `${namesOf(nodes)} ${nodes.length === 1 ? "comes" : "come"} back to data volumes of a meta group of ${group.size}. The settings lack ${missing.length} of its members${members}. ${outcome}; nothing was changed.\nBring all of them back by an \`up\` with the settings of before, and take nodes out by another; or begin again, without the messages: docker volume rm ${volumesOf([...returning, ...named])}`;
}

function namesOf(nodes: readonly Pick<KeptNode, "node">[]): string {
  return listSome(nodes.map(({ node }) => node));
}

function volumesOf(nodes: readonly Pick<KeptNode, "dataVolume">[]): string {
  return nodes.map(({ dataVolume }) => dataVolume).join(" ");
}
