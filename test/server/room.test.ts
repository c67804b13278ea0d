import { connect, type NatsConnection } from "@nats-io/transport-node";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JetStreamLimits } from "../../lib/account-settings.ts";
import type { ObservedCluster, ObservedStream } from "../../lib/observed.ts";
import { placementRequest, plannedHosts, planPlacement, type Server } from "../../lib/placement.ts";
import { freeIn, reservationOf, type StoreKind } from "../../lib/room.ts";
import {
  type RoomRequest,
  type RoomView,
  refusalOf,
  type Stores,
  withRoom,
} from "../../lib/room-check.ts";
import type { StreamConfig } from "../../lib/stream-config.ts";
import {
  closeConnections,
  JetStreamError,
  type JetStreamPort,
  openJetStream,
} from "../../providers/jetstream.ts";
import { observeCluster } from "../../providers/observe-cluster.ts";
import { eventually } from "../support/eventually.ts";
import { BINARY, startCluster, type TestCluster } from "../support/nats-cluster.ts";

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

/** A code of nats-server's, or 0. */
type Answer = { readonly code: number; readonly description: string };

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

  /** Has all servers tell each other of their room now: they do by themselves, but once a second at most. */
  async function spread(): Promise<void> {
    const heard = new Set<string>();
    const told = system.subscribe("$SYS.SERVER.*.STATSZ");
    await system.flush();
    system.publish("$SYS.REQ.SERVER.PING");
    for await (const { subject } of told) {
      heard.add(subject);
      if (heard.size === SERVERS.length) break;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  const observe = () => observeCluster(cluster.monitors);

  async function metaLeader(): Promise<string> {
    const [first] = cluster.monitors;
    const page = await fetch(`${first?.url}/jsz`);
    const { meta_cluster: meta } = (await page.json()) as { meta_cluster?: { leader?: string } };
    return meta?.leader ?? "";
  }

  async function ask(request: () => Promise<void>): Promise<Answer> {
    try {
      await request();
      return { code: 0, description: "" };
    } catch (error) {
      if (error instanceof JetStreamError) return error;
      throw error;
    }
  }

  /** Has something used, some of it beyond what is reserved. */
  async function fill(index: number): Promise<void> {
    const tags = index % 2 === 0 ? ["rg:1"] : ["rg:2"];
    const size = index % 2 === 0 ? {} : { max_bytes: 7 * MIB };
    const name = `USED${index}`;
    const subject = `used.${index}`;
    const { code } = await ask(() =>
      other.create({ name, subjects: [subject], placement: { tags }, ...size }),
    );
    for (let count = 0; code === 0 && count < 6; count += 1) {
      await publisher.request(subject, new Uint8Array(900_000), { timeout: 5_000 });
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
      const leader = await metaLeader();
      const viewOf = (
        observed: ObservedCluster,
        limits: JetStreamLimits,
        name: string,
      ): RoomView => ({
        fleet: cluster.fleet,
        stores: new Map(observed.servers.map((server): [string, Stores] => [server.name, server])),
        metaLeader: leader,
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
      /** @throws Error where the server says something else than what is foreseen. */
      const compare = async (
        request: RoomRequest,
        limits: JetStreamLimits,
        observed: ObservedCluster,
      ): Promise<void> => {
        let current = observed;
        for (let attempt = 1; ; attempt += 1) {
          const view = viewOf(current, limits, request.config.name);
          const placement = planPlacement(placementRequest(request.config), withRoom(view));
          const foreseen =
            refusalOf(request, view)?.code ?? (homeless(request, placement) ? 10005 : 0);
          const { config, found } = request;
          const answer = await ask(() => (found ? port.update(config) : port.create(config)));
          const text = placement.kind === "impossible" ? placement.serverError : "";
          const isSame =
            answer.code === foreseen &&
            (foreseen !== 10005 ||
              request.found ||
              sortLists(text) === sortLists(answer.description));
          if (isSame) {
            asked += 1;
            seen.set(foreseen, (seen.get(foreseen) ?? 0) + 1);
            return;
          }
          // A leader that has not heard of the last change yet places by what it knew.
          if (attempt === 3) {
            throw new Error(
              `foreseen ${foreseen} ${text}, got ${answer.code} ${answer.description}: ${JSON.stringify({ request, limits, observed: { servers: current.servers, streams: view.others } })}`,
            );
          }
          if (answer.code === 0 && !found) await port.delete(config.name);
          await new Promise((resolve) => setTimeout(resolve, 1_200));
          await spread();
          current = await observe();
        }
      };

      const rounds = fc.sample(round, { seed: SEED, numRuns: ROUNDS });
      for (const [index, { limits, steps, probes }] of rounds.entries()) {
        if (index % 3 === 0) await fill(index);
        await cluster.relimit(limits);
        await spread();
        for (const [at, { kind, wish }] of steps.entries()) {
          const observed = await observe();
          const own = observed.streams.filter(({ account }) => account === cluster.account);
          const found = own[(index + at) % Math.max(1, own.length)];
          const account = cluster.account;
          if (kind === "create" || !found) {
            const config = toConfig(`S${index}x${at}`, wish, observed);
            if (isOpen(config, viewOf(observed, limits, config.name))) continue;
            await compare({ account, config }, limits, observed);
          } else if (kind === "update") {
            const { storage } = reservationOf(found.config);
            const wished = toConfig(found.name, { ...wish, storage }, observed);
            const request = { account, config: changed(found, wished, at), found };
            if (isHalf(request, viewOf(observed, limits, found.name))) continue;
            await compare(request, limits, observed);
            await settled(found.name);
          } else {
            await port.delete(found.name);
          }
          await spread();
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
          await (stream.account === cluster.account ? port : other).delete(stream.name);
        }
      }
      console.log(`${asked} requests answered: ${JSON.stringify(Object.fromEntries(seen))}`);
      // A generator that found only one kind would prove little.
      for (const code of [0, 10005, 10028, 10047, 10122]) {
        expect(seen.get(code) ?? 0, `${code}`).toBeGreaterThan(0);
      }
    },
    60_000 + CASES_EACH * 1_000,
  );
});

/** What room has no say in: too few servers that fit. */
function homeless(
  { config, found }: RoomRequest,
  placement: ReturnType<typeof planPlacement>,
): boolean {
  if (placement.kind !== "impossible") return false;
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

/** A stream without a size, where it depends on the server's choice whether a host refuses it. */
function isOpen(config: StreamConfig, view: RoomView): boolean {
  const { storage, bytes } = reservationOf(config);
  const placement = planPlacement(placementRequest(config), withRoom(view));
  if (bytes > 0 || placement.kind !== "choice") return false;
  return plannedHosts(placement).some((host) => {
    const store = view.stores.get(host)?.[storage];
    return store !== undefined && store.reserved >= store.max;
  });
}

/** An update that some hosts refuse and others don't: which of them answers first is a matter of luck. */
function isHalf(request: RoomRequest, view: RoomView): boolean {
  const known = refusalOf(request, view);
  const { metaLeader: _, ...rest } = view;
  const byHosts = refusalOf(request, { ...rest, metaLeader: undefined });
  if (known?.code === 10005 || known?.code === 10122) return false;
  const leaderOnly = request.found && {
    ...request,
    found: { ...request.found, hosts: [] },
  };
  return (
    byHosts !== undefined && leaderOnly !== undefined && refusalOf(leaderOnly, view) === undefined
  );
}

/** The server lists tags in random order. */
function sortLists(error: string): string {
  return error.replace(
    /\[([^\]]*)\]/g,
    (_, list: string) => `[${list.split(", ").sort().join(", ")}]`,
  );
}
