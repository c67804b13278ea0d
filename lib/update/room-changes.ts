/** What a plan asks of a cluster that has too little room for it, told before anything changes. */

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
import { notAmong, type StreamName, streamKey, terseNamer } from "../streams/stream-name.ts";

/** What can be told of a cluster's room without looking at its streams. */
export interface ObservedRoom {
  /** The servers that answered. */
  readonly servers: readonly ObservedServer[];
  readonly accounts: readonly ObservedAccount[];
  /** `""` while there is none. */
  readonly metaLeader: string;
}

export interface ObservedAccount {
  readonly name: string;
  readonly file: AccountStore;
  readonly memory: AccountStore;
}

/** Bytes in all of a cluster, replicas counted. */
export interface AccountStore {
  /** Undefined: no limit. */
  readonly limit?: number;
  readonly used: number;
}

type PlanRoom = Pick<ClusterPlan, "regions" | "fleet" | "accounts" | "streams">;

/**
 * Whether streams have to be looked at to tell that there is room for all that is planned: not where even all of the
 * settings' streams would fit beside all that is there, nor where a plan of as much room as before has no streams.
 */
export function needsStreams(plan: PlanRoom, room: ObservedRoom): boolean {
  const stores = plannedStores(plan, room.servers);
  const left = room.servers.filter(({ name }) => !stores.has(name));
  if (left.length > 0 || loweredStores(plan, room).length > 0) return true;
  if (loweredLimits(plan, room).length > 0) return true;
  // A copy takes as much room as what it is a copy of.
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

/** All that is reserved anywhere stands for what the account's streams reserve that are not in the settings. */
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

/** Says what there is no room for, a sentence each: nodes, accounts, streams one by one, streams together. */
export function describeShortages(
  plan: PlanRoom,
  room: ObservedRoom,
  observed: ObservedCluster,
): string[] {
  return [
    ...describeLoweredStores(plan, room, observed),
    ...describeLoweredLimits(plan, room, observed),
    ...describeCrampedStreams(plan, room, observed),
  ];
}

/** What the nodes' stores will be: their sizes are changed before streams are. One that doesn't answer counts as empty. */
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
 * A server that starts again restores what fits, one stream after the other, and goes without the rest; one that stores
 * more than it may takes no more.
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

/** An account that stores more than it may has every message refused (10002), one that reserves more every update (10047). */
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
  /** How people know a stream from all others. */
  readonly nameOf: (stream: StreamName) => string;
}

function describeCrampedStreams(
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
    ...changes.flatMap((change) => describeCrampedCopy(change, view)),
    ...describeStrays(view, observed),
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

/** What leaves the settings is still there while others are made: Pulumi deletes last. */
function describeOthers(plan: PlanRoom, { streams }: ObservedCluster): string[] {
  const others = notAmong(streams, plan.streams).filter(
    ({ config }) => reservationOf(config).bytes > 0,
  );
  if (others.length === 0) return [];
  const nameOf = terseNamer([...plan.streams, ...streams]);
  const named = others.map((stream) => ({ ...stream, name: nameOf(stream) }));
  return [
    `streams that aren't in the settings hold room as well (${describeReservations(named)}): one that leaves is deleted after all else, so let it leave by an up of its own`,
  ];
}

/** A stream of the settings that isn't there yet, or differs from what is. */
interface StreamChange {
  readonly stream: StreamPlan;
  readonly found?: ObservedStream;
  /** It is made anew in the place of this one, which is deleted before. */
  readonly replaced?: ObservedStream;
}

/** Where a node doesn't answer, nobody knows what isn't there. */
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

/** What streams of the settings give up counts as free: which comes first isn't said. */
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
 * The copy by way of which a stream is made anew has its place, and no size of its own: it takes messages as long as its
 * servers store no more than they may, whatever is reserved there.
 */
function describeCrampedCopy(
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
    ...notAmong(plan.streams, [stream]),
    ...notAmong(observed.streams, plan.streams),
  ].filter((other) => other.account === account);
  const refusal = refusalOf(
    { account, config, ...(found ? { found } : {}) },
    { ...view, limits: limits === false ? undefined : limits, others },
  );
  return refusal && `stream ${view.nameOf(stream)}: ${refusal.message}; ${refusal.fix}`;
}

/** Replicas on nodes that leave go to others, whether their stream is in the settings or not. */
function describeStrays(
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

/** What a change reserves for certain, and where. */
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
