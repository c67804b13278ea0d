/**
 * Finds lost interest: subscriptions of one node that other nodes don't know, by what their servers report. A node
 * sends its interest in a subject once over each route, and other nodes forward messages to it only if they received
 * that.
 *
 * nats-server 2.15 loses interest in two ways. If the other end of a route doesn't know the account, it drops the
 * interest (route.go, `processRemoteSub`), and doesn't get it again once it knows the account. If an account is
 * removed, its interest stays with the route: when the account is back, the same interest is ignored as known, but no
 * message is forwarded.
 */

/** The interest that one node's server reports, without the system account, which has its own routes. */
export interface NodeInterest {
  readonly name: string;
  /** Accounts that the node knows, by name. */
  readonly accounts: ReadonlyMap<string, AccountInterest>;
  /** Interest received over its routes: by name of the other node, by account, the subjects. */
  readonly received: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
}

export interface AccountInterest {
  /**
   * Subjects in which it has interest that other nodes must know, each followed by a space and its queue if it has
   * one.
   */
  readonly announced: ReadonlySet<string>;
  /** Number of its own subscriptions, including those that other nodes don't need to know. */
  readonly own: number;
  /** Number of subscriptions against which it matches messages: its own, and those received. */
  readonly matched: number;
}

/** Interest that `from` has to send to `by` again. */
export interface LostInterest {
  readonly by: string;
  readonly from: string;
  readonly account: string;
  /**
   * With the queue, as in {@link AccountInterest}; absent if it is unknown which of the account's subjects are stale.
   */
  readonly subject?: string;
}

/** Finds lost interest. Changes during the observation may be among it, so compare repeated observations. */
export function findLostInterest(nodes: readonly NodeInterest[]): LostInterest[] {
  return nodes.flatMap((listener) => [...findMissed(listener, nodes), ...findStale(listener)]);
}

function findMissed(listener: NodeInterest, nodes: readonly NodeInterest[]): LostInterest[] {
  return nodes.flatMap((speaker) => {
    const received = listener.received.get(speaker.name);
    if (!received) return [];
    const common = [...speaker.accounts].filter(([account]) => listener.accounts.has(account));
    return common.flatMap(([account, { announced }]) =>
      [...announced]
        .filter((subject) => !received.get(account)?.has(subject))
        .map((subject) => ({ by: listener.name, from: speaker.name, account, subject })),
    );
  });
}

/**
 * Finds accounts with stale interest. A server reports only the number of subscriptions that it matches, so it is
 * unknown which ones are stale.
 */
function findStale({ name: by, accounts, received }: NodeInterest): LostInterest[] {
  const isStale = (account: string) => {
    const known = accounts.get(account);
    const counts = [...received.values()].map((announced) => announced.get(account)?.size ?? 0);
    return !known || known.matched < known.own + counts.reduce((sum, count) => sum + count, 0);
  };
  const announced = [...received].flatMap(([from, accounts]) =>
    [...accounts.keys()].map((account) => ({ by, from, account })),
  );
  return announced.filter(({ account }) => isStale(account));
}

/** The lost interest of the first observation that is also in the second. */
export function stillLost(
  before: readonly LostInterest[],
  now: readonly LostInterest[],
): LostInterest[] {
  const keys = new Set(now.map(keyOf));
  return before.filter((lost) => keys.has(keyOf(lost)));
}

function keyOf({ by, from, account, subject = "" }: LostInterest): string {
  return [by, from, account, subject].join("\n");
}

/**
 * Picks the node whose reconnected routes help most: both ends of a new route send all their interest.
 *
 * @param done names of nodes whose routes were reconnected already. None of them is picked.
 */
export function pickNode(
  lost: readonly LostInterest[],
  done: ReadonlySet<string>,
): string | undefined {
  const counts = new Map<string, number>();
  const pairs = new Set(lost.map(({ by, from }) => JSON.stringify([by, from].sort())));
  for (const name of [...pairs].flatMap((pair) => JSON.parse(pair) as string[])) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const candidates = [...counts].filter(([name]) => !done.has(name));
  const [best] = candidates.sort(([a, more], [b, less]) => less - more || (a < b ? -1 : 1));
  return best?.[0];
}

/** Describes lost interest to users; at most three entries. */
export function describeLostInterest(lost: readonly LostInterest[]): string {
  const lines = lost.map(
    ({ by, from, account, subject }) =>
      `${by} doesn't hear that ${from} wants ${subject ?? "some subjects"} of account ${account}`,
  );
  const few = lines.slice(0, 3).join(", ");
  return lines.length > 3 ? `${few}, and ${lines.length - 3} more` : few;
}
