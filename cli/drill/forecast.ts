/**
 * Failure drills as values: the expected effect of a loss, from the hosts of the replicas, and whether the observations
 * match it. All times are milliseconds since the start of the fault.
 */
import type { Seating } from "../../lib/placement/room.ts";
import {
  type Loss,
  type Outcome,
  outcomeOf,
  settledSeating,
} from "../../lib/placement/survivability.ts";

/** `zone`: a zone of one region, such as `rg1-az1`, or of all regions, such as `az1`. */
export type LossScope = "node" | "zone" | "region";

/** Finds the nodes of a loss; undefined if there is no such zone, region or node. */
export function findLoss(
  scope: LossScope,
  name: string,
  losses: readonly Loss[],
): Loss | undefined {
  const kinds = scope === "zone" ? ["zoneEverywhere", "zone"] : [scope];
  return losses.find((loss) => kinds.includes(loss.kind) && loss.name === name);
}

/** A raft group: the replicas of a stream, or the servers of the meta group. It needs a majority to make progress. */
export interface Group {
  /** `""` for the meta group. */
  readonly account: string;
  readonly name: string;
  readonly leader: string;
  /** The servers with a replica, the leader's included. */
  readonly hosts: readonly string[];
}

/** With known hosts, the outcome doesn't depend on the server's choice. */
export type KnownOutcome = Exclude<Outcome, "depends">;

export interface Forecast extends Group {
  /** The hosts that fail. */
  readonly failing: readonly string[];
  /** Expected from the current hosts. */
  readonly expected: KnownOutcome;
  /** Expected from the settings; absent if the group isn't in them. */
  readonly planned?: Outcome;
}

/** Predicts the effect of a loss on a group. @param planned the placement in the settings. */
export function forecast(
  { account, name, leader, hosts }: Group,
  { nodes }: Loss,
  planned?: Seating,
): Forecast {
  return {
    account,
    name,
    leader,
    hosts,
    failing: hosts.filter((host) => nodes.includes(host)),
    expected: outcomeOf(settledSeating(hosts), nodes) === "survives" ? "survives" : "lost",
    ...(planned ? { planned: outcomeOf(planned, nodes) } : {}),
  };
}

/**
 * How a group's majority is detected. `agreement`: its replicas are asked to agree on a write. `pages`: its leader's
 * monitoring page says how recently it heard from the other replicas.
 */
export type Probe = "agreement" | "pages";

/** The observations of a group: ascending times. */
export interface Observations {
  /** When its replicas agreed on a write. */
  readonly agreements: readonly number[];
  /** When its leader's page showed a majority. */
  readonly majorities: readonly number[];
  /** When its leader's page showed all replicas as current. */
  readonly complete: readonly number[];
}

export interface Timing {
  /** Start of the restore. */
  readonly restoring: number;
  /** End of the observation. */
  readonly end: number;
}

/** How a group is observed. */
export interface Probing {
  readonly probe: Probe;
  /** Time between two samples. Much shorter gaps aren't detected. */
  readonly interval: number;
}

export interface Finding extends Forecast, Probing {
  readonly observed: KnownOutcome;
  /** Longest time without a sign of a majority. */
  readonly longestGap: number;
  /** Time from the start of the restore; absent if the majority wasn't lost, or didn't come back. */
  readonly writableAfter?: number;
  /** Time from the start of the restore; absent if not all replicas became current. */
  readonly currentAfter?: number;
}

/**
 * A group that survives has elected its leader by the end of the fault, and has answered several times in this time.
 */
const SETTLED_MS = 5_000;

/** Evaluates the observations of a group. It had its majority when the fault began. */
export function judgeObservations(
  forecast: Forecast,
  observations: Observations,
  probing: Probing,
  { restoring, end }: Timing,
): Finding {
  const signs = probing.probe === "agreement" ? observations.agreements : observations.majorities;
  const last = signs.findLast((at) => at <= restoring) ?? Number.NEGATIVE_INFINITY;
  const observed = restoring - last <= SETTLED_MS ? "survives" : "lost";
  const writable = observed === "lost" ? signs.find((at) => at > restoring) : undefined;
  const current = observations.complete.find((at) => at > restoring);
  return {
    ...forecast,
    ...probing,
    observed,
    longestGap: longestGap(signs, end),
    ...(writable === undefined ? {} : { writableAfter: writable - restoring }),
    ...(current === undefined ? {} : { currentAfter: current - restoring }),
  };
}

function longestGap(signs: readonly number[], end: number): number {
  const times = [0, ...signs, end];
  return times.reduce((longest, at, index) => Math.max(longest, at - (times[index - 1] ?? 0)), 0);
}

/** Whether a group can be written to again, and all of its replicas are current. */
export function isBack({ observed, writableAfter, currentAfter }: Finding): boolean {
  return (observed === "survives" || writableAfter !== undefined) && currentAfter !== undefined;
}

/** The unexpected results of a group, one sentence each. @param name of the group, for users. */
export function describeFinding(name: string, finding: Finding, limit: number): string[] {
  const { hosts, failing, expected, observed, writableAfter, currentAfter } = finding;
  const up = `${hosts.length - failing.length} of its ${hosts.length} replicas up`;
  const within = `within ${limit / 1_000} s`;
  return [
    ...(expected === "survives" && observed === "lost"
      ? [`${name}: should have stayed writable, with ${up}, but did not`]
      : []),
    ...(expected === "lost" && observed === "survives"
      ? [`${name}: should not have been writable, with ${up}, but was`]
      : []),
    ...(observed === "lost" && writableAfter === undefined
      ? [`${name}: was not writable again ${within}`]
      : []),
    ...(currentAfter === undefined ? [`${name}: not all its replicas were current ${within}`] : []),
  ];
}

/** Says that replicas aren't on their planned hosts, if that changes the result; undefined if not. */
export function describeDeviation(
  name: string,
  { expected, planned }: Forecast,
): string | undefined {
  if (planned === undefined || planned === "depends" || planned === expected) return undefined;
  const byPlan = planned === "lost" ? "be lost" : "stay writable";
  return `${name}: by the settings it would ${byPlan}; its replicas are elsewhere`;
}

/** The streams that are asked, and how often. */
export interface Sampling {
  readonly groups: readonly Forecast[];
  /** Milliseconds between two requests to the same stream. */
  readonly interval: number;
}

const SHORTEST_INTERVAL_MS = 250;
const MOST_PER_SECOND = 100;
const LONGEST_INTERVAL_MS = 2_000;

/**
 * Limits the number of requests, because each is a write to the raft logs of its replicas: with many streams each is
 * asked less often; with very many, only some are asked, preferably those that lose a replica.
 */
export function sample(forecasts: readonly Forecast[]): Sampling {
  const most = (MOST_PER_SECOND * LONGEST_INTERVAL_MS) / 1_000;
  const [touched, others] = [
    forecasts.filter(({ failing }) => failing.length > 0),
    forecasts.filter(({ failing }) => failing.length === 0),
  ];
  const groups = [...touched, ...others].slice(0, most);
  const interval = Math.max(SHORTEST_INTERVAL_MS, (groups.length * 1_000) / MOST_PER_SECOND);
  return { groups, interval };
}
