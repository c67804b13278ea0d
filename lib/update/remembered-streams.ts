import { ownValue } from "../base/records.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { digestConfig } from "../streams/stream-diff.ts";
import type { StreamPolicy } from "../streams/stream-policy.ts";

/** Which streams there are, and in which accounts: remembered for the day on which they leave the settings. */
export interface Roster {
  /** The first account. */
  readonly account: string;
  /** There if the first one has no streams, as its `jetStream` is off. */
  readonly firstIsOff?: true;
  /** The others that have streams; absent where there are none. */
  readonly otherAccounts?: readonly string[];
  /** By name. */
  readonly streams: Readonly<Record<string, RosterEntry>>;
  /**
   * Streams that have left the settings, and were there when an `up` was about to delete them: it may have failed
   * before it did. Absent where there are none.
   */
  readonly leaving?: Readonly<Record<string, LeavingEntry>>;
  /**
   * What streams were to become when an `up` began, by name, see {@link digestConfig}: it may have been killed before the
   * state had it.
   */
  readonly begun?: Readonly<Record<string, string>>;
}

export interface RosterEntry extends Pick<StreamPolicy, "allowDataLoss"> {
  /** Absent: the first one. */
  readonly account?: string;
}

export interface LeavingEntry extends RosterEntry {
  /** RFC 3339: a stream of that name which was created at another time is another. Absent: nobody said. */
  readonly created?: string;
}

/** What is to be remembered of a plan. */
export function rosterOf({ accounts, streams }: Pick<ClusterPlan, "accounts" | "streams">): Roster {
  const [first, ...others] = accounts;
  const withStreams = others.filter(({ jetStream }) => jetStream !== false);
  return {
    account: first?.name ?? "",
    ...(first?.jetStream === false ? { firstIsOff: true } : {}),
    ...(withStreams.length > 0 ? { otherAccounts: withStreams.map(({ name }) => name) } : {}),
    streams: Object.fromEntries(
      streams.map(({ name, account, policy: { allowDataLoss } }) => [
        name,
        {
          ...(account === first?.name ? {} : { account }),
          ...(allowDataLoss ? { allowDataLoss } : {}),
        },
      ]),
    ),
  };
}

/** What each stream of a plan is to become, by name. */
export function begunBy(streams: ClusterPlan["streams"]): Readonly<Record<string, string>> {
  return Object.fromEntries(streams.map(({ name, config }) => [name, digestConfig(config)]));
}

/** What each stream of a plan takes, by name: what a roster is told, and doesn't remember. */
export function subjectsOf(
  streams: ClusterPlan["streams"],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(streams.map(({ name, config }) => [name, config.subjects ?? []]));
}

/** Which streams of a plan are mirrors, by name, of which of their account: what a roster is told, too. */
export function mirrorsOf(streams: ClusterPlan["streams"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    streams.flatMap(({ name, config: { mirror } }) =>
      mirror && !mirror.external ? [[name, mirror.name]] : [],
    ),
  );
}

/**
 * Says which streams leave that others mirror. One of the same name that comes later begins to count anew: a mirror
 * leaves out as many of its messages as it has got already (nats-server 2.15, `setupMirrorConsumer`).
 */
export function mirroredLeavers(
  olds: Roster,
  news: Roster,
  mirrors: Readonly<Record<string, string>>,
): string[] {
  const leavers = leaversOf(olds, news);
  return Object.entries(mirrors).flatMap(([mirror, origin]) => {
    const leaver = ownValue(leavers, origin);
    const account = leaver && (leaver.account ?? olds.account);
    if (account === undefined || account !== accountOf(news, mirror)) return [];
    return [
      `stream ${origin} is taken out of the settings, but ${mirror} mirrors it, and would leave out what another one of that name begins with; put it back, or take mirror out of ${mirror}, which then keeps what it has as a stream of its own`,
    ];
  });
}

/** The accounts that have streams, or may have them. */
export function accountsOf({ account, firstIsOff, otherAccounts = [] }: Roster): readonly string[] {
  return firstIsOff ? otherAccounts : [account, ...otherAccounts];
}

/** Streams that were this stack's after the last `up`, or should have gone by then, and that `news` doesn't have. */
export function leaversOf(olds: Roster, news: Roster): Readonly<Record<string, LeavingEntry>> {
  const all = Object.entries(rememberedIn(olds));
  return Object.fromEntries(all.filter(([name]) => !Object.hasOwn(news.streams, name)));
}

/** All streams that an older roster knows, those among them that should have gone. */
export function rememberedIn({
  streams = {},
  leaving,
}: Partial<Roster>): Readonly<Record<string, LeavingEntry>> {
  return { ...leaving, ...streams };
}

/** The account of one of its streams. */
export function accountOf({ account, streams }: Roster, stream: string): string {
  return streams[stream]?.account ?? account;
}
