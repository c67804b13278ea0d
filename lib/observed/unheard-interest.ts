/**
 * Which subscriptions of one node others don't hear of, by what their servers show. A node says of each subject once
 * that somebody there subscribes to it; a message that is published elsewhere comes only where that was heard.
 *
 * nats-server 2.15 loses it in two ways. What a route says of an account that the other end doesn't know is dropped
 * (route.go, `processRemoteSub`), and not said again once it knows. And what a route said of an account that is gone
 * stays with the route: when the account is back, the same subject counts as heard, but no message goes there.
 */

/** What one node's server shows, but for the system account, which has routes of its own. */
export interface NodeInterest {
  readonly name: string;
  /** The accounts that it knows, by name. */
  readonly accounts: ReadonlyMap<string, AccountInterest>;
  /** What its routes heard: subjects by account, by the name of the node at the other end. */
  readonly heard: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
}

export interface AccountInterest {
  /** What it has to tell others: subjects, each with its queue behind a space where there is one. */
  readonly told: ReadonlySet<string>;
  /** Number of subscriptions of its own, those too that concern nobody else. */
  readonly own: number;
  /** Number of subscriptions that messages are matched with: its own, and those heard of. */
  readonly matched: number;
}

/** What somebody has to say anew. */
export interface Unheard {
  readonly by: string;
  readonly from: string;
  readonly account: string;
  /** With the queue; undefined where it is any that `by` once heard of an account that left. */
  readonly subject?: string;
}

/** Finds what isn't heard. What changes while nodes are asked may be among it, but not time after time. */
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

/** A server counts what it matches, but lists its own alone: which of the others is stale isn't known. */
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

/** Those of the first that are among the second. */
export function stillUnheard(before: readonly Unheard[], now: readonly Unheard[]): Unheard[] {
  const keys = new Set(now.map(keyOf));
  return before.filter((unheard) => keys.has(keyOf(unheard)));
}

function keyOf({ by, from, account, subject = "" }: Unheard): string {
  return [by, from, account, subject].join("\n");
}

/**
 * Picks the node whose routes, made anew, help most: both ends of each say all they have then.
 *
 * @param done names of nodes whose routes have been made anew: it isn't one of them.
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

/** Says in a few words what isn't heard. */
export function describeUnheard(unheard: readonly Unheard[]): string {
  const lines = unheard.map(
    ({ by, from, account, subject }) =>
      `${by} doesn't hear that ${from} wants ${subject ?? "some subjects"} of account ${account}`,
  );
  const few = lines.slice(0, 3).join(", ");
  return lines.length > 3 ? `${few}, and ${lines.length - 3} more` : few;
}
