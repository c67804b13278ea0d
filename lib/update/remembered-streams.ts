import { ownValue } from "../base/records.ts";
import type { ConsumerPolicy } from "../consumers/consumer-config.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { digestConfig } from "../streams/stream-diff.ts";
import { type StreamName, streamKey } from "../streams/stream-name.ts";
import type { StreamPolicy } from "../streams/stream-policy.ts";

/**
 * The streams of a stack and their accounts, stored in its state, so that an update finds those that left the
 * settings.
 */
export interface Roster {
  /** The first account. */
  readonly account: string;
  /** Present if the first account has no streams, because its `jetStream` is off. */
  readonly firstIsOff?: true;
  /** The other accounts with JetStream; absent if there are none. */
  readonly otherAccounts?: readonly string[];
  /** Streams by key. */
  readonly streams: Readonly<Record<string, RosterEntry>>;
  /**
   * Streams that have left the settings, and still existed when an `up` was about to delete them. It may have failed
   * before it did. Absent if there are none.
   */
  readonly leaving?: Readonly<Record<string, LeavingEntry>>;
  /**
   * Digests of the desired configs when an `up` began, by key, see {@link digestConfig}. It may have been killed
   * before the state had the configs.
   */
  readonly begun?: Readonly<Record<string, string>>;
  /**
   * Former keys of streams, by their new keys. The `up` that changed a key may have failed before the state had the
   * new one. Absent if there are none.
   */
  readonly renamed?: Readonly<Record<string, string>>;
  /**
   * Streams outside the settings that an `up` made and that Pulumi's state has no resource for, because the `up` was
   * killed before the state was written. The roster's provider deletes them. Absent if there are none.
   */
  readonly orphans?: Readonly<Record<string, LeavingEntry>>;
}

/**
 * The change of a roster by an `up`, noted before the `up` makes any stream. If the state still has `from`, the `up` was
 * killed before the state was written.
 */
export interface RosterNote {
  /** The roster in the state when the `up` began. Absent: there was none. */
  readonly from?: Roster;
  readonly to: Roster;
  /** When it was noted, RFC 3339. Older streams aren't of that `up`. */
  readonly at: string;
}

export interface RosterEntry extends Pick<StreamPolicy, "allowDataLoss"> {
  /** Absent: the first account. */
  readonly account?: string;
  /** The stream's name. Absent: its key. */
  readonly stream?: string;
  /** Its consumers by name. Absent: it has none. */
  readonly consumers?: Readonly<Record<string, ConsumerEntry>>;
}

export type ConsumerEntry = Pick<ConsumerPolicy, "allowDataLoss">;

export interface LeavingEntry extends RosterEntry {
  /**
   * When the stream was created, RFC 3339. A stream of that name with another time is another stream. Absent:
   * unknown.
   */
  readonly created?: string;
}

/** The roster of a plan. */
export function rosterOf({ accounts, streams }: Pick<ClusterPlan, "accounts" | "streams">): Roster {
  const [first, ...others] = accounts;
  const withStreams = others.filter(({ jetStream }) => jetStream !== false);
  return {
    account: first?.name ?? "",
    ...(first?.jetStream === false ? { firstIsOff: true } : {}),
    ...(withStreams.length > 0 ? { otherAccounts: withStreams.map(({ name }) => name) } : {}),
    streams: Object.fromEntries(
      streams.map(({ key, name, account, policy: { allowDataLoss }, consumers }) => [
        key,
        {
          ...(account === first?.name ? {} : { account }),
          ...(name === key ? {} : { stream: name }),
          ...(allowDataLoss ? { allowDataLoss } : {}),
          ...(consumers.length === 0 ? {} : { consumers: entriesOf(consumers) }),
        },
      ]),
    ),
  };
}

function entriesOf(
  consumers: ClusterPlan["streams"][number]["consumers"],
): Readonly<Record<string, ConsumerEntry>> {
  return Object.fromEntries(
    consumers.map(({ name, policy: { allowDataLoss } }) => [
      name,
      allowDataLoss ? { allowDataLoss } : {},
    ]),
  );
}

/** Consumers that leave the settings while their stream stays, by account and stream. */
export function leavingConsumers(
  olds: Roster,
  news: Roster,
): readonly (StreamName & { readonly consumers: Readonly<Record<string, ConsumerEntry>> })[] {
  const staying = new Map(
    Object.entries(news.streams).map(([key, entry]) => [streamKey(streamOf(news, key)), entry]),
  );
  return Object.entries(olds.streams).flatMap(([key, { consumers = {} }]) => {
    const stream = streamOf(olds, key);
    const after = staying.get(streamKey(stream));
    if (!after) return [];
    const left = Object.entries(consumers).filter(
      ([name]) => !Object.hasOwn(after.consumers ?? {}, name),
    );
    return left.length === 0 ? [] : [{ ...stream, consumers: Object.fromEntries(left) }];
  });
}

/** Digests of the desired configs of a plan's streams, by key, for {@link Roster.begun}. */
export function desiredDigests(streams: ClusterPlan["streams"]): Readonly<Record<string, string>> {
  return Object.fromEntries(streams.map(({ key, config }) => [key, digestConfig(config)]));
}

/** The subjects of a plan's streams, by key. The roster's provider gets them, but the roster doesn't contain them. */
export function subjectsOf(
  streams: ClusterPlan["streams"],
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(streams.map(({ key, config }) => [key, config.subjects ?? []]));
}

/**
 * The mirrors of a plan: by key, the name of the origin in the same account. The roster's provider gets them too.
 */
export function mirrorsOf(streams: ClusterPlan["streams"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    streams.flatMap(({ key, config: { mirror } }) =>
      mirror && !mirror.external ? [[key, mirror.name]] : [],
    ),
  );
}

/**
 * Reports streams that leave the settings although others mirror them. A later stream of the same name would start at
 * sequence 1, and the mirror would skip as many of its messages as it has already (nats-server 2.15,
 * `setupMirrorConsumer`).
 */
export function leavingOrigins(
  olds: Roster,
  news: Roster,
  mirrors: Readonly<Record<string, string>>,
): string[] {
  const leaving = new Set(
    Object.entries(leavingStreams(olds, news)).map(([key, entry]) =>
      streamKey(identify(key, entry, olds.account)),
    ),
  );
  return Object.entries(mirrors).flatMap(([key, origin]) => {
    const { account, name: mirror } = streamOf(news, key);
    if (!leaving.has(streamKey({ account, name: origin }))) return [];
    return [
      `stream ${origin} is taken out of the settings, but ${mirror} mirrors it, and would leave out what another one of that name begins with; put it back, or take mirror out of ${mirror}, which then keeps what it has as a stream of its own`,
    ];
  });
}

/** The accounts with JetStream. */
export function accountsOf({ account, firstIsOff, otherAccounts = [] }: Roster): readonly string[] {
  return firstIsOff ? otherAccounts : [account, ...otherAccounts];
}

/**
 * Streams that are in the older roster, including those that should be deleted already, but not in the newer one, by
 * key. A stream that only changed its key isn't among them.
 */
export function leavingStreams(olds: Roster, news: Roster): Readonly<Record<string, LeavingEntry>> {
  const staying = new Set(Object.keys(news.streams).map((key) => streamKey(streamOf(news, key))));
  const all = Object.entries(allStreamsIn(olds));
  return Object.fromEntries(
    all.filter(
      ([key, entry]) =>
        !Object.hasOwn(news.streams, key) &&
        !staying.has(streamKey(identify(key, entry, olds.account))),
    ),
  );
}

/**
 * Streams that the state has no resource for, though an `up` that was killed may have made them, by key.
 *
 * @param known the roster in the state; undefined if there is none.
 * @param begun the roster of that `up`.
 */
export function lostStreams(
  known: Roster | undefined,
  begun: Roster,
): Readonly<Record<string, LeavingEntry>> {
  const recorded = new Set(
    Object.entries(known ? allStreamsIn(known) : {}).map(([key, entry]) =>
      streamKey(identify(key, entry, known?.account ?? "")),
    ),
  );
  return Object.fromEntries(
    Object.entries(allStreamsIn(begun)).filter(
      ([key, entry]) => !recorded.has(streamKey(identify(key, entry, begun.account))),
    ),
  );
}

/** The keys of the older roster by those of the newer one, for streams whose key changed. */
export function renamingsOf(olds: Partial<Roster>, news: Roster): Readonly<Record<string, string>> {
  const first = olds.account ?? news.account;
  const all = Object.entries(allStreamsIn(olds)).map(
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

/** All streams of a roster by key, including those that should be deleted already. */
export function allStreamsIn({
  streams = {},
  leaving,
  orphans,
}: Partial<Roster>): Readonly<Record<string, LeavingEntry>> {
  return { ...orphans, ...leaving, ...streams };
}

/** The account and name of the stream with a key. */
export function streamOf({ account, streams }: Roster, key: string): StreamName {
  return identify(key, ownValue(streams, key) ?? {}, account);
}

/** The account and name of a roster's entry. @param first the first account. */
export function identify(key: string, entry: RosterEntry, first: string): StreamName {
  return { account: entry.account ?? first, name: entry.stream ?? key };
}
