import { createHash } from "node:crypto";
import { headers, type NatsConnection } from "nats";
import type { JetStreamPort } from "../../live/jetstream/jetstream.ts";
import { hostsOf } from "../../providers/streams/replicas.ts";
import { eventually } from "./eventually.ts";

const PUBLISHERS = 8;
/** Milliseconds that a publisher pauses after an acknowledgement: several hundred messages a second in total. */
const REST = 10;
const ACK_TIMEOUT = 1_000;
const PAYLOAD_BYTES = 200;
/** Concurrent requests while a stream is read. */
const READERS = 64;

/** The messages that a stream has acknowledged, and so has to hold. */
export class Ledger {
  /** Payloads by the sequence in their acknowledgement. */
  readonly acked = new Map<number, string>();
  /** Sequences that were assigned twice: the first message is lost. */
  readonly givenTwice: number[] = [];

  record(sequence: number, payload: string): void {
    if (this.acked.has(sequence)) this.givenTwice.push(sequence);
    else this.acked.set(sequence, payload);
  }

  clear(): void {
    this.acked.clear();
    this.givenTwice.length = 0;
  }

  /** Acknowledged messages that a stream doesn't hold as they were sent. */
  missingFrom(contents: ReadonlyMap<number, string>): [number, string][] {
    return [...this.acked].filter(([sequence, payload]) => contents.get(sequence) !== payload);
  }
}

/** Publishes to a stream continuously, and records what was acknowledged. */
export class Load extends Ledger {
  /** Messages without an acknowledgement. They may be stored or not. */
  unanswered = 0;
  #stopped = false;
  readonly #publishers: readonly Promise<void>[];

  constructor(client: NatsConnection, subject: string) {
    super();
    this.#publishers = Array.from({ length: PUBLISHERS }, (_, publisher) =>
      this.#publish(client, subject, `publisher ${publisher}`),
    );
  }

  /** Stops, and waits for the last acknowledgement. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#publishers);
  }

  async #publish(client: NatsConnection, subject: string, name: string): Promise<void> {
    for (let sent = 0; !this.#stopped; sent++) {
      const payload = `${name}: ${sent}`.padEnd(PAYLOAD_BYTES, ".");
      const sequence = await publish(client, subject, payload);
      if (sequence === undefined) this.unanswered += 1;
      else this.record(sequence, payload);
      await new Promise((resolve) => setTimeout(resolve, REST));
    }
  }
}

/**
 * Publishes a message. @returns its sequence; undefined without an acknowledgement within `timeout` milliseconds.
 *
 * @param id message id: with one, the stream stores the message once, however often it is sent.
 */
export async function publish(
  client: NatsConnection,
  subject: string,
  payload: string,
  { timeout = ACK_TIMEOUT, id }: { readonly timeout?: number; readonly id?: string } = {},
): Promise<number | undefined> {
  const sent = headers();
  if (id !== undefined) sent.set("Nats-Msg-Id", id);
  try {
    const reply = await client.request(subject, payload, { timeout, headers: sent });
    const ack = reply.json<{ seq?: number; error?: unknown }>();
    return ack.error ? undefined : ack.seq;
  } catch {
    return undefined;
  }
}

/** nats-server's `JSNoMessageFoundErr`: there is no message with that sequence. */
const NO_MESSAGE = 10037;

interface StoredMessage {
  readonly message?: { readonly data: string };
  readonly error?: { readonly err_code: number; readonly description: string };
}

/**
 * Every message of a stream by sequence, from its leader (only the leader answers `MSG.GET`).
 *
 * @throws Error if the leader can't say whether it has a message.
 */
export async function readContents(
  client: NatsConnection,
  port: JetStreamPort,
  stream: string,
): Promise<Map<number, string>> {
  const { state } = await port.info(stream);
  const contents = new Map<number, string>();
  let next = state.first_seq;
  const read = async () => {
    for (let seq = next++; contents.size < state.messages && seq <= state.last_seq; seq = next++) {
      const reply = await client.request(
        `$JS.API.STREAM.MSG.GET.${stream}`,
        JSON.stringify({ seq }),
        { timeout: 5_000 },
      );
      const { message, error } = reply.json<StoredMessage>();
      if (message) contents.set(seq, Buffer.from(message.data, "base64").toString());
      else if (error?.err_code !== NO_MESSAGE) throw new Error(`${seq}: ${error?.description}`);
    }
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return contents;
}

/** What each replica of a stream holds, as {@link readContents}, by host. Each replica is made the leader in turn. */
export async function readReplicas(
  client: NatsConnection,
  port: JetStreamPort,
  stream: string,
): Promise<Map<string, Map<number, string>>> {
  const leader = async () => (await port.info(stream)).cluster?.leader;
  const replicas = new Map<string, Map<number, string>>();
  for (const host of hostsOf(await port.info(stream))) {
    await eventually(async () => {
      if ((await leader()) !== host) await port.stepDown(stream, host);
      if ((await leader()) !== host) return false;
      replicas.set(host, await readContents(client, port, stream));
      return (await leader()) === host;
    });
  }
  return replicas;
}

/** The number of messages and a checksum of each replica, by host. */
export function checksums(
  replicas: ReadonlyMap<string, ReadonlyMap<number, string>>,
): Record<string, string> {
  const sums = [...replicas].map(([host, contents]) => {
    const hash = createHash("sha256");
    for (const message of [...contents].sort(([a], [b]) => a - b)) hash.update(message.join(" "));
    return [host, `${contents.size} messages, ${hash.digest("hex")}`] as const;
  });
  return Object.fromEntries(sums);
}
