/** Asks servers by the system account, through the ports of their clients. */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { z } from "zod";
import type { Question } from "../../lib/observed/questions.ts";
import {
  AccessDenied,
  type Session,
  type Shown,
  sessionsOf,
  whenGreeted,
  withClient,
} from "../jetstream/clients.ts";
import { withDeadline } from "../with-deadline.ts";
import type { Monitor } from "./monitor.ts";

/** A node that can be asked: it has an address and a login. */
export type SystemMonitor = Monitor & Required<Pick<Monitor, "address" | "seed">>;

/** A server's answer. */
export interface Answer extends Shown {
  /** What the monitoring page of the same name shows. */
  readonly page: unknown;
}

/** A node that hasn't accepted a connection by then is asked through the others, too. */
const RELAY_MS = 400;
/** In which a node that the others know of says so. */
const SIGN_OF_LIFE_MS = 1_000;

const SIGN_OF_LIFE: Question = { subject: "STATSZ", page: "" };

/** The seeds that nodes have accepted, by address, where it wasn't the first one that they were shown. */
const accepted = new Map<string, string>();

/**
 * Asks a node, on a connection of its own: while that lives, the answer may take its time. If the node can't be reached
 * from here, or accepts no login, it is asked through other nodes to which this process has connections.
 *
 * @param milliseconds for each step: the greeting, the connection, which takes far nodes several round trips, and the
 *   answer.
 * @throws Error if there is no answer.
 */
export async function askSystemAccount(
  node: SystemMonitor,
  question: Question,
  milliseconds: number,
): Promise<Answer> {
  return await withDeadline((goesOn) => ask(node, question, milliseconds, goesOn), milliseconds);
}

async function ask(
  node: SystemMonitor,
  question: Question,
  milliseconds: number,
  goesOn: () => void,
): Promise<Answer> {
  const session = sessionOf(node, accepted.get(node.address) ?? node.seed);
  const linked = link(session, node);
  note(session, linked, goesOn);
  const direct = linked.then((own) =>
    withClient(own, async (client, shown) => ({
      page: await request(client, node.name, question, milliseconds),
      ...shown,
    })),
  );
  const relayOn = () => relay(session, node, question, { milliseconds, goesOn });
  const relayed = Promise.race([linked, sleep(RELAY_MS, undefined, { ref: false })]).then(
    async (own) => (own ? await direct : await relayOn()),
    relayOn,
  );
  // If both fail, the error of `direct` says more of the node.
  return await Promise.any([direct, relayed]).catch(() => direct);
}

/** Notes the progress of a connection that is being made. */
function note(session: Session, linked: Promise<unknown>, goesOn: () => void): void {
  for (const step of [whenGreeted(session), linked]) step.then(goesOn, () => undefined);
}

/**
 * Whether another server answers through a node within {@link SIGN_OF_LIFE_MS}.
 *
 * @returns undefined if the node itself doesn't answer.
 */
export async function hearsOf(node: Monitor, server: string): Promise<boolean | undefined> {
  const { address, seed } = node;
  if (address === undefined || seed === undefined) return undefined;
  const session = sessionOf({ ...node, address, seed }, accepted.get(address) ?? seed);
  const isHeard = (name: string) =>
    withClient(session, (client) => request(client, name, SIGN_OF_LIFE, SIGN_OF_LIFE_MS)).then(
      () => true,
      () => false,
    );
  const answers = withDeadline(() => isHeard(node.name), 2 * SIGN_OF_LIFE_MS);
  if (!(await answers.catch(() => false))) return undefined;
  return await isHeard(server);
}

function sessionOf(
  { name, address, ca, seed: cluster, pair }: SystemMonitor,
  seed: string,
): Session {
  const shown = pair === undefined ? {} : { pair };
  const trust = ca === undefined ? {} : { tls: { ca, names: [name], ...shown } };
  const connection = { urls: [address], seed, ...trust };
  return { connection, account: "$SYS", endsWithServer: true, cluster };
}

/**
 * Connects to a node. One that refuses the login is shown the seeds that nodes have now.
 *
 * @returns a session that the node accepts. @throws AccessDenied; ClusterUnreachable
 */
async function link(session: Session, node: SystemMonitor): Promise<Session> {
  try {
    return await withClient(session, () => Promise.resolve(session));
  } catch (error) {
    if (!(error instanceof AccessDenied)) throw error;
    for (const seed of (await node.allSeeds?.()) ?? []) {
      const other = sessionOf(node, seed);
      const isIn = await withClient(other, () => Promise.resolve(true)).catch(() => false);
      if (!isIn) continue;
      accepted.set(node.address, seed);
      return other;
    }
    throw error;
  }
}

/** Asks a node through the first other one that accepts a connection. */
async function relay(
  own: Session,
  { name, seed: cluster }: SystemMonitor,
  question: Question,
  { milliseconds, goesOn }: { readonly milliseconds: number; readonly goesOn: () => void },
): Promise<Answer> {
  const ownUrl = own.connection.urls[0];
  const others = sessionsOf(cluster).filter(({ connection }) => connection.urls[0] !== ownUrl);
  // All at once: the first of them may be as far away as the node itself.
  const links = others.map((other) => {
    const linked = withClient(other, () => Promise.resolve(other));
    note(other, linked, goesOn);
    return linked;
  });
  const linked = await Promise.any(links).catch(() => undefined);
  if (!linked) throw new Error(`no other node has a connection to ${name}`);
  return await withClient(linked, async (client) => {
    await request(client, name, SIGN_OF_LIFE, SIGN_OF_LIFE_MS);
    goesOn();
    return { page: await request(client, name, question, milliseconds) };
  });
}

/** STATSZ, of which nothing is read, has its figures under another key. */
const reply = z.object({
  data: z.unknown().optional(),
  error: z.object({ description: z.string() }).optional(),
});

async function request(
  client: NatsConnection,
  node: string,
  { subject, body }: Question,
  timeout: number,
): Promise<unknown> {
  // Without `exact_match` a server answers whose name contains the given one, as rg1-az1-2 does.
  const filtered = JSON.stringify({ ...body, server_name: node, exact_match: true });
  const message = await client.request(`$SYS.REQ.SERVER.PING.${subject}`, filtered, { timeout });
  const { data, error } = reply.parse(message.json());
  if (error) throw new Error(`${node} refuses ${subject}: ${error.description}`);
  return data;
}
