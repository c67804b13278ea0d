/**
 * A failure drill as values: what should come of a loss by the hosts that replicas have, and whether that is
 * what was seen. All times are milliseconds since the fault began.
 */
import type { Seating } from "../../lib/placement/room.ts";
import {
  type Loss,
  type Outcome,
  outcomeOf,
  settledSeating,
} from "../../lib/placement/survivability.ts";

/** `zone`: of one region, as `rg1-az1`, or the same in all of them, as `az1`. */
export type LossScope = "node" | "zone" | "region";

/** Finds what is to fail; undefined where there is no such thing. */
export function findLoss(
  scope: LossScope,
  name: string,
  losses: readonly Loss[],
): Loss | undefined {
  const kinds = scope === "zone" ? ["zoneEverywhere", "zone"] : [scope];
  return losses.find((loss) => kinds.includes(loss.kind) && loss.name === name);
}

/** Replicas that need a majority to get anything done: of a stream, or all servers, the meta group. */
export interface Group {
  /** `""` for the meta group. */
  readonly account: string;
  readonly name: string;
  readonly leader: string;
  /** The servers that have a replica, the leader's among them. */
  readonly hosts: readonly string[];
}

/** Where the hosts are known, nothing is left to choice. */
export type Fate = Exclude<Outcome, "depends">;

export interface Forecast extends Group {
  /** The hosts that fail. */
  readonly failing: readonly string[];
  /** By its hosts. */
  readonly expected: Fate;
  /** By the settings; absent where they don't have it. */
  readonly planned?: Outcome;
}

/** Says what a loss does to a group. @param planned where the settings would have its replicas. */
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
 * How it was found out whether a group has its majority. `agreement`: its replicas were asked to agree on
 * something. `pages`: by what its leader's monitoring page says of the other replicas.
 */
export type Probe = "agreement" | "pages";

/** What was seen of a group, each a list of times, ascending. */
export interface Course {
  /** Its replicas agreed on something. */
  readonly agreements: readonly number[];
  /** Its leader's page told of a majority. */
  readonly majorities: readonly number[];
  /** Its leader's page told of all replicas, each of them current. */
  readonly complete: readonly number[];
}

export interface Timing {
  /** When the nodes began to be brought back. */
  readonly restoring: number;
  /** When watching ended. */
  readonly end: number;
}

/** How a group is watched. */
export interface Lookout {
  readonly probe: Probe;
  /** Time between two looks: no gap much shorter can be told. */
  readonly interval: number;
}

export interface Finding extends Forecast, Lookout {
  readonly observed: Fate;
  /** Longest time without a sign of a majority. */
  readonly longestGap: number;
  /** From the restoring on; absent for what was not lost, and what did not come back. */
  readonly writableAfter?: number;
  /** From the restoring on; absent where not all replicas became current. */
  readonly currentAfter?: number;
}

/** What got over a loss has elected its leader by the end, and answers several times in so long. */
const SETTLED_MS = 5_000;

/** Makes out what became of a group. It had its majority when the fault began. */
export function judgeCourse(
  forecast: Forecast,
  course: Course,
  lookout: Lookout,
  { restoring, end }: Timing,
): Finding {
  const signs = lookout.probe === "agreement" ? course.agreements : course.majorities;
  const last = signs.findLast((at) => at <= restoring) ?? Number.NEGATIVE_INFINITY;
  const observed = restoring - last <= SETTLED_MS ? "survives" : "lost";
  const writable = observed === "lost" ? signs.find((at) => at > restoring) : undefined;
  const current = course.complete.find((at) => at > restoring);
  return {
    ...forecast,
    ...lookout,
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

/** Whether a group can be written to again, and has all its replicas. */
export function isBack({ observed, writableAfter, currentAfter }: Finding): boolean {
  return (observed === "survives" || writableAfter !== undefined) && currentAfter !== undefined;
}

/** Says what is not as it should be with a group, a sentence each. @param name how it is called. */
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

/** Says where replicas are not where the settings would have them, and it shows; undefined if not. */
export function describeDeviation(
  name: string,
  { expected, planned }: Forecast,
): string | undefined {
  if (planned === undefined || planned === "depends" || planned === expected) return undefined;
  const byPlan = planned === "lost" ? "be lost" : "stay writable";
  return `${name}: by the settings it would ${byPlan}; its replicas are elsewhere`;
}

/** How often streams are asked, and which. */
export interface Sampling {
  readonly groups: readonly Forecast[];
  /** Milliseconds between two questions to the same stream. */
  readonly interval: number;
}

const SHORTEST_INTERVAL_MS = 250;
const MOST_PER_SECOND = 100;
const LONGEST_INTERVAL_MS = 2_000;

/**
 * Keeps the number of questions within bounds, as each is a write to the logs of its replicas: with many
 * streams each is asked less often, and of very many those first that lose a replica.
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
