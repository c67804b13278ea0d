/** Asks servers by the system account, through the ports of their clients. */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { z } from "zod";
import type { Question } from "../../lib/observed/questions.ts";
import { type Session, type Shown, sessionsWith, withClient } from "../jetstream/clients.ts";
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

/**
 * Asks a node, on a connection of its own: while that lives, the answer may take its time. If the node can't be reached
 * from here, it is asked through other nodes to which this process has connections.
 *
 * @param milliseconds for everything.
 * @throws Error if there is no answer.
 */
export async function askSystemAccount(
  node: SystemMonitor,
  question: Question,
  milliseconds: number,
): Promise<Answer> {
  const session = sessionOf(node);
  const direct = withClient(session, async (client, shown) => ({
    page: await request(client, node.name, question, milliseconds),
    ...shown,
  }));
  const linked = withClient(session, () => Promise.resolve(true));
  const relayed = Promise.race([linked, sleep(RELAY_MS, false, { ref: false })]).then(
    async (isLinked) =>
      isLinked ? await direct : await relay(session, node, question, milliseconds),
    () => relay(session, node, question, milliseconds),
  );
  // If both fail, the error of `direct` says more of the node.
  const first = Promise.any([direct, relayed]).catch(() => direct);
  return await withDeadline(first, milliseconds);
}

/** Whether a node has heard of another server within {@link SIGN_OF_LIFE_MS}. False if the node can't be asked. */
export async function hearsOf(node: Monitor, server: string): Promise<boolean> {
  const { address, seed } = node;
  if (address === undefined || seed === undefined) return false;
  const asked = withClient(sessionOf({ ...node, address, seed }), (client) =>
    request(client, server, SIGN_OF_LIFE, SIGN_OF_LIFE_MS),
  );
  return await withDeadline(asked, 2 * SIGN_OF_LIFE_MS).then(
    () => true,
    () => false,
  );
}

function sessionOf({ name, address, ca, seed }: SystemMonitor): Session {
  const trust = ca === undefined ? {} : { tls: { ca, names: [name] } };
  const connection = { urls: [address], seed, ...trust };
  return { connection, account: "$SYS", endsWithServer: true };
}

/** Asks a node through the first other one that accepts a connection. */
async function relay(
  own: Session,
  { name, seed }: SystemMonitor,
  question: Question,
  milliseconds: number,
): Promise<Answer> {
  const ownUrl = own.connection.urls[0];
  const others = sessionsWith(seed).filter(({ connection }) => connection.urls[0] !== ownUrl);
  // All at once: the first of them may be as far away as the node itself.
  const links = others.map((other) => withClient(other, () => Promise.resolve(other)));
  const linked = await Promise.any(links).catch(() => undefined);
  if (!linked) throw new Error(`no other node has a connection to ${name}`);
  return await withClient(linked, async (client) => {
    await request(client, name, SIGN_OF_LIFE, SIGN_OF_LIFE_MS);
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
