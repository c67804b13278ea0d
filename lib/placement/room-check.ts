/**
 * Predicts whether nats-server 2.15 refuses to create, grow, scale or move a stream for lack of free space. It makes
 * the server's checks in their order (`jsClusteredStreamRequest`, `jsClusteredStreamUpdateRequestLocked`,
 * `configUpdateCheck`).
 */
import type { JetStreamLimits } from "../accounts/account-settings.ts";
import { sumOf } from "../base/quantities.ts";
import { describeBytes, listSome } from "../base/wording.ts";
import { diffConfig } from "../streams/stream-diff.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { type Fleet, placementRequest, planPlacement } from "./placement.ts";
import {
  type AccountStream,
  accountReservation,
  freeIn,
  reservationOf,
  STORE_SETTINGS,
  STREAM_SETTINGS,
  type Store,
  type StoreKind,
} from "./room.ts";

/** Error codes of nats-server's server/errors.json. */
export const ROOM_ERRORS = {
  noSuitablePeers: 10005,
  insufficientMemory: 10028,
  insufficientStorage: 10047,
  streamTooLarge: 10122,
} as const;

export type RoomError = (typeof ROOM_ERRORS)[keyof typeof ROOM_ERRORS];

/** Both stores of a server. */
export type Stores = Readonly<Record<StoreKind, Store>>;

/** The state on which the servers' decision depends. */
export interface RoomView {
  /** All servers with their tags. */
  readonly fleet: Fleet;
  /** Stores by name of server. A server without an entry is assumed to have enough. */
  readonly stores: ReadonlyMap<string, Stores>;
  /** Name of the meta leader, which checks growth against its own stores even without a replica. Undefined: unknown. */
  readonly metaLeader: string | undefined;
  /** Limits of the stream's account; undefined: none. */
  readonly limits: JetStreamLimits | undefined;
  /** The other streams of its account. */
  readonly others: readonly Pick<AccountStream, "config">[];
}

/** A desired stream and, if it exists, its observed config and hosts. */
export interface RoomRequest {
  readonly account: string;
  readonly config: StreamConfig;
  readonly found?: { readonly config: StreamConfig; readonly hosts: readonly string[] };
}

export interface RoomRefusal {
  readonly code: RoomError;
  /** A sentence with the wanted and the available size. */
  readonly message: string;
  readonly fix: string;
}

/** The fleet with each server's free space. */
export function withRoom({ fleet, stores }: Pick<RoomView, "fleet" | "stores">): Fleet {
  const servers = fleet.servers.map((server) => {
    const store = stores.get(server.name);
    if (!store) return server;
    return { ...server, room: { file: freeIn(store.file), memory: freeIn(store.memory) } };
  });
  return { ...fleet, servers };
}

/** Why the servers refuse a stream, or a change of it, for lack of free space; undefined if they don't. */
export function refusalOf(request: RoomRequest, view: RoomView): RoomRefusal | undefined {
  const { found } = request;
  return (
    tooLarge(request, view) ??
    accountFull(request, view) ??
    (found ? growthRefused({ ...request, found }, view) : undefined) ??
    placeRefused(request, view)
  );
}

const LOWER = "lower maxBytes or replicas";

function tooLarge({ account, config }: RoomRequest, { limits }: RoomView): RoomRefusal | undefined {
  const { storage, bytes } = reservationOf(config);
  const setting = STREAM_SETTINGS[storage];
  const most = limits?.[setting] ?? 0;
  if (most === 0 || bytes <= most) return undefined;
  return {
    code: ROOM_ERRORS.streamTooLarge,
    message: `${describeBytes(bytes)} is more than account ${account} lets a stream have (${setting}: ${describeBytes(most)})`,
    fix: "lower maxBytes, or raise that limit",
  };
}

/**
 * Whether the account's store is full. A stream without `max_bytes` counts as one byte for each replica while it gets
 * replicas. The server refuses any update of a stream whose account exceeds its limit already.
 */
function accountFull(
  { account, config, found }: RoomRequest,
  { limits, others }: RoomView,
): RoomRefusal | undefined {
  const { storage } = reservationOf(config);
  const setting = STORE_SETTINGS[storage];
  const most = limits?.[setting];
  if (most === undefined) return undefined;
  const { num_replicas: replicas = 1 } = config;
  const getsReplicas = !found || replicas > (found.config.num_replicas ?? 1);
  const own = Math.max(accountReservation(config), getsReplicas ? replicas : 0);
  const reserved = sumOf(
    others
      .filter((other) => reservationOf(other.config).storage === storage)
      .map((other) => accountReservation(other.config)),
  );
  if (reserved + own <= most) return undefined;
  return {
    code: errorOf(storage),
    message: `account ${account} may store ${describeBytes(most)} (${setting}), its other streams reserve ${describeBytes(reserved)}, and this one would reserve ${describeBytes(own)}, replicas counted`,
    fix: `${LOWER}, or raise that limit`,
  };
}

/** Growth must fit on the stream's current hosts, and in the meta leader's own store, which the server checks first. */
function growthRefused(
  { config, found }: RoomRequest & Required<Pick<RoomRequest, "found">>,
  { stores, metaLeader }: RoomView,
): RoomRefusal | undefined {
  const { storage, bytes } = reservationOf(config);
  const more = Math.max(0, bytes - reservationOf(found.config).bytes);
  const checked = new Set([...(metaLeader === undefined ? [] : [metaLeader]), ...found.hosts]);
  const full = [...checked].flatMap((name) => {
    const store = stores.get(name)?.[storage];
    return store && store.reserved + more > store.max ? [{ name, store }] : [];
  });
  const isOverbooked = full.some(({ name }) => name === metaLeader);
  if (full.length === 0 || (more === 0 && !isOverbooked)) return undefined;
  return {
    code: errorOf(storage),
    message: `it would reserve ${describeBytes(more)} more on each of its nodes, but ${listSome(full.map(({ name, store }) => describeStore(name, store, metaLeader)))}`,
    fix: `lower maxBytes, or raise ${STORE_SETTINGS[storage]}`,
  };
}

/** E.g. `rg1-az1 has 900MiB of 1GiB reserved`. */
function describeStore(name: string, { max, reserved }: Store, metaLeader: string | undefined) {
  const role = name === metaLeader ? ", the meta leader," : "";
  return `${name}${role} has ${describeBytes(reserved)} of ${describeBytes(max)} reserved`;
}

/**
 * New replicas need hosts with free space. A move chooses all hosts anew, so that current hosts must have it too. Only the
 * meta leader checks it: a host takes whatever is assigned to it (`processClusterCreateStream`), so that a stream without
 * `max_bytes` is created on servers whose whole store is reserved.
 */
function placeRefused(request: RoomRequest, view: RoomView): RoomRefusal | undefined {
  const { config, found } = request;
  const { storage } = reservationOf(config);
  const moves = found ? isMoved(found.config, config) : false;
  const grows = found ? (config.num_replicas ?? 1) > found.hosts.length : false;
  if (found && !moves && !grows) return undefined;
  const roomy = withRoom(view);
  const fleet = grows && !moves ? withoutRoomOf(roomy, found?.hosts ?? []) : roomy;
  const placement = planPlacement(placementRequest(config), fleet);
  if (placement.kind !== "impossible" || placement.shortOf === undefined) return undefined;
  return {
    code: ROOM_ERRORS.noSuitablePeers,
    message: placement.summary,
    fix: `lower maxBytes, place it elsewhere, or raise ${STORE_SETTINGS[storage]}`,
  };
}

/** Whether an update moves a stream. One without a placement leaves it where it is. */
export function isMoved(before: StreamConfig, after: StreamConfig): boolean {
  return (
    after.placement !== undefined &&
    diffConfig(before, after).some(({ effect }) => effect === "moves")
  );
}

/**
 * Why no other server has free space for the replicas that a stream loses.
 *
 * @param kept the hosts that keep their replica.
 * @returns a sentence; undefined if there is space, or if the placement fails for another reason.
 */
export function whyNoReplacement(
  config: StreamConfig,
  kept: readonly string[],
  view: Pick<RoomView, "fleet" | "stores">,
): string | undefined {
  const placement = planPlacement(placementRequest(config), withoutRoomOf(withRoom(view), kept));
  return placement.kind === "impossible" && placement.shortOf ? placement.summary : undefined;
}

/** Removes the free space of hosts that keep their replica, so that they count as having enough. */
function withoutRoomOf(fleet: Fleet, hosts: readonly string[]): Fleet {
  const servers = fleet.servers.map((server) => {
    const { room: _, ...kept } = server;
    return hosts.includes(server.name) ? kept : server;
  });
  return { ...fleet, servers };
}

function errorOf(storage: StoreKind): RoomError {
  return storage === "memory" ? ROOM_ERRORS.insufficientMemory : ROOM_ERRORS.insufficientStorage;
}
