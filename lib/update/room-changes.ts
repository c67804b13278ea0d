/** Reports, before anything changes, what of a plan doesn't fit into the observed cluster's stores. */

import { sumOf } from "../base/quantities.ts";
import { describeBytes, formatSize, listSome } from "../base/wording.ts";
import type { ObservedCluster, ObservedServer, ObservedStream } from "../observed/observed.ts";
import { placementRequest, plannedHosts, planSeating } from "../placement/placement.ts";
import {
  accountReservation,
  type Demand,
  demandsOf,
  describeOverload,
  describeReservations,
  findOverloads,
  freeIn,
  reservationOf,
  STORE_KINDS,
  STORE_SETTINGS,
  type Store,
  type StoreKind,
} from "../placement/room.ts";
import {
  isMoved,
  type RoomView,
  refusalOf,
  type Stores,
  whyNoReplacement,
  withRoom,
} from "../placement/room-check.ts";
import { type ClusterPlan, nodesOf, type StreamPlan } from "../plan/plan.ts";
import { diffConfig } from "../streams/stream-diff.ts";
import { type StreamName, streamKey, streamsExcept, terseNamer } from "../streams/stream-name.ts";

/** The observed room of a cluster, as far as it is known without its streams. */
export interface ObservedRoom {
  /** The servers that answered. */
  readonly servers: readonly ObservedServer[];
  readonly accounts: readonly ObservedAccount[];
  /** Name of the server; `""` if there is none. */
  readonly metaLeader: string;
}

export interface ObservedAccount {
  readonly name: string;
  readonly file: AccountStore;
  readonly memory: AccountStore;
}

/** An account's store in the whole cluster, in bytes, all replicas counted. */
export interface AccountStore {
  /** Absent: no limit. */
  readonly limit?: number;
  readonly used: number;
}

type PlanRoom = Pick<ClusterPlan, "regions" | "fleet" | "accounts" | "streams">;

/**
 * Whether the check for room needs the observed streams. It doesn't if all streams in the settings would fit even
 * in addition to all that exists, and no node leaves, no store shrinks, and no limit is lowered.
 */
export function needsStreams(plan: PlanRoom, room: ObservedRoom): boolean {
  const stores = plannedStores(plan, room.servers);
  const left = room.servers.filter(({ name }) => !stores.has(name));
  if (left.length > 0 || loweredStores(plan, room).length > 0) return true;
  if (loweredLimits(plan, room).length > 0) return true;
  // A copy needs as much room as its original.
  const isCopied = plan.streams.some(({ policy }) => policy.recreate === "viaBackup");
  if (isCopied && room.servers.some(({ file }) => file.used > freeIn(file))) return true;
  return STORE_KINDS.some((kind) => {
    const own = plan.streams.filter(({ config }) => reservationOf(config).storage === kind);
    const largest = Math.max(0, ...own.map(({ config }) => reservationOf(config).bytes));
    const isTight = [...stores].some(([name, { [kind]: store }]) => {
      const here = own.filter(({ placement }) => plannedHosts(placement).includes(name));
      const wanted = sumOf(here.map(({ config }) => reservationOf(config).bytes));
      return Math.max(wanted, largest) > freeIn(store);
    });
    return isTight || plan.accounts.some((account) => mayExceed(account, kind, own, room));
  });
}

/**
 * Whether an account may exceed its limit. All reservations on all servers are added, as an upper bound of what the
 * account's streams outside the settings reserve.
 */
function mayExceed(
  { name, jetStream }: ClusterPlan["accounts"][number],
  kind: StoreKind,
  streams: readonly StreamPlan[],
  { servers }: ObservedRoom,
): boolean {
  const limit = jetStream === false ? undefined : jetStream[STORE_SETTINGS[kind]];
  if (limit === undefined) return false;
  const own = streams.filter(({ account }) => account === name);
  const planned = sumOf(own.map(({ config }) => accountReservation(config)));
  return planned + sumOf(servers.map((server) => server[kind].reserved)) > limit;
}

/** Describes all shortages of room, one sentence each: of nodes, accounts, single streams, and streams together. */
export function describeShortages(
  plan: PlanRoom,
  room: ObservedRoom,
  observed: ObservedCluster,
): string[] {
  return [
    ...describeLoweredStores(plan, room, observed),
    ...describeLoweredLimits(plan, room, observed),
    ...describeStreamShortages(plan, room, observed),
  ];
}

/**
 * The nodes' stores with their planned sizes, which change before streams do. One that doesn't answer counts as
 * empty.
 */
function plannedStores(
  plan: PlanRoom,
  servers: readonly ObservedServer[],
): Map<string, Record<StoreKind, Store>> {
  const seen = new Map(servers.map((server) => [server.name, server]));
  const running = nodesOf(plan).flatMap(({ name, conf }) => {
    const server = seen.get(name);
    const file = { ...(server?.file ?? NOTHING), max: conf.maxFileStore };
    const memory = { ...(server?.memory ?? NOTHING), max: conf.maxMemoryStore };
    return [[name, { file, memory }] as const];
  });
  return new Map(running);
}

const NOTHING: Store = { max: 0, reserved: 0, used: 0 };

interface Lowered {
  readonly node: string;
  readonly kind: StoreKind;
  readonly from: number;
  readonly to: number;
  readonly store: Store;
}

function loweredStores(plan: PlanRoom, { servers }: ObservedRoom): Lowered[] {
  const planned = plannedStores(plan, servers);
  return servers.flatMap((server) =>
    STORE_KINDS.flatMap((kind) => {
      const store = server[kind];
      const to = planned.get(server.name)?.[kind].max ?? store.max;
      return to < store.max ? [{ node: server.name, kind, from: store.max, to, store }] : [];
    }),
  );
}

/**
 * Describes nodes whose stores shrink below their contents. After its restart, a server restores streams one after the
 * other as long as they fit, and drops the rest. A server that exceeds its store's size stores nothing more.
 */
function describeLoweredStores(
  plan: PlanRoom,
  room: ObservedRoom,
  { streams }: ObservedCluster,
): string[] {
  const nameOf = terseNamer(streams);
  const faults = loweredStores(plan, room).flatMap(({ node, kind, from, to, store }) => {
    const here = streams.filter(
      ({ hosts, config }) => hosts.includes(node) && reservationOf(config).storage === kind,
    );
    const unsized = here.filter(({ config }) => reservationOf(config).bytes === 0);
    const left =
      store.reserved === to && unsized.length > 0
        ? [`leaves nothing for ${listSome(unsized.map(nameOf))}`]
        : [];
    const singles = here.map((stream) => ({
      name: nameOf(stream),
      config: { ...stream.config, num_replicas: 1 },
    }));
    const holds = [
      ...(store.reserved > to
        ? [`has ${describeBytes(store.reserved)} reserved (${describeReservations(singles)})`]
        : left),
      ...(store.used > to ? [`stores ${formatSize(store.used)}`] : []),
    ];
    const change = `${STORE_SETTINGS[kind]} ${describeBytes(from)} → ${describeBytes(to)}`;
    return holds.length === 0 ? [] : [{ node, text: holds.join(" and "), change, kind }];
  });
  return [...Map.groupBy(faults, ({ change, text }) => `${change} ${text}`).values()].flatMap(
    (alike) => {
      const [first] = alike;
      if (!first) return [];
      const nodes = `${listSome(alike.map(({ node }) => node))}${alike.length > 1 ? ", each" : ""}`;
      return [
        `${first.change}: ${nodes} ${first.text}; keep ${STORE_SETTINGS[first.kind]}, or first lower maxBytes, empty streams or move them, by an up of its own`,
      ];
    },
  );
}

interface LoweredLimit {
  readonly account: string;
  readonly kind: StoreKind;
  readonly from: number | undefined;
  readonly to: number;
  readonly used: number;
}

function loweredLimits(plan: PlanRoom, { accounts }: ObservedRoom): LoweredLimit[] {
  return plan.accounts.flatMap(({ name, jetStream }) => {
    const seen = accounts.find((account) => account.name === name);
    return STORE_KINDS.flatMap((kind) => {
      const to = jetStream === false ? undefined : jetStream[STORE_SETTINGS[kind]];
      if (!seen || to === undefined) return [];
      const { limit: from, used } = seen[kind];
      return to < (from ?? Number.POSITIVE_INFINITY)
        ? [{ account: name, kind, from, to, used }]
        : [];
    });
  });
}

/**
 * Describes accounts whose limit falls below what they have. The servers refuse all messages for an account that stores
 * more than its limit (error 10002), and all updates if it reserves more (error 10047).
 */
function describeLoweredLimits(
  plan: PlanRoom,
  room: ObservedRoom,
  { streams }: ObservedCluster,
): string[] {
  const planned = new Map(plan.streams.map((stream) => [streamKey(stream), stream]));
  return loweredLimits(plan, room).flatMap(({ account, kind, from, to, used }) => {
    const own = streams
      .filter((stream) => stream.account === account)
      .map((stream) => ({
        name: stream.name,
        config: planned.get(streamKey(stream))?.config ?? stream.config,
      }))
      .filter(({ config }) => reservationOf(config).storage === kind);
    const reserved = sumOf(own.map(({ config }) => accountReservation(config)));
    const holds = [
      ...(used > to ? [`stores ${formatSize(used)}, so that no message would be taken`] : []),
      ...(reserved > to
        ? [`has ${describeBytes(reserved)} reserved (${describeReservations(own)})`]
        : []),
    ];
    if (holds.length === 0) return [];
    const before = from === undefined ? "unlimited" : describeBytes(from);
    const setting = `accounts.${account}.jetStream.${STORE_SETTINGS[kind]}`;
    return [
      `${setting} ${before} → ${describeBytes(to)}: the account ${holds.join("; it ")}; replicas are counted; set it higher, or first empty streams or lower their maxBytes or replicas, by an up of its own`,
    ];
  });
}

interface NamingView extends Pick<RoomView, "fleet" | "stores"> {
  /** The name of a stream for users, unique among all. */
  readonly nameOf: (stream: StreamName) => string;
}

function describeStreamShortages(
  plan: PlanRoom,
  room: ObservedRoom,
  observed: ObservedCluster,
): string[] {
  const changes = changesOf(plan, observed);
  const stores = storesBeside(plan, room, changes);
  const view = {
    fleet: plan.fleet,
    stores,
    nameOf: terseNamer([...plan.streams, ...observed.streams]),
  };
  const refused = changes.flatMap((change) => {
    const text = whyRefused(change, plan, { ...view, metaLeader: room.metaLeader }, observed);
    return text === undefined ? [] : [{ key: streamKey(change.stream), text }];
  });
  const keys = new Set(refused.map(({ key }) => key));
  const others = changes.filter(({ stream }) => !keys.has(streamKey(stream)));
  const shortages = [
    ...refused.map(({ text }) => text),
    ...changes.flatMap((change) => describeCopyShortage(change, view)),
    ...describeLeavingReplicas(view, observed),
    ...STORE_KINDS.flatMap((kind) => {
      const demands = others.flatMap((change) => demandsOn(kind, change, view));
      const roomOf = (name: string) => {
        const store = stores.get(name)?.[kind];
        return store ? freeIn(store) : Number.POSITIVE_INFINITY;
      };
      return findOverloads(demands, roomOf).map(
        (overload) =>
          `${describeOverload(overload)}, beside what is there; raise ${STORE_SETTINGS[kind]}, lower maxBytes, or place them apart`,
      );
    }),
  ];
  return shortages.length === 0 ? [] : [...shortages, ...describeOthers(plan, observed)];
}

/**
 * Lists streams that aren't in the settings. Those that leave still reserve room during the update, as Pulumi deletes
 * last.
 */
function describeOthers(plan: PlanRoom, { streams }: ObservedCluster): string[] {
  const others = streamsExcept(streams, plan.streams).filter(
    ({ config }) => reservationOf(config).bytes > 0,
  );
  if (others.length === 0) return [];
  const nameOf = terseNamer([...plan.streams, ...streams]);
  const named = others.map((stream) => ({ ...stream, name: nameOf(stream) }));
  return [
    `streams that aren't in the settings hold room as well (${describeReservations(named)}): one that leaves is deleted after all else, so let it leave by an up of its own`,
  ];
}

/** A desired stream that doesn't exist yet, or differs from the observed one. */
interface StreamChange {
  readonly stream: StreamPlan;
  readonly found?: ObservedStream;
  /** The observed stream that is deleted before the new one is created. */
  readonly replaced?: ObservedStream;
}

/** If a node doesn't answer, it is unknown whether a stream exists, so new streams are left out. */
function changesOf({ streams }: PlanRoom, { streams: seen, silent }: ObservedCluster) {
  const there = new Map(seen.map((stream) => [streamKey(stream), stream]));
  return streams.flatMap((stream): StreamChange[] => {
    const found = there.get(streamKey(stream));
    if (!found) return silent.length > 0 ? [] : [{ stream }];
    const diff = diffConfig(found.config, stream.config);
    const isAnew = diff.some(({ effect }) => effect === "refused");
    if (!isAnew) return diff.length === 0 ? [] : [{ stream, found }];
    const { recreate, allowDataLoss } = stream.policy;
    return recreate || allowDataLoss ? [{ stream, replaced: found }] : [];
  });
}

/**
 * The planned stores without what changing streams give up. The order of changes is unknown, so this is the best
 * case.
 */
function storesBeside(
  plan: PlanRoom,
  { servers }: ObservedRoom,
  changes: readonly StreamChange[],
): ReadonlyMap<string, Stores> {
  const stores = plannedStores(plan, servers);
  for (const { stream, found, replaced } of changes) {
    const before = found ?? replaced;
    if (!before) continue;
    const { storage, bytes } = reservationOf(before.config);
    const less = replaced ? bytes : bytes - reservationOf(stream.config).bytes;
    if (less <= 0) continue;
    for (const host of before.hosts) {
      const own = stores.get(host);
      if (own) own[storage] = { ...own[storage], reserved: own[storage].reserved - less };
    }
  }
  return stores;
}

/**
 * Reports if the copy that `recreate: viaBackup` makes doesn't fit. It has the stream's placement, but no
 * `max_bytes`, so that only what servers store counts, not what is reserved there.
 */
function describeCopyShortage(
  { stream, replaced }: StreamChange,
  { fleet, stores, nameOf }: NamingView,
): string[] {
  const { name, policy } = stream;
  if (!replaced || policy.recreate !== "viaBackup" || replaced.bytes === 0) return [];
  const unreserved = [...stores].map(
    ([host, { file, memory }]) => [host, { file: { ...file, reserved: 0 }, memory }] as const,
  );
  const { num_replicas, placement } = replaced.config;
  const copy = {
    name,
    max_bytes: replaced.bytes,
    ...(num_replicas === undefined ? {} : { num_replicas }),
    ...(placement ? { placement } : {}),
  };
  const reason = whyNoReplacement(copy, [], { fleet, stores: new Map(unreserved) });
  if (reason === undefined) return [];
  return [
    `stream ${nameOf(stream)}: the copy that recreate: viaBackup makes of it first ${reason}; raise ${STORE_SETTINGS.file}, or make room there first`,
  ];
}

function whyRefused(
  { stream, found }: StreamChange,
  plan: PlanRoom,
  view: NamingView & Pick<RoomView, "metaLeader">,
  observed: ObservedCluster,
): string | undefined {
  const { account, config } = stream;
  const limits = plan.accounts.find((each) => each.name === account)?.jetStream;
  const others = [
    ...streamsExcept(plan.streams, [stream]),
    ...streamsExcept(observed.streams, plan.streams),
  ].filter((other) => other.account === account);
  const refusal = refusalOf(
    { account, config, ...(found ? { found } : {}) },
    { ...view, limits: limits === false ? undefined : limits, others },
  );
  return refusal && `stream ${view.nameOf(stream)}: ${refusal.message}; ${refusal.fix}`;
}

/** Reports streams whose replicas on leaving nodes don't fit elsewhere, whether they are in the settings or not. */
function describeLeavingReplicas(
  view: Pick<RoomView, "fleet" | "stores">,
  { streams }: ObservedCluster,
): string[] {
  return streams.flatMap(({ account, name, config, hosts }) => {
    const staying = hosts.filter((host) => view.stores.has(host));
    if (staying.length === hosts.length) return [];
    const reason = whyNoReplacement(config, staying, view);
    if (reason === undefined) return [];
    const from = hosts.filter((host) => !view.stores.has(host)).join(", ");
    return [`stream ${name} of account ${account} can't leave ${from}: ${reason}`];
  });
}

/** The demands of a change: what it certainly reserves, and where. */
function demandsOn(kind: StoreKind, { stream, found }: StreamChange, view: NamingView): Demand[] {
  const { config } = stream;
  const { storage, bytes } = reservationOf(config);
  if (storage !== kind || bytes === 0) return [];
  const name = view.nameOf(stream);
  const demands = demandsOf(name, planSeating(placementRequest(config), withRoom(view)), bytes);
  if (!found) return demands;
  const more = bytes - reservationOf(found.config).bytes;
  const growth = found.hosts
    .filter((host) => more > 0 && view.stores.has(host))
    .map((host) => ({ stream: name, servers: [host], replicas: 1, bytes: more }));
  const isAnew = isMoved(found.config, config);
  const added = demands.filter(
    ({ servers }) => isAnew && servers.length === 1 && !found.hosts.includes(servers[0] ?? ""),
  );
  return [...growth, ...added];
}
