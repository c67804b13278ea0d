import { peerId } from "./meta-group.ts";

/** What the monitoring pages of one node say about its readiness. Fields are undefined if it doesn't answer. */
export interface NodeReport {
  readonly name: string;
  /** Server name of the meta leader, in this node's view; `""` if there is none. */
  readonly metaLeader?: string;
  /** Number of members of the meta group, in this node's view. */
  readonly metaSize?: number;
  /** The error in `/healthz`; `""` if there is none. */
  readonly health?: string;
  /** Whether its container exists and runs; undefined if that wasn't checked. */
  readonly isUp?: boolean;
  /** The other members. Only the meta leader's view of them is reliable (nats-server 2.15). */
  readonly peers?: readonly MetaPeer[];
}

export interface MetaPeer {
  /** See {@link peerId}. It is always there, also if the leader doesn't know the member's name. */
  readonly id: string;
  /** The member's name, as far as the leader knows it. */
  readonly name: string;
  /** Online and current. */
  readonly well: boolean;
}

/**
 * Says why a cluster isn't ready; undefined if it is. It is ready if all nodes are in **one** meta group, all members
 * are current, and all nodes are healthy, with all their streams and consumers.
 *
 * `/healthz` alone doesn't suffice: it reports success if there are two meta groups that are healthy each.
 *
 * @param later nodes of later waves. They needn't run yet, but those that run must be current.
 * @param isKnown whether a node's health error is to be ignored, because it existed before.
 */
export function whyNotReady(
  reports: readonly NodeReport[],
  later: readonly NodeReport[] = [],
  isKnown: (report: NodeReport) => boolean = () => false,
): string | undefined {
  const down = reports.filter(({ isUp }) => isUp === false);
  if (down.length > 0) return `${names(down)} ${down.length === 1 ? "doesn't" : "don't"} run`;
  const silent = reports.filter((report) => !isRunning(report));
  if (silent.length > 0) return `no answer from ${names(silent)}`;

  const nonMembers = findNonMembers(reports, later);
  if (nonMembers.length > 0) {
    return `${names(nonMembers)} ${nonMembers.length === 1 ? "is no member" : "are no members"} of the meta group yet; a node that was removed from it joins again after ${REJOIN_MS / 60_000} minutes`;
  }

  const leaderless = reports.filter(({ metaLeader }) => metaLeader === "");
  if (leaderless.length > 0) return `no meta leader yet on ${names(leaderless)}`;

  const leaders = new Set(reports.map(({ metaLeader }) => metaLeader));
  if (leaders.size > 1) return `more than one meta group, led by ${[...leaders].join(" and ")}`;

  const sizes = reports.map(({ metaSize = 0 }) => metaSize);
  const expected = later.length === 0 ? reports.length : Math.max(...sizes);
  const differing = reports.find(({ metaSize }) => metaSize !== expected);
  if (differing)
    return `${differing.name} knows ${differing.metaSize} of ${expected} members of the meta group`;

  const lagging = laggingMembers(reports, later);
  if (lagging.length > 0) return `the meta group waits for ${names(lagging)}`;

  const ill = reports.find((report) => report.health !== "" && !isKnown(report));
  return ill && `${ill.name}: ${ill.health}`;
}

/**
 * Whether waiting is useless: even with all nodes before the gate, and the later ones that run already, the meta
 * group has no majority. More of the later nodes must be started first.
 */
export function needsLaterNodes(
  reports: readonly NodeReport[],
  later: readonly NodeReport[],
): boolean {
  const expected = reports.length + later.filter(isRunning).length;
  return expected <= (reports.length + later.length) / 2;
}

/**
 * Whether the meta group may never have had a leader: no running node knows one, and some later nodes don't run. A
 * group that never had a leader elects none before all members are there (nats-server 2.15, `bootstrapRaftNode` in
 * server/raft.go). A group that had one elects another within seconds if a majority is left. Only the time that
 * passes distinguishes the two.
 */
export function mayNeverHaveHadLeader(
  reports: readonly NodeReport[],
  later: readonly NodeReport[],
): boolean {
  const running = [...reports, ...later.filter(isRunning)];
  const isShort = running.length < reports.length + later.length;
  return isShort && running.every(({ metaLeader }) => metaLeader === "");
}

/**
 * Nodes that aren't members of the meta group, by its leader's view; empty if no leader is known. A node that was
 * removed from the group joins again {@link REJOIN_MS} later, if it runs.
 */
export function findNonMembers(
  reports: readonly NodeReport[],
  later: readonly NodeReport[] = [],
): NodeReport[] {
  const leader = leaderOf([...reports, ...later]);
  const members = new Set(leader?.peers?.map(({ id }) => id));
  return reports.filter(
    (report) => leader !== undefined && report !== leader && !members.has(peerId(report.name)),
  );
}

/** Milliseconds: `peerRemoveTimeout` in server/raft.go of nats-server 2.15. */
export const REJOIN_MS = 300_000;

function leaderOf(reports: readonly NodeReport[]): NodeReport | undefined {
  return reports.find(({ name, metaLeader }) => name === metaLeader);
}

/**
 * Running nodes that lag in the meta group. Later nodes that are down, and members that aren't our nodes, are
 * skipped.
 */
function laggingMembers(
  reports: readonly NodeReport[],
  later: readonly NodeReport[],
): NodeReport[] {
  const running = [...reports, ...later.filter(isRunning)];
  const peers = new Map(leaderOf(running)?.peers?.map(({ id, well }) => [id, well]));
  return running.filter(({ name }) => peers.get(peerId(name)) === false);
}

function isRunning({ metaLeader }: NodeReport): boolean {
  return metaLeader !== undefined;
}

function names(reports: readonly { readonly name: string }[]): string {
  return reports.map(({ name }) => name).join(", ");
}
