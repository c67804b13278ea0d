import { setTimeout as sleep } from "node:timers/promises";
import { connect, createInbox, type Msg, type NatsConnection } from "nats";
import type { StackOutputs } from "../../lib/plan/outputs.ts";
import type { UserLogin } from "../../live/jetstream/connection.ts";
import {
  closeConnections,
  type JetStreamPort,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { checksums, Ledger, publish, readContents, readReplicas } from "./load.ts";
import { PASSWORDS } from "./passwords.ts";

const PUBLISHERS = 3;
/**
 * Milliseconds between two messages to a stream, and so the shortest gap that is detected. Servers sync each message, so
 * that several clusters side by side have no time left for more.
 */
const INTERVAL = Number(process.env.PUBLISH_INTERVAL ?? 50);
const ACK_TIMEOUT = 500;
/** Milliseconds until a message is sent again: at first, and at most. The time doubles with each attempt. */
const FIRST_REST = 50;
const LONGEST_REST = 1_000;
/** Milliseconds after which a message without an acknowledgement is given up. */
const PATIENCE = 60_000;
const DIAL_TIMEOUT = 2_000;
const PING_INTERVAL = 1_000;
const CONSUMER = "reader";
/** Milliseconds between two requests for messages, and how many each asks for. */
const PULL_INTERVAL = 500;
const PULLED = 1_000;
/** Milliseconds after which an unacknowledged message is delivered again, e.g. after a broken connection. */
const ACK_WAIT = 5_000;
/** Milliseconds that the consumer has for the last messages, including redeliveries. */
const CONSUMER_LAG = 4 * ACK_WAIT;

/** The result of a period of traffic to one stream. */
export interface Stretch {
  /** How often a message was sent again for lack of an acknowledgement. */
  readonly errors: number;
  /** Longest time without any acknowledgement, milliseconds. */
  readonly longestGap: number;
}

/** The contents of a stream, compared with what it has acknowledged since the first period. */
export interface Audit {
  readonly acknowledged: number;
  readonly stored: number;
  readonly missing: readonly [sequence: number, payload: string][];
  /** Sequences that were assigned twice. */
  readonly givenTwice: readonly number[];
  /** Messages that are stored more than once. */
  readonly storedTwice: number;
  /** Messages that were given up without an acknowledgement. */
  readonly givenUp: number;
  /** Number of different contents among its replicas; undefined if only one was read. */
  readonly versions: number | undefined;
}

/**
 * Clients that publish to streams while something happens to their servers, and one that consumes.
 *
 * A message is sent to each stream every {@link interval}, whether or not earlier ones were acknowledged, so that a
 * slow one delays no other. Each is sent again, with the same id, until it is acknowledged.
 */
export class Traffic implements AsyncDisposable {
  /** Milliseconds between two messages to a stream. */
  interval = INTERVAL;
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
   * Connects clients, each to another region and zone, and starts a durable consumer of `consumed`. A publisher knows
   * only the servers of its region, so that one of the publishers reaches any server that accepts writes.
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

  /** Publishes until `work` has ended and every sent message is acknowledged or given up. */
  async during(work: () => Promise<unknown>): Promise<Record<string, Stretch>> {
    const flows = [...this.#flows];
    for (const [, flow] of flows) flow.start(this.interval);
    try {
      await work();
    } finally {
      await Promise.all(flows.map(([, flow]) => flow.stop()));
    }
    return Object.fromEntries(flows.map(([stream, flow]) => [stream, flow.stretch()]));
  }

  /**
   * To be called between two periods: makes each replica the leader in turn, to read all of them.
   *
   * @param readsAll false: reads one replica only. What another one lacks shows in the next audit, too.
   */
  async audit(stream: string, readsAll = true): Promise<Audit> {
    const flow = this.#flowOf(stream);
    const { contents, versions } = readsAll
      ? await this.#readAll(stream)
      : { contents: await readContents(this.#reader, this.#port, stream), versions: undefined };
    return {
      acknowledged: flow.acked.size,
      stored: contents.size,
      missing: flow.missingFrom(contents),
      givenTwice: flow.givenTwice,
      storedTwice: contents.size - new Set(contents.values()).size,
      givenUp: flow.givenUp,
      versions,
    };
  }

  /** Number of acknowledged messages so far, by stream. */
  get acknowledged(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#flows].map(([stream, { acked }]) => [stream, acked.size]));
  }

  /** To be called between two periods: purges the streams, and forgets what they acknowledged. */
  async startOver(): Promise<void> {
    for (const [stream, flow] of this.#flows) {
      await this.#reader.request(`$JS.API.STREAM.PURGE.${stream}`, "", { timeout: 5_000 });
      flow.clear();
    }
  }

  /** Number of different messages that the consumer has received. */
  get consumed(): number {
    return this.#consumer.seen.size;
  }

  /** Acknowledged messages of a stream that the consumer hasn't received within {@link CONSUMER_LAG}. */
  async unconsumed(stream: string): Promise<readonly string[]> {
    const unseen = () =>
      [...this.#flowOf(stream).acked.values()].filter((each) => !this.#consumer.seen.has(each));
    const deadline = performance.now() + CONSUMER_LAG;
    while (unseen().length > 0 && performance.now() < deadline) await sleep(FIRST_REST);
    return unseen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#consumer.stop();
    await Promise.all([...this.#publishers, this.#reader].map((client) => client.close()));
    await closeConnections();
  }

  /** The contents of one replica, and the number of different contents among all. */
  async #readAll(stream: string) {
    const replicas = await readReplicas(this.#reader, this.#port, stream);
    const sums = checksums(replicas);
    const versions = new Set(Object.values(sums)).size;
    if (versions > 1) console.error(`replicas of ${stream} differ:`, sums);
    const [contents = new Map<number, string>()] = replicas.values();
    return { contents, versions };
  }

  #flowOf(stream: string): Flow {
    const flow = this.#flows.get(stream);
    if (!flow) throw new Error(`nothing is published to ${stream}`);
    return flow;
  }
}

/** Messages to one stream, sent by the clients in turn. */
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

  start(interval: number): void {
    this.#errors = 0;
    this.#longestGap = 0;
    this.#lastSign = performance.now();
    this.#timer = setInterval(() => this.#send(), interval);
  }

  /** Ends when every message is acknowledged or given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    // Measured before the remaining messages, because the pauses between their retries aren't the stream's gaps.
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

/** A durable pull consumer, and a reader that acknowledges all messages. */
class Consumer {
  /** Payloads that were delivered. */
  readonly seen = new Set<string>();
  readonly #client: NatsConnection;
  #timer: NodeJS.Timeout | undefined;

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
    // One for all requests: servers tell each other of each subscription.
    const inbox = createInbox();
    this.#client.subscribe(inbox, {
      callback: (error, message) => {
        if (error) throw error;
        this.#take(message);
      },
    });
    const request = JSON.stringify({ batch: PULLED, expires: PULL_INTERVAL * 1e6 });
    const pull = () =>
      this.#client.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${CONSUMER}`, request, {
        reply: inbox,
      });
    pull();
    this.#timer = setInterval(pull, PULL_INTERVAL);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #take(message: Msg): void {
    // A message with a status says that the request has ended.
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
    // A server that is frozen or cut off doesn't close its connections.
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
