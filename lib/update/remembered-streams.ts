import { ownValue } from "../base/records.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { digestConfig } from "../streams/stream-diff.ts";
import { type StreamName, streamKey } from "../streams/stream-name.ts";
import type { StreamPolicy } from "../streams/stream-policy.ts";

/** Which streams there are, and in which accounts: remembered for the day on which they leave the settings. */
export interface Roster {
  /** The first account. */
  readonly account: string;
  /** There if the first one has no streams, as its `jetStream` is off. */
  readonly firstIsOff?: true;
  /** The others that have streams; absent where there are none. */
  readonly otherAccounts?: readonly string[];
  /** By key. */
  readonly streams: Readonly<Record<string, RosterEntry>>;
  /**
   * Streams that have left the settings, and were there when an `up` was about to delete them: it may have failed
   * before it did. Absent where there are none.
   */
  readonly leaving?: Readonly<Record<string, LeavingEntry>>;
  /**
   * What streams were to become when an `up` began, by key, see {@link digestConfig}: it may have been killed before the
   * state had it.
   */
  readonly begun?: Readonly<Record<string, string>>;
  /**
   * Keys that streams had before, by those that they have: the \`up\` that gave a stream another one may have failed before
   * the state had it. Absent where there are none.
   */
  readonly renamed?: Readonly<Record<string, string>>;
}

export interface RosterEntry extends Pick<StreamPolicy, "allowDataLoss"> {
  /** Absent: the first one. */
  readonly account?: string;
  /** Its name; absent: its key. */
  readonly stream?: string;
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
      streams.map(({ key, name, account, policy: { allowDataLoss } }) => [
        key,
        {
          ...(account === first?.name ? {} : { account }),
          ...(name === key ? {} : { stream: name }),
          ...(allowDataLoss ? { allowDataLoss } : {}),
        },
      ]),
    ),
  };
}

/** What each stream of a plan is to become, by key. */
export function begunBy(streams: ClusterPlan["streams"]): Readonly<Record<string, string>> {
  return Object.fromEntries(streams.map(({ key, config }) => [key, digestConfig(config)]));
}

/** What each stream of a plan takes, by key: what a roster is told, and doesn't remember. */
export function subjectsOf(
  streams: ClusterPlan["streams"],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(streams.map(({ key, config }) => [key, config.subjects ?? []]));
}

/** Which streams of a plan are mirrors, by key, of which of their account, by name: what a roster is told, too. */
export function mirrorsOf(streams: ClusterPlan["streams"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    streams.flatMap(({ key, config: { mirror } }) =>
      mirror && !mirror.external ? [[key, mirror.name]] : [],
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
  const leavers = new Set(
    Object.entries(leaversOf(olds, news)).map(([key, entry]) =>
      streamKey(identify(key, entry, olds.account)),
    ),
  );
  return Object.entries(mirrors).flatMap(([key, origin]) => {
    const { account, name: mirror } = streamOf(news, key);
    if (!leavers.has(streamKey({ account, name: origin }))) return [];
    return [
      `stream ${origin} is taken out of the settings, but ${mirror} mirrors it, and would leave out what another one of that name begins with; put it back, or take mirror out of ${mirror}, which then keeps what it has as a stream of its own`,
    ];
  });
}

/** The accounts that have streams, or may have them. */
export function accountsOf({ account, firstIsOff, otherAccounts = [] }: Roster): readonly string[] {
  return firstIsOff ? otherAccounts : [account, ...otherAccounts];
}

/**
 * Streams that were this stack's after the last `up`, or should have gone by then, and that `news` doesn't have, by key:
 * one that has another key there stays.
 */
export function leaversOf(olds: Roster, news: Roster): Readonly<Record<string, LeavingEntry>> {
  const staying = new Set(Object.keys(news.streams).map((key) => streamKey(streamOf(news, key))));
  const all = Object.entries(rememberedIn(olds));
  return Object.fromEntries(
    all.filter(
      ([key, entry]) =>
        !Object.hasOwn(news.streams, key) &&
        !staying.has(streamKey(identify(key, entry, olds.account))),
    ),
  );
}

/** Keys that streams had in an older roster, by those that \`news\` has for them, where they differ. */
export function renamingsOf(olds: Partial<Roster>, news: Roster): Readonly<Record<string, string>> {
  const first = olds.account ?? news.account;
  const all = Object.entries(rememberedIn(olds)).map(
    ([key, entry]) => [streamKey(identify(key, entry, first)), key] as const,
  );
  const formerKeys = new Map(all);
  return Object.fromEntries(
    Object.keys(news.streams).flatMap((key) => {
      const former = formerKeys.get(streamKey(streamOf(news, key)));
      const earlier = former === key ? ownValue(olds.renamed ?? {}, key) : former;
      return earlier === undefined ? [] : [[key, earlier]];
    }),
  );
}

/** All streams that an older roster knows, by key, those among them that should have gone. */
export function rememberedIn({
  streams = {},
  leaving,
}: Partial<Roster>): Readonly<Record<string, LeavingEntry>> {
  return { ...leaving, ...streams };
}

/** Which stream one of its keys stands for. */
export function streamOf({ account, streams }: Roster, key: string): StreamName {
  return identify(key, ownValue(streams, key) ?? {}, account);
}

/** @param first the first account. */
export function identify(key: string, entry: RosterEntry, first: string): StreamName {
  return { account: entry.account ?? first, name: entry.stream ?? key };
}
