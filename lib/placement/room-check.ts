/**
 * What nats-server 2.15 says to a stream that is made, grows, scales or moves, for the room that there is: its checks
 * in their order (`jsClusteredStreamRequest`, `jsClusteredStreamUpdateRequestLocked`, `configUpdateCheck`). What is
 * taken away, and what a replica is refused when its server starts again, follows from the same sums.
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

/** nats-server's server/errors.json. */
export const ROOM_ERRORS = {
  noSuitablePeers: 10005,
  insufficientMemory: 10028,
  insufficientStorage: 10047,
  streamTooLarge: 10122,
} as const;

export type RoomError = (typeof ROOM_ERRORS)[keyof typeof ROOM_ERRORS];

/** Both stores of a server. */
export type Stores = Readonly<Record<StoreKind, Store>>;

/** What the servers go by. */
export interface RoomView {
  /** All servers, by their tags. */
  readonly fleet: Fleet;
  /** By name of the server; one that isn't there is taken to have enough. */
  readonly stores: ReadonlyMap<string, Stores>;
  /** Checks growth in its own store, whether it has a replica or not. Undefined: nobody knows which it is. */
  readonly metaLeader: string | undefined;
  /** Of the stream's account; `undefined`: none. */
  readonly limits: JetStreamLimits | undefined;
  /** The other streams of its account. */
  readonly others: readonly Pick<AccountStream, "config">[];
}

/** A stream as it is to be and, where there is one, as it is. */
export interface RoomRequest {
  readonly account: string;
  readonly config: StreamConfig;
  readonly found?: { readonly config: StreamConfig; readonly hosts: readonly string[] };
}

export interface RoomRefusal {
  readonly code: RoomError;
  /** The sum and the room, in a sentence. */
  readonly message: string;
  readonly fix: string;
}

/** The servers with the room that is left in them. */
export function withRoom({ fleet, stores }: Pick<RoomView, "fleet" | "stores">): Fleet {
  const servers = fleet.servers.map((server) => {
    const store = stores.get(server.name);
    if (!store) return server;
    return { ...server, room: { file: freeIn(store.file), memory: freeIn(store.memory) } };
  });
  return { ...fleet, servers };
}

/** Why the servers refuse a stream, or a change of it, for its room; undefined where they don't. */
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

/** A stream without a size is taken for a byte where it gets replicas, and an update is refused where all is too much already. */
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

/** On the hosts that it has, and on the meta leader, which checks it first. */
function growthRefused(
  { config, found }: RoomRequest & Required<Pick<RoomRequest, "found">>,
  { stores, metaLeader }: RoomView,
): RoomRefusal | undefined {
  const { storage, bytes } = reservationOf(config);
  const more = Math.max(0, bytes - reservationOf(found.config).bytes);
  const judges = new Set([...(metaLeader === undefined ? [] : [metaLeader]), ...found.hosts]);
  const full = [...judges].flatMap((name) => {
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

/** Where it gets replicas: all of them are chosen anew by a move, those that it has too. */
function placeRefused(request: RoomRequest, view: RoomView): RoomRefusal | undefined {
  const { config, found } = request;
  const { storage } = reservationOf(config);
  const moves = found ? isMoved(found.config, config) : false;
  const grows = found ? (config.num_replicas ?? 1) > found.hosts.length : false;
  if (found && !moves && !grows) return undefined;
  const roomy = withRoom(view);
  const fleet = grows && !moves ? withoutRoomOf(roomy, found?.hosts ?? []) : roomy;
  const placement = planPlacement(placementRequest(config), fleet);
  if (placement.kind !== "impossible") {
    return found ? undefined : memberRefused(request, placement, view);
  }
  if (placement.shortOf === undefined) return undefined;
  return {
    code: ROOM_ERRORS.noSuitablePeers,
    message: placement.summary,
    fix: `lower maxBytes, place it elsewhere, or raise ${STORE_SETTINGS[storage]}`,
  };
}

/** Whether the servers place a stream anew: an update without a placement leaves it where it is. */
export function isMoved(before: StreamConfig, after: StreamConfig): boolean {
  return (
    after.placement !== undefined &&
    diffConfig(before, after).some(({ effect }) => effect === "moves")
  );
}

/** Why no other server has room for the replicas that a stream loses; undefined where one has, or for other reasons. */
export function whyNoReplacement(
  config: StreamConfig,
  kept: readonly string[],
  view: Pick<RoomView, "fleet" | "stores">,
): string | undefined {
  const placement = planPlacement(placementRequest(config), withoutRoomOf(withRoom(view), kept));
  return placement.kind === "impossible" && placement.shortOf ? placement.summary : undefined;
}

/** Hosts that a stream keeps are not asked whether they have room. */
function withoutRoomOf(fleet: Fleet, hosts: readonly string[]): Fleet {
  const servers = fleet.servers.map((server) => {
    const { room: _, ...kept } = server;
    return hosts.includes(server.name) ? kept : server;
  });
  return { ...fleet, servers };
}

/** A stream without a size finds a place anywhere, and is refused by a host that has all of its store reserved. */
function memberRefused(
  { config }: RoomRequest,
  placement: ReturnType<typeof planPlacement>,
  { stores }: RoomView,
): RoomRefusal | undefined {
  const { storage, bytes } = reservationOf(config);
  if (bytes > 0 || placement.kind !== "exact") return undefined;
  const full = placement.hosts.filter((host) => {
    const store = stores.get(host)?.[storage];
    return store !== undefined && store.reserved >= store.max;
  });
  if (full.length === 0) return undefined;
  return {
    code: errorOf(storage),
    message: `all room is reserved on ${listSome(full)}`,
    fix: `place it elsewhere, or raise ${STORE_SETTINGS[storage]}`,
  };
}

function errorOf(storage: StoreKind): RoomError {
  return storage === "memory" ? ROOM_ERRORS.insufficientMemory : ROOM_ERRORS.insufficientStorage;
}
