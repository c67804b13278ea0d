import { peerId } from "./meta-group.ts";

/** What the monitoring pages of one node say, as far as readiness goes; `undefined` where it doesn't answer. */
export interface NodeReport {
  readonly name: string;
  /** Server name of the meta leader as this node sees it, `""` while there is none. */
  readonly metaLeader?: string;
  /** Members of the meta group as this node sees it. */
  readonly metaSize?: number;
  /** What `/healthz` complains about, `""` if nothing. */
  readonly health?: string;
  /** Whether its container is there and runs; undefined where nobody looked. */
  readonly isUp?: boolean;
  /** The other members; only the meta leader's own view of them counts (nats-server 2.15). */
  readonly peers?: readonly MetaPeer[];
}

export interface MetaPeer {
  /** See {@link peerId}: a name that the leader has never heard is missing, the id is not. */
  readonly id: string;
  /** As the leader has it. */
  readonly name: string;
  /** Online and current. */
  readonly well: boolean;
}

/**
 * Says why a cluster isn't ready, or `undefined` when it is: all nodes in **one** meta group, every
 * member current, every node healthy with all streams and consumers that it holds.
 *
 * `/healthz` alone is not enough: two meta groups, each of them healthy, look well to it.
 *
 * @param later nodes of later waves, which needn't run yet; those that do have to be current.
 * @param isKnown whether a node's complaint about its own health is an old one, of which nothing is expected.
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

  const strangers = findStrangers(reports, later);
  if (strangers.length > 0) {
    return `the meta group doesn't count ${names(strangers)} yet; what was taken out of it is taken back after ${REJOIN_MS / 60_000} minutes`;
  }

  const leaderless = reports.filter(({ metaLeader }) => metaLeader === "");
  if (leaderless.length > 0) return `no meta leader yet on ${names(leaderless)}`;

  const leaders = new Set(reports.map(({ metaLeader }) => metaLeader));
  if (leaders.size > 1) return `more than one meta group, led by ${[...leaders].join(" and ")}`;

  const sizes = reports.map(({ metaSize = 0 }) => metaSize);
  const expected = later.length === 0 ? reports.length : Math.max(...sizes);
  const stray = reports.find(({ metaSize }) => metaSize !== expected);
  if (stray)
    return `${stray.name} knows ${stray.metaSize} of ${expected} members of the meta group`;

  const lagging = laggingMembers(reports, later);
  if (lagging.length > 0) return `the meta group waits for ${names(lagging)}`;

  const ill = reports.find((report) => report.health !== "" && !isKnown(report));
  return ill && `${ill.name}: ${ill.health}`;
}

/**
 * Whether waiting is in vain: with every node before the gate up, and of the later ones those that run,
 * the meta group still has no majority, so that nothing gets better before more of them are started.
 */
export function needsLaterNodes(
  reports: readonly NodeReport[],
  later: readonly NodeReport[],
): boolean {
  const expected = reports.length + later.filter(isRunning).length;
  return expected <= (reports.length + later.length) / 2;
}

/**
 * Whether all nodes that run know no meta leader, while later ones don't run. A group that never had a leader elects
 * none before every member is there (nats-server 2.15, `bootstrapRaftNode` in server/raft.go); one that had, elects
 * another within seconds where a majority is left. Only time tells the two apart.
 */
export function mayNeverHaveBegun(
  reports: readonly NodeReport[],
  later: readonly NodeReport[],
): boolean {
  const running = [...reports, ...later.filter(isRunning)];
  const isShort = running.length < reports.length + later.length;
  return isShort && running.every(({ metaLeader }) => metaLeader === "");
}

/**
 * Nodes that the meta leader doesn't count yet, by its own view; none where the leader isn't known. One that
 * was taken out of the group is taken back in {@link REJOIN_MS} after that, if it runs.
 */
export function findStrangers(
  reports: readonly NodeReport[],
  later: readonly NodeReport[] = [],
): NodeReport[] {
  const leader = leaderOf([...reports, ...later]);
  const members = new Set(leader?.peers?.map(({ id }) => id));
  return reports.filter(
    (report) => leader !== undefined && report !== leader && !members.has(peerId(report.name)),
  );
}

/** nats-server 2.15, `peerRemoveTimeout` in server/raft.go. */
export const REJOIN_MS = 300_000;

function leaderOf(reports: readonly NodeReport[]): NodeReport | undefined {
  return reports.find(({ name, metaLeader }) => name === metaLeader);
}

/** A node of a later wave that doesn't run has no one waiting for it, nor has a member that is none of the nodes. */
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
