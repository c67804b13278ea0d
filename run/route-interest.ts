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
import type { Monitor } from "../live/monitoring/monitoring.ts";
import { readPage } from "../live/monitoring/monitoring-page.ts";
import { until } from "../live/until.ts";

/** Subscriptions come and go while nodes are asked: only what stays unheard for so many looks is. */
const LOOKS = 8;
const LOOK_MS = 200;
const PAGE_MS = 10_000;
const SYSTEM_ACCOUNT = "$SYS";
/** Subscriptions in one page; by default there are 1,024. */
const MOST = 100_000_000;

/** Makes a node's routes anew, one at a time; see {@link renewRoutes}. */
export type Renew = (node: Monitor) => Promise<void>;

/**
 * Has all nodes hear what the others want, where that was lost by a change of accounts.
 *
 * @param nodes that run.
 * @throws Error where a node doesn't answer, or still doesn't hear.
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
        `Messages get lost between nodes: ${describeLostInterest(lost)}, though their routes were made anew. Restart the node that doesn't hear (docker restart), one at a time, and run up again`,
      );
    }
    say(`${describeLostInterest(lost)}: making the routes of ${monitor.name} anew`);
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

/** Asks each node what it has to tell, and what it heard. @throws Error where one doesn't answer. */
export async function askInterest(nodes: readonly Monitor[]): Promise<NodeInterest[]> {
  return await Promise.all(nodes.map(askNode));
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

async function ask<Page>(node: Monitor, path: string, schema: z.ZodType<Page>): Promise<Page> {
  return schema.parse(JSON.parse(await readPage(node, path, PAGE_MS)));
}

async function askNode(node: Monitor): Promise<NodeInterest> {
  const [known, { routes }] = await Promise.all([
    ask(node, "accountz", accountz),
    ask(node, "routez?subs=detail", routez),
  ]);
  const names = known.accounts.filter((account) => account !== SYSTEM_ACCOUNT);
  const pages = await Promise.all(
    names.map(async (account) => {
      const path = `subsz?subs=1&limit=${MOST}&acc=${encodeURIComponent(account)}`;
      return [account, accountInterest(await ask(node, path, subsz))] as const;
    }),
  );
  return { name: node.name, accounts: new Map(pages), received: receivedBy(routes ?? []) };
}

/** Every account has an internal client that serves what it imports: of that, no node tells another. */
const SERVED = "$SYS.REQ.ACCOUNT.PING.STATZ";
/** Apart from where it waits for answers. */
const ANSWERS = "_R_.";

/** A page has the account's own subscriptions, and those of others who import from it, but only a count of what was heard. */
function accountInterest({
  num_subscriptions: matched,
  subscriptions_list: list,
}: z.infer<typeof subsz>): AccountInterest {
  const own = list ?? [];
  const servants = new Set(own.flatMap(({ subject, cid }) => (subject === SERVED ? [cid] : [])));
  const announced = own.filter(
    ({ cid, subject }) => !servants.has(cid) || subject.startsWith(ANSWERS),
  );
  return {
    announced: new Set(
      announced.map(({ subject, qgroup }) => (qgroup ? `${subject} ${qgroup}` : subject)),
    ),
    own: own.length,
    matched,
  };
}

/** A route that is an account's own, as the system account's are, tells of no other. */
function receivedBy(routes: readonly z.infer<typeof route>[]): NodeInterest["received"] {
  const received = new Map<string, Map<string, Set<string>>>();
  for (const { remote_name: name, account: sole, subscriptions_list_detail: list } of routes) {
    if (sole !== "") continue;
    const announced = received.get(name) ?? new Map<string, Set<string>>();
    received.set(name, announced);
    for (const { sid } of list ?? []) {
      // `R account subject [queue]`, and of what leaf nodes want, which no page lists as a node's own,
      // `L origin account subject [queue]` (nats-server 2.15, route.go, `processRemoteSub`).
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
 * Makes the routes of a node anew, all at once, but for those of the system account, which the consensus of streams
 * goes by. Servers have no request for that; but they do so when another number of routes to each other node is to
 * be had (nats-server from 2.11 on; 20 ms on an idle machine), and here they have it for a moment.
 *
 * @param reconfigure gives the node a config with so many routes to each other node, or undefined for its own config,
 * and waits until that is in force.
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

/** Routes that accounts share, by the name of the node at the other end. */
async function countRoutes(node: Monitor): Promise<Map<string, number>> {
  const { routes } = routez.parse(JSON.parse(await readPage(node, "routez", PAGE_MS)));
  const counts = new Map<string, number>();
  for (const { remote_name: name, account } of routes ?? []) {
    if (account === "") counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
