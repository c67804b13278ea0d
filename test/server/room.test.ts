import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JetStreamLimits } from "../../lib/accounts/account-settings.ts";
import { sumOf } from "../../lib/base/quantities.ts";
import type {
  ObservedCluster,
  ObservedServer,
  ObservedStream,
} from "../../lib/observed/observed.ts";
import {
  type Fleet,
  placementRequest,
  planPlacement,
  type Server,
} from "../../lib/placement/placement.ts";
import { freeIn, reservationOf, type StoreKind } from "../../lib/placement/room.ts";
import {
  type RoomRequest,
  type RoomView,
  refusalOf,
  type Stores,
  withRoom,
} from "../../lib/placement/room-check.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import {
  closeConnections,
  JetStreamError,
  type JetStreamPort,
  JetStreamUnavailable,
  openJetStream,
} from "../../live/jetstream/jetstream.ts";
import { observeCluster } from "../../live/monitoring/observe-cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type TestCluster } from "../support/nats-cluster.ts";
import { BINARY } from "../support/server-process.ts";

/**
 * The sums against the real ones: servers with stores of other sizes, whose account gets other limits again and
 * again, and streams that fill them. Each request is judged by what is observed just before it.
 *
 * ROOM_CASES: how many requests in all, at least. ROOM_SEED: the seed to draw them from, as the test's name gives it.
 */
const CASES = Number(process.env.ROOM_CASES ?? 1_000);
const SEED = Number(process.env.ROOM_SEED ?? Date.now() % 1_000_000);
const UNIQUE_TAGS = ["az:", ""];
const CASES_EACH = Math.ceil(CASES / UNIQUE_TAGS.length);

const MIB = 1024 ** 2;

/** MiB for files and in memory. */
const STORES: Readonly<Record<string, readonly [file: number, memory: number]>> = {
  "rg1-az1": [20, 8],
  "rg1-az2": [30, 12],
  "rg1-az3": [40, 4],
  "rg2-az1": [40, 16],
  "rg2-az2": [25, 8],
  "rg2-az3": [60, 20],
};

const SERVERS: readonly Server[] = Object.keys(STORES).map((name) => ({
  name,
  cluster: "c1",
  tags: [name, `rg:${name[2]}`, name.slice(4, 6) === "az" ? `az:${name[6]}` : ""],
}));

const STEPS = 10;
const PROBES = 6;

interface Wish {
  readonly storage: StoreKind;
  /** MiB; -1: without a size. */
  readonly size: number;
  /** Instead, as much as a server has left, and so many bytes more. */
  readonly edge: readonly [server: string, more: number] | undefined;
  readonly replicas: number;
  readonly tags: readonly string[];
}

interface Round {
  readonly limits: JetStreamLimits;
  readonly steps: readonly { readonly kind: "create" | "update" | "delete"; readonly wish: Wish }[];
  /** What is asked of each server, and of all of them. */
  readonly probes: readonly Wish[];
}

const wish: fc.Arbitrary<Wish> = fc.record({
  storage: fc.constantFrom("file", "file", "memory"),
  size: fc.oneof(
    { weight: 1, arbitrary: fc.constant(-1) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 8 }) },
    { weight: 2, arbitrary: fc.integer({ min: 5, max: 45 }) },
  ),
  edge: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...Object.keys(STORES)), fc.constantFrom(-1, 0, 1)),
    },
  ),
  replicas: fc.constantFrom(1, 1, 2, 3, 3),
  tags: fc.constantFrom<string[]>(
    [],
    [],
    ["rg:1"],
    ["rg:2"],
    ["!rg:1"],
    ["az:2"],
    ["rg:2", "az:3"],
  ),
});

/** In MiB, some of them off. */
const limit = (max: number) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max }).map((size) => size * MIB) },
  );

const limits: fc.Arbitrary<JetStreamLimits> = fc
  .record({
    maxFileStore: limit(200),
    maxMemoryStore: limit(60),
    maxFileStreamBytes: limit(40),
    maxMemoryStreamBytes: limit(12),
  })
  .map((all) => JSON.parse(JSON.stringify(all)) as JetStreamLimits);

const round: fc.Arbitrary<Round> = fc.record({
  limits,
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom("create", "create", "create", "update", "update", "delete"),
      wish,
    }),
    { minLength: STEPS, maxLength: STEPS },
  ),
  probes: fc.array(wish, { minLength: PROBES, maxLength: PROBES }),
});

/** Not every step can be foreseen, but each server answers each probe. */
const ROUNDS = Math.ceil(CASES_EACH / (STEPS / 2 + PROBES * SERVERS.length));

/** A code of nats-server's, 0 or {@link NO_ANSWER}. */
type Answer = { readonly code: number; readonly description: string };

/** The request or its answer was lost, as on a busy machine the first of a connection may be. */
const NO_ANSWER = -1;

/** How often a request is made where the answer is not the one that is foreseen. */
const ATTEMPTS = 6;

/** Milliseconds in which servers tell what they show: far more than they need. */
const HEARING_MS = 30_000;

/** Milliseconds in which members carry out what was answered already. */
const DISCORD_MS = 2_000;

/** What a server tells of itself. */
interface Statsz {
  readonly server: { readonly name: string };
  readonly statsz: { readonly jetstream?: { readonly stats?: Use } };
}

/** Bytes. */
interface Use {
  readonly memory: number;
  readonly storage: number;
  readonly reserved_memory: number;
  readonly reserved_storage: number;
}

function describeUse(use: Use | undefined): string {
  return `file ${use?.reserved_storage}/${use?.storage}, memory ${use?.reserved_memory}/${use?.memory}`;
}

function useOf({ file, memory }: ObservedServer): string {
  return describeUse({
    memory: memory.used,
    storage: file.used,
    reserved_memory: memory.reserved,
    reserved_storage: file.reserved,
  });
}

/** Where servers have reserved more or less than the streams take that have a replica there; "": nowhere. */
function discordOf({ servers, streams }: ObservedCluster): string {
  return servers
    .flatMap((server) =>
      (["file", "memory"] as const).map((kind) => {
        const here = streams.filter(({ hosts }) => hosts.includes(server.name));
        const sizes = here.map(({ config }) => reservationOf(config));
        const bytes = sizes.map(({ storage, bytes }) => (storage === kind ? bytes : 0));
        const more = server[kind].reserved - sumOf(bytes);
        return more === 0 ? "" : `${server.name} ${kind} ${more} `;
      }),
    )
    .join("");
}

function describeDeafness(observed: ObservedCluster, heard: ReadonlyMap<string, string>): string {
  const told = Object.fromEntries(heard);
  return `servers don't tell what they show after ${HEARING_MS} ms: ${JSON.stringify({ told, observed })}`;
}

describe.each(UNIQUE_TAGS)('with unique_tag "%s"', (uniqueTag) => {
  let cluster: TestCluster;
  let port: JetStreamPort;
  let other: JetStreamPort;
  let system: NatsConnection;
  let publisher: NatsConnection;

  beforeAll(async () => {
    cluster = await startCluster(SERVERS, uniqueTag, BINARY, (server) => {
      const [file = 0, memory = 0] = STORES[server] ?? [];
      return { file: file * MIB, memory: memory * MIB };
    });
    const { urls } = cluster.connection;
    port = openJetStream(cluster.connection, cluster.account);
    other = openJetStream({ urls, user: "other", password: "other" }, "OTHER");
    system = await connect({ servers: [...urls], user: "sys", pass: "sys" });
    publisher = await connect({ servers: [...urls], user: "other", pass: "other" });
  });

  afterAll(async () => {
    await Promise.all([system.close(), publisher.close()]);
    await closeConnections();
    await cluster.stop();
  });

  /**
   * Has all servers tell each other of their room now: they do by themselves, but once a second at most.
   *
   * @returns what each of them told, by its name.
   */
  async function spread(): Promise<ReadonlyMap<string, string>> {
    const heard = new Map<string, string>();
    const told = system.subscribe("$SYS.SERVER.*.STATSZ");
    await system.flush();
    system.publish("$SYS.REQ.SERVER.PING");
    for await (const message of told) {
      const { server, statsz } = message.json<Statsz>();
      heard.set(server.name, describeUse(statsz.jetstream?.stats));
      if (heard.size === SERVERS.length) break;
    }
    await sleep(10);
    return heard;
  }

  /** What was reserved otherwise than the streams take it, and stayed so. */
  let known = "";

  /**
   * The cluster, once each member has reserved what its streams take, and has told the others so: a request is
   * answered before its members have carried it out, and on a busy machine that takes its time. What stays otherwise
   * is what the servers go by: a member may refuse what the leader took, and one that is busy may keep what it
   * reserved for a stream that is gone.
   */
  async function observe(): Promise<ObservedCluster> {
    for (const start = Date.now(); ; await sleep(20)) {
      const heard = await spread();
      const observed = await observeCluster(cluster.monitors);
      const { servers, meta } = observed;
      const isTold =
        servers.length === SERVERS.length &&
        meta !== undefined &&
        servers.every((server) => heard.get(server.name) === useOf(server));
      const discord = discordOf(observed);
      const lasts = Date.now() - start;
      if (isTold && (discord === known || discord === "" || lasts > DISCORD_MS)) {
        known = discord;
        return observed;
      }
      if (lasts > HEARING_MS) throw new Error(describeDeafness(observed, heard));
    }
  }

  async function ask(request: () => Promise<void>): Promise<Answer> {
    try {
      await request();
      return { code: 0, description: "" };
    } catch (error) {
      if (error instanceof JetStreamError) return error;
      if (error instanceof JetStreamUnavailable)
        return { code: NO_ANSWER, description: `${error}` };
      throw error;
    }
  }

  /** Asks until there is an answer: for what may be asked for twice. */
  async function askOn(request: () => Promise<void>): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1, await sleep(1_200)) {
      const answer = await ask(request);
      if (answer.code !== NO_ANSWER || attempt === ATTEMPTS) return answer;
    }
  }

  /** @throws Error where the stream is still there. */
  async function remove(port: JetStreamPort, stream: string): Promise<void> {
    const { code, description } = await askOn(() => port.delete(stream));
    // 10059: an answer was lost, or there never was one.
    if (code !== 0 && code !== 10059) throw new Error(`${stream} can't be deleted: ${description}`);
  }

  /** Has something used, some of it beyond what is reserved. */
  async function fill(index: number): Promise<void> {
    const tags = index % 2 === 0 ? ["rg:1"] : ["rg:2"];
    const size = index % 2 === 0 ? {} : { max_bytes: 7 * MIB };
    const name = `USED${index}`;
    const subject = `used.${index}`;
    const { code } = await askOn(() =>
      other.create({ name, subjects: [subject], placement: { tags }, ...size }),
    );
    for (let count = 0; code === 0 && count < 6; count += 1) {
      // Whether it is acknowledged is of no interest: what is used is observed.
      await publisher
        .request(subject, new Uint8Array(900_000), { timeout: 5_000 })
        .catch(() => sleep(100));
    }
  }

  /** A stream whose leader changes meanwhile doesn't answer at once. */
  async function settled(stream: string): Promise<void> {
    await eventually(async () => (await port.info(stream)).cluster?.desired === undefined);
  }

  it(
    `nats-server says to ${CASES_EACH} requests and more what is foreseen (ROOM_SEED=${SEED})`,
    async () => {
      const seen = new Map<number, number>();
      let asked = 0;
      const viewOf = (
        observed: ObservedCluster,
        limits: JetStreamLimits,
        name: string,
      ): RoomView => ({
        fleet: cluster.fleet,
        stores: new Map(observed.servers.map((server): [string, Stores] => [server.name, server])),
        metaLeader: observed.meta?.leader,
        limits,
        others: observed.streams.filter(
          (stream) => stream.account === cluster.account && stream.name !== name,
        ),
      });
      const toConfig = (name: string, wish: Wish, observed: ObservedCluster): StreamConfig => {
        const { storage, edge, replicas, tags } = wish;
        const server = observed.servers.find((each) => each.name === edge?.[0]);
        const size =
          edge && server ? freeIn(server[storage]) + edge[1] : wish.size > 0 ? wish.size * MIB : -1;
        return {
          name,
          subjects: [name],
          storage,
          num_replicas: replicas,
          ...(size > 0 ? { max_bytes: size } : {}),
          ...(tags.length > 0 ? { placement: { tags: [...tags] } } : {}),
        };
      };
      /**
       * Asks again where the servers say something else than what is foreseen, each time by what is observed then:
       * what they told may not have reached the leader yet. What is wrong stays so.
       *
       * @throws Error with the last answer and what it was foreseen by.
       */
      const compare = async (
        first: RoomRequest,
        limits: JetStreamLimits,
        observed: ObservedCluster,
      ): Promise<void> => {
        let request = first;
        let current = observed;
        for (let attempt = 1; ; attempt += 1) {
          const { config, found } = request;
          const view = viewOf(current, limits, config.name);
          const placement = planPlacement(placementRequest(config), withRoom(view));
          const foreseen =
            refusalOf(request, view)?.code ?? (homeless(request, view.fleet) ? 10005 : 0);
          const answer = await ask(() => (found ? port.update(config) : port.create(config)));
          const text = placement.kind === "impossible" ? placement.serverError : "";
          const isSame =
            answer.code === foreseen &&
            (foreseen !== 10005 || found || sortLists(text) === sortLists(answer.description));
          if (isSame) {
            asked += 1;
            seen.set(foreseen, (seen.get(foreseen) ?? 0) + 1);
            return;
          }
          const mismatch = `foreseen ${foreseen} ${text}, got ${answer.code} ${answer.description}: ${JSON.stringify({ request, limits, observed: { servers: current.servers, streams: view.others, meta: current.meta } })}`;
          if (attempt === ATTEMPTS) throw new Error(mismatch);
          console.log(`asked again, attempt ${attempt}: ${mismatch}`);
          if (answer.code === 0 || answer.code === NO_ANSWER) await takeBack(request, mismatch);
          await sleep(1_200);
          current = await observe();
          request = found ? { ...request, found: foundIn(current, request) ?? found } : request;
        }
      };
      /** Undoes what was not to be, so that it can be asked for again. @throws Error where that is refused. */
      const takeBack = async ({ config, found }: RoomRequest, mismatch: string): Promise<void> => {
        if (!found) return await remove(port, config.name);
        await settled(config.name);
        const { code } = await askOn(() => port.update(found.config));
        if (code !== 0) throw new Error(`can't be taken back (${code}): ${mismatch}`);
        await settled(config.name);
      };
      const foundIn = ({ streams }: ObservedCluster, { account, config }: RoomRequest) =>
        streams.find((stream) => stream.account === account && stream.name === config.name);

      const rounds = fc.sample(round, { seed: SEED, numRuns: ROUNDS });
      for (const [index, { limits, steps, probes }] of rounds.entries()) {
        if (index % 3 === 0) await fill(index);
        await cluster.relimit(limits);
        for (const [at, { kind, wish }] of steps.entries()) {
          const observed = await observe();
          const own = observed.streams.filter(({ account }) => account === cluster.account);
          const found = own[(index + at) % Math.max(1, own.length)];
          const account = cluster.account;
          if (kind === "create" || !found) {
            const config = toConfig(`S${index}x${at}`, wish, observed);
            await compare({ account, config }, limits, observed);
          } else if (kind === "update") {
            const { storage } = reservationOf(found.config);
            const wished = toConfig(found.name, { ...wish, storage }, observed);
            const request = { account, config: changed(found, wished, at), found };
            if (isHalf(request, viewOf(observed, limits, found.name))) continue;
            await compare(request, limits, observed);
            await settled(found.name);
          } else {
            await remove(port, found.name);
          }
        }
        const observed = await observe();
        for (const probe of probes) {
          const account = cluster.account;
          const all = toConfig("PROBE", { ...probe, replicas: 5 }, observed);
          // No server takes both replicas: it is refused, and says whether there is room for one.
          const each = SERVERS.map(({ name }) =>
            toConfig("PROBE", { ...probe, replicas: 2, tags: [name] }, observed),
          );
          for (const config of [all, ...each]) {
            const isRefused = planPlacement(placementRequest(config), cluster.fleet).kind;
            if (isRefused === "impossible") await compare({ account, config }, limits, observed);
          }
        }
        // Half of what is there makes room for others.
        for (const [at, stream] of observed.streams.entries()) {
          if ((at + index) % 2 === 0) continue;
          await remove(stream.account === cluster.account ? port : other, stream.name);
        }
      }
      console.log(`${asked} requests answered: ${JSON.stringify(Object.fromEntries(seen))}`);
      // A generator that found only one kind would prove little.
      for (const codes of [[0], [10005], [10028, 10047], [10122]]) {
        expect(sumOf(codes.map((code) => seen.get(code) ?? 0)), `${codes}`).toBeGreaterThan(0);
      }
    },
    60_000 + CASES_EACH * 1_000,
  );
});

/** What room has no say in: too few servers that fit. */
function homeless({ config, found }: RoomRequest, fleet: Fleet): boolean {
  if (planPlacement(placementRequest(config), fleet).kind !== "impossible") return false;
  const moves =
    JSON.stringify(config.placement?.tags ?? []) !==
    JSON.stringify(found?.config.placement?.tags ?? []);
  return !found || moves || (config.num_replicas ?? 1) > found.hosts.length;
}

/** One thing is changed at a time: its size, its replicas or its place. */
function changed(
  { config: given }: ObservedStream,
  { max_bytes, num_replicas = 1, placement }: StreamConfig,
  at: number,
): StreamConfig {
  const { placement: shown, ...placeless } = given;
  // None is shown as one without tags, and that would be another.
  const config = shown?.tags?.length ? given : placeless;
  const { max_bytes: _, ...rest } = config;
  if (at % 4 < 2) return { ...rest, ...(max_bytes === undefined ? {} : { max_bytes }) };
  if (at % 4 === 2) return { ...config, num_replicas };
  return { ...config, ...(placement ? { placement } : {}) };
}

/** An update that some hosts refuse and others don't: which of them answers first is a matter of luck. */
function isHalf(request: RoomRequest, view: RoomView): boolean {
  const known = refusalOf(request, view);
  const { metaLeader: _, ...rest } = view;
  const byHosts = refusalOf(request, { ...rest, metaLeader: undefined });
  if (known?.code === 10005 || known?.code === 10122) return false;
  // What isn't known is taken for enough.
  const stores = new Map([...view.stores].filter(([name]) => name === view.metaLeader));
  return byHosts !== undefined && refusalOf(request, { ...view, stores }) === undefined;
}

/** The server lists tags in random order. */
function sortLists(error: string): string {
  return error.replace(
    /\[([^\]]*)\]/g,
    (_, list: string) => `[${list.split(", ").sort().join(", ")}]`,
  );
}
