import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import type { StackOutputs } from "../../lib/plan/outputs.ts";
import type { UserLogin } from "../../live/jetstream/connection.ts";
import {
  closeConnections,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { hostsOf } from "../../providers/streams/replicas.ts";
import { checksums, Ledger, publish, readContents } from "./load.ts";
import { PASSWORDS } from "./stack.ts";

const PUBLISHERS = 3;
/** Milliseconds between two messages to a stream; the finest gap that can be told. */
const INTERVAL = 20;
const ACK_TIMEOUT = 500;
/** Milliseconds that a message rests before it is sent again, at first and at most: twice as long each time. */
const FIRST_REST = 50;
const LONGEST_REST = 1_000;
/** Milliseconds after which a message without an acknowledgement is given up. */
const PATIENCE = 60_000;
const DIAL_TIMEOUT = 2_000;
const PING_INTERVAL = 1_000;
const CONSUMER = "reader";
const READERS = 4;
/** A message that was delivered to a connection that broke comes again after so many milliseconds. */
const ACK_WAIT = 5_000;
/** Milliseconds that the consumer has for the last messages: it may have to be given them again. */
const CONSUMER_LAG = 4 * ACK_WAIT;

/** What became of a stretch of traffic to one stream. */
export interface Stretch {
  /** Times that a message was sent again, as it had no acknowledgement. */
  readonly errors: number;
  /** Longest time without any acknowledgement, milliseconds. */
  readonly longestGap: number;
}

/** What a stream holds, compared with what it acknowledged from the first stretch on. */
export interface Audit {
  readonly acknowledged: number;
  readonly stored: number;
  readonly missing: readonly [sequence: number, payload: string][];
  /** Sequences that were given out twice. */
  readonly givenTwice: readonly number[];
  /** Messages stored more than once. */
  readonly storedTwice: number;
  /** Messages given up without an acknowledgement. */
  readonly givenUp: number;
  /** Different contents among its replicas. */
  readonly versions: number;
}

/**
 * Clients that publish to streams while something happens to their servers, and one that consumes.
 *
 * A message is sent to each stream every {@link INTERVAL}, whether or not those before were acknowledged, so that
 * none waits for a slow one. Each is sent again, with the same id, until it is acknowledged.
 */
export class Traffic implements AsyncDisposable {
  readonly #publishers: readonly NatsConnection[];
  readonly #reader: NatsConnection;
  readonly #port: JetStreamPort;
  readonly #flows: ReadonlyMap<string, Flow>;
  readonly #consumer: Consumer;

  private constructor(
    publishers: readonly NatsConnection[],
    reader: NatsConnection,
    port: JetStreamPort,
    streams: readonly string[],
  ) {
    this.#publishers = publishers;
    this.#reader = reader;
    this.#port = port;
    this.#flows = new Map(streams.map((stream) => [stream, new Flow(stream, publishers)]));
    this.#consumer = new Consumer(reader);
  }

  /**
   * Connects clients, each of them to one in another region and zone, and has a durable consumer read `consumed` from
   * here on. A publisher knows the servers of its region, so that wherever writes are taken, somebody writes.
   *
   * @param streams with subjects like `orders.*` for `ORDERS`.
   */
  static async start(
    { clientUrls, caCertificate: ca }: Pick<StackOutputs, "clientUrls" | "caCertificate">,
    streams: readonly string[],
    consumed: string,
    login: UserLogin = { user: "user", password: PASSWORDS.password },
  ): Promise<Traffic> {
    const urls = Object.values(clientUrls);
    const share = Math.floor(urls.length / PUBLISHERS);
    const publishers = await Promise.all(
      Array.from({ length: PUBLISHERS }, (_, index) =>
        dial(rotated(urls.slice(index * share, (index + 1) * share), index), login, ca),
      ),
    );
    const reader = await dial(rotated(urls, share), login, ca);
    const tls = ca === undefined ? {} : { tls: { ca, names: Object.keys(clientUrls) } };
    const port = openJetStream({ urls, ...login, ...tls }, "APP");
    const traffic = new Traffic(publishers, reader, port, streams);
    await traffic.#consumer.start(consumed);
    return traffic;
  }

  /** Publishes until `work` has ended, and every message sent is acknowledged or given up. */
  async during(work: () => Promise<unknown>): Promise<Record<string, Stretch>> {
    const flows = [...this.#flows];
    for (const [, flow] of flows) flow.start();
    try {
      await work();
    } finally {
      await Promise.all(flows.map(([, flow]) => flow.stop()));
    }
    return Object.fromEntries(flows.map(([stream, flow]) => [stream, flow.stretch()]));
  }

  /** To be called between two stretches: makes each replica the leader in turn, to read them all. */
  async audit(stream: string): Promise<Audit> {
    const flow = this.#flowOf(stream);
    const contents = await readContents(this.#reader, this.#port, stream);
    return {
      acknowledged: flow.acked.size,
      stored: contents.size,
      missing: flow.missingFrom(contents),
      givenTwice: flow.givenTwice,
      storedTwice: contents.size - new Set(contents.values()).size,
      givenUp: flow.givenUp,
      versions: await this.#countVersions(stream),
    };
  }

  /** Messages acknowledged so far, by stream. */
  get acknowledged(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#flows].map(([stream, { acked }]) => [stream, acked.size]));
  }

  /** To be called between two stretches: empties the streams, and forgets what they acknowledged. */
  async startOver(): Promise<void> {
    for (const [stream, flow] of this.#flows) {
      await this.#reader.request(`$JS.API.STREAM.PURGE.${stream}`, "", { timeout: 5_000 });
      flow.clear();
    }
  }

  /** Different messages that the consumer has had. */
  get consumed(): number {
    return this.#consumer.seen.size;
  }

  /** Acknowledged messages of a stream that the consumer has not had, within {@link CONSUMER_LAG}. */
  async unconsumed(stream: string): Promise<readonly string[]> {
    const unseen = () =>
      [...this.#flowOf(stream).acked.values()].filter((each) => !this.#consumer.seen.has(each));
    const deadline = performance.now() + CONSUMER_LAG;
    while (unseen().length > 0 && performance.now() < deadline) await sleep(FIRST_REST);
    return unseen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.stop();
    await Promise.all([...this.#publishers, this.#reader].map((client) => client.close()));
    await closeConnections();
  }

  /** A stream of one replica is the same as itself; nothing can lead it in its place. */
  async #countVersions(stream: string): Promise<number> {
    if (hostsOf(await this.#port.info(stream)).length === 1) return 1;
    const sums = await checksums(this.#reader, this.#port, stream);
    const versions = new Set(Object.values(sums)).size;
    if (versions > 1) console.error(`replicas of ${stream} differ:`, sums);
    return versions;
  }

  #flowOf(stream: string): Flow {
    const flow = this.#flows.get(stream);
    if (!flow) throw new Error(`nothing is published to ${stream}`);
    return flow;
  }
}

/** Messages to one stream, one after the other from each client in turn. */
class Flow extends Ledger {
  givenUp = 0;
  readonly #name: string;
  readonly #clients: readonly NatsConnection[];
  readonly #pending = new Set<Promise<void>>();
  #sent = 0;
  #timer: NodeJS.Timeout | undefined;
  #errors = 0;
  #lastSign = 0;
  #longestGap = 0;

  constructor(stream: string, clients: readonly NatsConnection[]) {
    super();
    this.#name = stream.toLowerCase();
    this.#clients = clients;
  }

  start(): void {
    this.#errors = 0;
    this.#longestGap = 0;
    this.#lastSign = performance.now();
    this.#timer = setInterval(() => this.#send(), INTERVAL);
  }

  /** Ends when no message is without an answer. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    // Stragglers rest before they are sent again: from here on a gap says nothing of the stream.
    const longestGap = Math.max(this.#longestGap, this.#gapNow());
    await Promise.all(this.#pending);
    this.#longestGap = longestGap;
  }

  stretch(): Stretch {
    return { errors: this.#errors, longestGap: Math.round(this.#longestGap) };
  }

  #send(): void {
    const number = this.#sent++;
    const client = this.#clients[number % this.#clients.length];
    if (!client) return;
    const delivery = this.#deliver(client, `${this.#name} ${number}`);
    this.#pending.add(delivery);
    void delivery.then(() => this.#pending.delete(delivery));
  }

  async #deliver(client: NatsConnection, payload: string): Promise<void> {
    const began = performance.now();
    for (let rest = FIRST_REST; performance.now() - began < PATIENCE; rest *= 2) {
      const options = { timeout: ACK_TIMEOUT, id: payload };
      const sequence = await publish(client, `${this.#name}.new`, payload, options);
      if (sequence) return this.#acknowledged(sequence, payload);
      this.#errors += 1;
      await sleep(Math.min(rest, LONGEST_REST));
    }
    this.givenUp += 1;
  }

  #acknowledged(sequence: number, payload: string): void {
    this.record(sequence, payload);
    this.#longestGap = Math.max(this.#longestGap, this.#gapNow());
    this.#lastSign = performance.now();
  }

  #gapNow(): number {
    return performance.now() - this.#lastSign;
  }
}

/** A durable pull consumer, and readers that acknowledge whatever it gives them. */
class Consumer {
  /** Payloads that were delivered. */
  readonly seen = new Set<string>();
  readonly #client: NatsConnection;
  #stopped = false;
  #readers: readonly Promise<void>[] = [];

  constructor(client: NatsConnection) {
    this.#client = client;
  }

  async start(stream: string): Promise<void> {
    const config = { durable_name: CONSUMER, ack_policy: "explicit", ack_wait: ACK_WAIT * 1e6 };
    const reply = await this.#client.request(
      `$JS.API.CONSUMER.CREATE.${stream}.${CONSUMER}`,
      JSON.stringify({ stream_name: stream, config }),
      { timeout: 5_000 },
    );
    const { error } = reply.json<{ error?: { description: string } }>();
    if (error) throw new Error(`consumer ${CONSUMER} of ${stream}: ${error.description}`);
    this.#readers = Array.from({ length: READERS }, () => this.#read(stream));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#readers);
  }

  async #read(stream: string): Promise<void> {
    while (!this.#stopped) await this.#readOne(stream).catch(() => sleep(FIRST_REST));
  }

  async #readOne(stream: string): Promise<void> {
    const message = await this.#client.request(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${CONSUMER}`,
      JSON.stringify({ batch: 1, expires: ACK_TIMEOUT * 1e6 }),
      // A message comes under its own subject, by which a shared inbox doesn't know whose it is.
      { timeout: 2 * ACK_TIMEOUT, noMux: true },
    );
    // What isn't a message says in its status that there was none.
    if (message.headers?.code) return;
    this.seen.add(message.string());
    message.respond("+ACK");
  }
}

function dial(
  servers: string[],
  { user, password: pass }: UserLogin,
  ca: string | undefined,
): Promise<NatsConnection> {
  return connect({
    servers,
    user,
    pass,
    ...(ca === undefined ? {} : { tls: { ca } }),
    noRandomize: true,
    ignoreClusterUpdates: true,
    // A server that is paused or cut off closes no connection.
    timeout: DIAL_TIMEOUT,
    pingInterval: PING_INTERVAL,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
