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
  readonly heard: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
}

export interface AccountInterest {
  /**
   * Subjects in which it has interest that other nodes must know, each followed by a space and its queue if it has
   * one.
   */
  readonly told: ReadonlySet<string>;
  /** Number of its own subscriptions, including those that other nodes don't need to know. */
  readonly own: number;
  /** Number of subscriptions against which it matches messages: its own, and those received. */
  readonly matched: number;
}

/** Interest that `from` has to send to `by` again. */
export interface Unheard {
  readonly by: string;
  readonly from: string;
  readonly account: string;
  /**
   * With the queue, as in {@link AccountInterest}; absent if it is unknown which of the account's subjects are stale.
   */
  readonly subject?: string;
}

/** Finds lost interest. Changes during the observation may be among it, so compare repeated observations. */
export function findUnheard(nodes: readonly NodeInterest[]): Unheard[] {
  return nodes.flatMap((listener) => [...findMissed(listener, nodes), ...findStale(listener)]);
}

function findMissed(listener: NodeInterest, nodes: readonly NodeInterest[]): Unheard[] {
  return nodes.flatMap((speaker) => {
    const heard = listener.heard.get(speaker.name);
    if (!heard) return [];
    const common = [...speaker.accounts].filter(([account]) => listener.accounts.has(account));
    return common.flatMap(([account, { told }]) =>
      [...told]
        .filter((subject) => !heard.get(account)?.has(subject))
        .map((subject) => ({ by: listener.name, from: speaker.name, account, subject })),
    );
  });
}

/**
 * Finds accounts with stale interest. A server reports only the number of subscriptions that it matches, so it is
 * unknown which ones are stale.
 */
function findStale({ name: by, accounts, heard }: NodeInterest): Unheard[] {
  const isStale = (account: string) => {
    const known = accounts.get(account);
    const counts = [...heard.values()].map((told) => told.get(account)?.size ?? 0);
    return !known || known.matched < known.own + counts.reduce((sum, count) => sum + count, 0);
  };
  const told = [...heard].flatMap(([from, accounts]) =>
    [...accounts.keys()].map((account) => ({ by, from, account })),
  );
  return told.filter(({ account }) => isStale(account));
}

/** The lost interest of the first observation that is also in the second. */
export function stillUnheard(before: readonly Unheard[], now: readonly Unheard[]): Unheard[] {
  const keys = new Set(now.map(keyOf));
  return before.filter((unheard) => keys.has(keyOf(unheard)));
}

function keyOf({ by, from, account, subject = "" }: Unheard): string {
  return [by, from, account, subject].join("\n");
}

/**
 * Picks the node whose reconnected routes help most: both ends of a new route send all their interest.
 *
 * @param done names of nodes whose routes were reconnected already. None of them is picked.
 */
export function pickNode(
  unheard: readonly Unheard[],
  done: ReadonlySet<string>,
): string | undefined {
  const counts = new Map<string, number>();
  const pairs = new Set(unheard.map(({ by, from }) => JSON.stringify([by, from].sort())));
  for (const name of [...pairs].flatMap((pair) => JSON.parse(pair) as string[])) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const candidates = [...counts].filter(([name]) => !done.has(name));
  const [best] = candidates.sort(([a, more], [b, less]) => less - more || (a < b ? -1 : 1));
  return best?.[0];
}

/** Describes lost interest to users; at most three entries. */
export function describeUnheard(unheard: readonly Unheard[]): string {
  const lines = unheard.map(
    ({ by, from, account, subject }) =>
      `${by} doesn't hear that ${from} wants ${subject ?? "some subjects"} of account ${account}`,
  );
  const few = lines.slice(0, 3).join(", ");
  return lines.length > 3 ? `${few}, and ${lines.length - 3} more` : few;
}
