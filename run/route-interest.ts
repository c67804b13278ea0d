import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import {
  type AccountInterest,
  describeLostInterest,
  findLostInterest,
  type LostInterest,
  type NodeInterest,
  pickNode,
  stillLost,
} from "../lib/observed/lost-interest.ts";
import {
  ACCOUNT_NAMES,
  type Question,
  ROUTED_INTEREST,
  ROUTES,
  subscriptionsOf,
} from "../lib/observed/questions.ts";
import { askNode } from "../live/monitoring/ask-node.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";
import { until } from "../live/until.ts";

/**
 * Subscriptions come and go while nodes are asked, so interest counts as lost only after this many consecutive looks.
 */
const LOOKS = 8;
const LOOK_MS = 200;
const PAGE_MS = 10_000;
const SYSTEM_ACCOUNT = "$SYS";

/** Renews a node's routes; see {@link renewRoutes}. */
export type Renew = (node: Monitor) => Promise<void>;

/**
 * Restores the interest between nodes that a change of accounts has lost.
 *
 * @param nodes those that run.
 * @throws Error if a node doesn't answer, or still lacks interest after its routes were renewed.
 */
export async function healInterest(
  nodes: readonly Monitor[],
  renew: Renew,
  say: (line: string) => void,
): Promise<void> {
  const renewed = new Set<string>();
  for (;;) {
    const lost = await findLasting(nodes);
    if (lost.length === 0) return;
    const node = pickNode(lost, renewed);
    const monitor = nodes.find(({ name }) => name === node);
    if (!monitor) {
      throw new Error(
        `Messages get lost between nodes: ${describeLostInterest(lost)}, though their routes were connected again. Restart the node that doesn't hear (docker restart), one at a time, and run up again`,
      );
    }
    say(`${describeLostInterest(lost)}: connecting the routes of ${monitor.name} again`);
    await renew(monitor);
    renewed.add(monitor.name);
  }
}

async function findLasting(nodes: readonly Monitor[]): Promise<LostInterest[]> {
  let lost = findLostInterest(await askInterest(nodes));
  for (let look = 1; look < LOOKS && lost.length > 0; look++) {
    await sleep(LOOK_MS);
    lost = stillLost(lost, findLostInterest(await askInterest(nodes)));
  }
  return lost;
}

/**
 * Asks each node which subscriptions it has and which ones of other nodes it knows. @throws Error if one doesn't
 * answer.
 */
export async function askInterest(nodes: readonly Monitor[]): Promise<NodeInterest[]> {
  return await Promise.all(nodes.map(interestOf));
}

const subsz = z.object({
  num_subscriptions: z.number(),
  subscriptions_list: z
    .array(z.object({ subject: z.string(), qgroup: z.string().default(""), cid: z.number() }))
    .nullish(),
});
const route = z.object({
  remote_name: z.string(),
  account: z.string().default(""),
  subscriptions_list_detail: z.array(z.object({ sid: z.string() })).nullish(),
});
const routez = z.object({ routes: z.array(route).nullish() });
const accountz = z.object({ accounts: z.array(z.string()) });

async function ask<Page>(
  node: Monitor,
  question: Question,
  schema: z.ZodType<Page>,
): Promise<Page> {
  return schema.parse(await askNode(node, question, PAGE_MS));
}

async function interestOf(node: Monitor): Promise<NodeInterest> {
  const [known, { routes }] = await Promise.all([
    ask(node, ACCOUNT_NAMES, accountz),
    ask(node, ROUTED_INTEREST, routez),
  ]);
  const names = known.accounts.filter((account) => account !== SYSTEM_ACCOUNT);
  const pages = await Promise.all(
    names.map(async (account) => {
      return [account, accountInterest(await ask(node, subscriptionsOf(account), subsz))] as const;
    }),
  );
  return { name: node.name, accounts: new Map(pages), received: receivedBy(routes ?? []) };
}

/**
 * Identifies the internal client by which an account serves its imports. Nodes don't announce its subscriptions to each
 * other.
 */
const IMPORTS_SERVED = "$SYS.REQ.ACCOUNT.PING.STATZ";
/** Exception: the subjects on which that client receives replies. */
const REPLIES = "_R_.";

/**
 * The page lists the account's own subscriptions, including those of accounts that import from it. Of the subscriptions
 * of other nodes it has only the number.
 */
function accountInterest({
  num_subscriptions: matched,
  subscriptions_list: list,
}: z.infer<typeof subsz>): AccountInterest {
  const own = list ?? [];
  const importClients = new Set(
    own.flatMap(({ subject, cid }) => (subject === IMPORTS_SERVED ? [cid] : [])),
  );
  const announced = own.filter(
    ({ cid, subject }) => !importClients.has(cid) || subject.startsWith(REPLIES),
  );
  return {
    announced: new Set(
      announced.map(({ subject, qgroup }) => (qgroup ? `${subject} ${qgroup}` : subject)),
    ),
    own: own.length,
    matched,
  };
}

/** Routes for a single account, such as the system account's, are skipped: they carry no other account's interest. */
function receivedBy(routes: readonly z.infer<typeof route>[]): NodeInterest["received"] {
  const received = new Map<string, Map<string, Set<string>>>();
  for (const { remote_name: name, account: sole, subscriptions_list_detail: list } of routes) {
    if (sole !== "") continue;
    const announced = received.get(name) ?? new Map<string, Set<string>>();
    received.set(name, announced);
    for (const { sid } of list ?? []) {
      // `R account subject [queue]`; or for leaf nodes' interest, which no page lists as a node's own, `L origin
      // account subject [queue]` (nats-server 2.15, route.go, `processRemoteSub`).
      const [kind, ...words] = sid.split(" ");
      const [account = "", ...key] = kind === "L" ? words.slice(1) : words;
      add(announced, account, kind === "L" ? sid : key.join(" "));
    }
  }
  return received;
}

function add(announced: Map<string, Set<string>>, account: string, key: string): void {
  const keys = announced.get(account) ?? new Set();
  announced.set(account, keys.add(key));
}

const POLL_MS = 20;
const ROUTES_MS = 15_000;

/**
 * Renews all routes of a node at once, except those of the system account, which carry the raft traffic of streams.
 * Servers have no request for it, but they renew routes when the pool size changes (nats-server from 2.11 on; 20 ms on
 * an idle machine), so the pool size is changed for a moment.
 *
 * @param reconfigure gives the node a config with this pool size, or its own config for undefined, and waits until it
 * is loaded.
 */
export async function renewRoutes(
  node: Monitor,
  reconfigure: (poolSize: number | undefined) => Promise<void>,
): Promise<void> {
  const before = await countRoutes(node);
  const usual = Math.max(...before.values());
  await reconfigure(usual + 1);
  await untilLinked(node, before);
  await reconfigure(undefined);
  await untilLinked(node, before);
}

async function untilLinked(node: Monitor, peers: ReadonlyMap<string, number>): Promise<void> {
  await until<void, string>(
    async () => {
      const now = await countRoutes(node);
      const missing = [...peers].filter(([peer, count]) => (now.get(peer) ?? 0) < count);
      if (missing.length === 0) return { done: undefined };
      return { shown: missing.map(([peer]) => peer).join(", ") };
    },
    {
      pause: POLL_MS,
      limit: ROUTES_MS,
      giveUp: (names) => {
        throw new Error(`${node.name} has no routes to ${names} after ${ROUTES_MS / 1_000} s`);
      },
    },
  );
}

/** Number of routes that accounts share, by the name of the remote node. */
async function countRoutes(node: Monitor): Promise<Map<string, number>> {
  const { routes } = await ask(node, ROUTES, routez);
  const counts = new Map<string, number>();
  for (const { remote_name: name, account } of routes ?? []) {
    if (account === "") counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
