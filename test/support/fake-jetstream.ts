import { type Fleet, planPlacement } from "../../lib/placement/placement.ts";
import { completeConfig } from "../../lib/streams/stream-diff.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { ConsumerProgress } from "../../lib/streams/stream-loss.ts";
import { subjectsOverlap } from "../../lib/streams/subjects.ts";
import {
  JetStreamError,
  type JetStreamPort,
  type Reconfiguration,
  type StoredMessage,
  type StreamInfo,
  StreamNotFound,
} from "../../live/jetstream/jetstream.ts";

interface FakeStream {
  config: StreamConfig;
  peers: string[];
  messages: number;
  bytes: number;
  consumers: ConsumerProgress[];
  change?: FakeChange;
}

/** A change under way. */
interface FakeChange {
  readonly kind: "move" | "scale";
  readonly origin: { readonly peers: string[]; readonly config: StreamConfig };
  /** Peers after the change. */
  readonly peers: string[];
  /** Number of looks that it still takes. */
  looks: number;
}

/**
 * JetStream in memory, with those semantics of nats-server 2.15 that the lifecycle depends on. The conformance suite
 * compares it with the real server.
 */
export class FakeJetStream implements JetStreamPort {
  fleet: Fleet;
  readonly streams = new Map<string, FakeStream>();
  /** The requests in their order, without `info`. */
  readonly requests: { verb: string; config?: StreamConfig; preferred?: string }[] = [];
  /** Errors of the next requests, one each. */
  readonly failures: Error[] = [];
  /** Number of `info` requests. */
  looks = 0;
  /** Number of looks that a change takes. */
  looksPerChange = 3;
  /** Number of looks after an update that still show the state before it, without a change under way. */
  looksAtPast = 1;
  /** Servers that are down. They remain members, and never become current. */
  readonly down = new Set<string>();
  /** Winners of the next elections, regardless of the preferred host. */
  readonly elections: string[] = [];

  constructor(fleet: Fleet) {
    this.fleet = fleet;
  }

  async info(name: string): Promise<StreamInfo> {
    this.#fail();
    this.looks += 1;
    const stream = this.#find(name);
    const { config, change } = stream;
    const past = change && change.looks > this.looksPerChange - this.looksAtPast;
    const isStuck = change?.peers.some((host) => this.down.has(host));
    if (change && change.looks-- <= 0 && !isStuck) {
      stream.peers = change.peers;
      delete stream.change;
    }
    const [leader = "", ...followers] = stream.peers;
    return {
      config,
      created: "2026-01-31T12:00:00Z",
      state: {
        messages: stream.messages,
        bytes: stream.bytes,
        consumer_count: stream.consumers.length,
        first_seq: 1,
        last_seq: stream.messages,
      },
      cluster: {
        leader,
        replicas: followers.map((host) => ({
          name: host,
          current: !this.down.has(host),
          ...(this.down.has(host) ? { offline: true } : {}),
        })),
        ...(stream.change && !past ? { desired: describeDesired(stream.change) } : {}),
      },
    };
  }

  async create(requested: StreamConfig): Promise<void> {
    this.#log("create", requested);
    const config = asStored(requested);
    const existing = this.streams.get(config.name);
    if (existing && !isSame(existing.config, config)) throw nameInUse();
    if (existing) return;
    this.#refuseOverlap(config);
    this.streams.set(config.name, {
      config,
      peers: this.#place(config),
      messages: 0,
      bytes: 0,
      consumers: [],
    });
  }

  async update(requested: StreamConfig): Promise<void> {
    this.#log("update", requested);
    const stream = this.#find(requested.name);
    const config = asStored(requested);
    const old = stream.config;
    refuseImmutable(old, config);
    this.#refuseOverlap(config);
    const moves = config.placement !== undefined && !isSame(config.placement, old.placement);
    const scales = config.num_replicas !== old.num_replicas || config.retention !== old.retention;
    if (moves && scales) throw error(10123, "can not move and scale a stream in a single update");
    if (stream.change?.kind === "move" && (moves || scales)) {
      throw error(10124, "stream move already in progress");
    }
    if (stream.change && moves) throw error(10226, "stream reconfiguration already in progress");
    if (moves) this.#begin(stream, "move", this.#place(config));
    else if (scales) this.#begin(stream, "scale", this.#scale(stream, config));
    stream.config = config;
  }

  async stepDown(name: string, preferred: string): Promise<void> {
    this.#log("stepDown", undefined, preferred);
    const stream = this.#find(name);
    const [leader, ...followers] = stream.peers;
    if (followers.length === 0) return;
    if (preferred === leader) throw error(10005, `preferred server "${leader}" is already leader`);
    if (!followers.includes(preferred)) {
      throw error(10005, `preferred server "${preferred}" not known`);
    }
    const winner = this.elections.shift() ?? preferred;
    stream.peers = [winner, ...stream.peers.filter((host) => host !== winner)];
  }

  async cancelMove(name: string): Promise<void> {
    this.#log("cancelMove");
    const stream = this.#find(name);
    const { change } = stream;
    if (!change) throw error(10129, "stream reconfiguration not in progress");
    const { num_replicas = 1, placement, retention = "limits" } = change.origin.config;
    const { placement: _, ...config } = stream.config;
    stream.config = { ...config, num_replicas, retention, ...(placement ? { placement } : {}) };
    this.#begin(stream, change.kind, change.origin.peers);
  }

  async delete(name: string): Promise<void> {
    this.#log("delete");
    this.#find(name);
    this.streams.delete(name);
  }

  async names(filter?: string): Promise<string[]> {
    this.#fail();
    const takes = ({ config: { subjects = [] } }: FakeStream) =>
      filter === undefined || subjects.some((subject) => subjectsOverlap(subject, filter));
    return [...this.streams].filter(([, stream]) => takes(stream)).map(([name]) => name);
  }

  async consumers(name: string): Promise<readonly ConsumerProgress[]> {
    this.#fail();
    return this.#find(name).consumers;
  }

  async subjects(name: string): Promise<readonly number[]> {
    this.#fail();
    const { messages } = this.#find(name);
    return messages > 0 ? [messages] : [];
  }

  async message(name: string, seq: number): Promise<StoredMessage | undefined> {
    if (seq > this.#find(name).messages) return undefined;
    return { seq, subject: name, time: "2026-01-31T12:00:00Z", data: btoa(`${seq}`) };
  }

  #begin(stream: FakeStream, kind: "move" | "scale", peers: string[]): void {
    const origin = stream.change?.origin ?? { peers: stream.peers, config: stream.config };
    stream.change = { kind, origin, peers, looks: this.looksPerChange };
  }

  #log(verb: string, config?: StreamConfig, preferred?: string): void {
    this.requests.push({
      verb,
      ...(config ? { config } : {}),
      ...(preferred ? { preferred } : {}),
    });
    this.#fail();
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure) throw failure;
  }

  #find(name: string): FakeStream {
    const stream = this.streams.get(name);
    if (!stream) throw new StreamNotFound(10059, "stream not found");
    return stream;
  }

  #refuseOverlap(config: StreamConfig): void {
    const rivals = [...this.streams.values()].filter(
      ({ config: { name } }) => name !== config.name,
    );
    const taken = rivals.flatMap((rival) => rival.config.subjects ?? []);
    if (
      config.subjects?.some((subject) => taken.some((other) => subjectsOverlap(subject, other)))
    ) {
      throw error(10065, "subjects overlap with an existing stream");
    }
  }

  #place(config: StreamConfig): string[] {
    const replicas = config.num_replicas ?? 1;
    const { tags = [], cluster = "" } = config.placement ?? {};
    const placement = planPlacement({ replicas, tags, cluster }, this.fleet);
    if (placement.kind === "impossible") throw error(10005, placement.serverError);
    return placement.kind === "exact"
      ? [...placement.hosts]
      : pick(placement.candidates, replicas, { tags, cluster }, this.fleet);
  }

  #scale(stream: FakeStream, config: StreamConfig): string[] {
    const replicas = config.num_replicas ?? 1;
    const kept = stream.peers.slice(0, replicas);
    if (kept.length === replicas) return kept;
    const added = this.#place(config).filter((host) => !kept.includes(host));
    return [...kept, ...added].slice(0, replicas);
  }
}

/** While a scale down is under way, the server doesn't show which replicas it keeps. */
function describeDesired({ kind, origin, peers }: FakeChange): Reconfiguration {
  const { num_replicas: replicas = 1, placement } = origin.config;
  return {
    ...(peers.length < replicas ? {} : { replicas: peers.map((name) => ({ name })) }),
    origin: { replicas, ...(placement ? { placement } : {}) },
    status: { description: kind },
  };
}

/** Picks the last candidates that are allowed together, so that a test which relies on the first ones fails. */
function pick(
  candidates: readonly string[],
  replicas: number,
  request: { tags: readonly string[]; cluster: string },
  fleet: Fleet,
): string[] {
  const chosen: string[] = [];
  for (const name of candidates.toReversed()) {
    const together = new Set([...chosen, name]);
    const servers = fleet.servers.filter((server) => together.has(server.name));
    const fits = planPlacement({ ...request, replicas: together.size }, { ...fleet, servers });
    if (chosen.length < replicas && fits.kind === "exact") chosen.push(name);
  }
  return chosen;
}

/** Adds the server's defaults in its order of keys, and removes an empty placement. */
function asStored(config: StreamConfig): StreamConfig {
  const { placement, ...rest } = completeConfig(config);
  return {
    ...rest,
    ...(placement && Object.keys(placement).length > 0 ? { placement } : {}),
    metadata: { ...rest.metadata, "_nats.level": "5", "_nats.ver": "2.15.2" },
  };
}

function refuseImmutable(old: StreamConfig, config: StreamConfig): void {
  const off = (["deny_delete", "deny_purge", "sealed", "allow_msg_ttl"] as const).find(
    (flag) => old[flag] && !config[flag],
  );
  const workqueue = old.retention === "workqueue" || config.retention === "workqueue";
  if (old.storage !== config.storage) throw invalid("can not change storage type");
  if (workqueue && old.retention !== config.retention) {
    throw invalid("can not change retention policy to/from workqueue");
  }
  if (off) throw invalid(`can not switch off ${off}`);
}

function invalid(what: string): JetStreamError {
  return error(10052, `stream configuration update ${what}`);
}

function nameInUse(): JetStreamError {
  return error(10058, "stream name already in use with a different configuration");
}

function error(code: number, description: string): JetStreamError {
  return new JetStreamError(code, description);
}

/** Compares like Go's reflect.DeepEqual after decoding JSON: the order of a list counts, the order of keys doesn't. */
function isSame(a: unknown, b: unknown): boolean {
  const canonical = (value: unknown) =>
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
        : inner,
    );
  return canonical(a) === canonical(b);
}
