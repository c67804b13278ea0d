/**
 * Room (free space) for streams, as nats-server 2.15 calculates it. A stream reserves its `max_bytes` on each server
 * that has a replica (`reserveStreamResources` in server/jetstream.go), and `max_bytes` times its replicas in its
 * account ({@link accountReservation}). A stream without `max_bytes` reserves nothing, but counts as one byte when it
 * is created (`checkBytesLimits`).
 */
import type { AccountPlan, JetStreamLimits } from "../accounts/account-settings.ts";
import type { Problem } from "../base/errors.ts";
import { sumOf } from "../base/quantities.ts";
import { countOf, describeBytes, listSome } from "../base/wording.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { streamPath } from "../streams/stream-name.ts";

/** The kinds of storage; a server has one store of each. */
export type StoreKind = "file" | "memory";

export const STORE_KINDS = ["file", "memory"] as const satisfies StoreKind[];

/** The settings with the sizes of a node's stores. */
export const STORE_SETTINGS = {
  file: "maxFileStore",
  memory: "maxMemoryStore",
} as const satisfies Record<StoreKind, keyof JetStreamLimits>;

/** The settings with the largest `maxBytes` that an account allows for a stream. */
export const STREAM_SETTINGS = {
  file: "maxFileStreamBytes",
  memory: "maxMemoryStreamBytes",
} as const satisfies Record<StoreKind, keyof JetStreamLimits>;

/** The reservation of one replica on its server. */
export interface Reservation {
  readonly storage: StoreKind;
  /** 0 if the stream has no `max_bytes`. */
  readonly bytes: number;
}

type Sized = Pick<StreamConfig, "storage" | "max_bytes" | "num_replicas">;

export function reservationOf({ storage = "file", max_bytes = 0 }: Sized): Reservation {
  return { storage, bytes: Math.max(0, max_bytes) };
}

/** Bytes that a stream reserves in its account. */
export function accountReservation(config: Sized): number {
  return reservationOf(config).bytes * (config.num_replicas ?? 1);
}

/** One server's store of one kind; all values are bytes. */
export interface Store {
  /** `max_file_store` or `max_memory_store`. */
  readonly max: number;
  /** The sum of `max_bytes` of the server's replicas. */
  readonly reserved: number;
  readonly used: number;
}

/** Bytes that one more replica may reserve: `max` less the larger of `reserved` and `used` (`selectPeerGroup`). */
export function freeIn({ max, reserved, used }: Store): number {
  return Math.max(0, max - Math.max(reserved, used));
}

/** Replicas that must be on some of these servers, and can't be on others. */
export interface Demand {
  /** The stream's name for users. */
  readonly stream: string;
  readonly servers: readonly string[];
  /** Number of replicas, each on a different server. */
  readonly replicas: number;
  /** Bytes that each replica reserves. */
  readonly bytes: number;
}

/** The demands of a stream: one for each seat if there are as many seats as replicas, otherwise one for all servers. */
export function demandsOf(stream: string, { replicas, seats }: Seating, bytes: number): Demand[] {
  if (bytes === 0 || seats.length < replicas) return [];
  if (seats.length > replicas) return [{ stream, servers: seats.flat(), replicas, bytes }];
  return seats.map((servers) => ({ stream, servers, replicas: 1, bytes }));
}

/** Servers without room for all replicas that can't be elsewhere. */
export interface Overload {
  readonly servers: readonly string[];
  /** The largest reservations first. */
  readonly demands: readonly Demand[];
  /** Sums in bytes: what the demands reserve, and the servers' free space. */
  readonly wanted: number;
  readonly room: number;
  /**
   * Present if the sum would suffice, but the pieces don't fit: `wanted` replicas of at least `size` bytes must be
   * placed, and there is room for `fit`.
   */
  readonly pieces?: { readonly size: number; readonly wanted: number; readonly fit: number };
}

/**
 * Finds groups of servers without room for all replicas that can't be elsewhere, the smallest groups first. It reports
 * only certain overloads: if replicas might fit, the group is left out.
 */
export function findOverloads(
  demands: readonly Demand[],
  roomOf: (server: string) => number,
): Overload[] {
  const groups = [...Map.groupBy(demands, ({ servers }) => [...servers].sort().join(" "))]
    .map(([, alike]) => ({ servers: new Set(alike[0]?.servers), alike }))
    .sort((a, b) => a.servers.size - b.servers.size);
  const found: (Overload & { readonly among: ReadonlySet<string> })[] = [];
  for (const { servers: among } of groups) {
    // A larger group adds nothing if a part of it is overloaded already.
    if (found.some((overload) => isWithin(overload.among, among))) continue;
    const within = groups.filter(({ servers }) => isWithin(servers, among));
    const overload = overloadOf(
      [...among],
      within.flatMap(({ alike }) => alike),
      roomOf,
    );
    if (overload) found.push({ ...overload, among });
  }
  return found.map(({ among: _, ...overload }) => overload);
}

function isWithin(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return some.size <= all.size && [...some].every((each) => all.has(each));
}

function overloadOf(
  servers: readonly string[],
  demands: readonly Demand[],
  roomOf: (server: string) => number,
): Overload | undefined {
  const rooms = servers.map(roomOf);
  const largestFirst = demands.toSorted((a, b) => b.bytes - a.bytes);
  const sums = {
    servers,
    demands: largestFirst,
    wanted: sumOf(demands.map(({ bytes, replicas }) => bytes * replicas)),
    room: sumOf(rooms),
  };
  if (sums.wanted > sums.room) return sums;
  let pieces = 0;
  for (const [index, { bytes: size, replicas }] of largestFirst.entries()) {
    pieces += replicas;
    if (largestFirst[index + 1]?.bytes === size) continue;
    const fit = sumOf(rooms.map((room) => Math.floor(room / size)));
    if (pieces > fit) return { ...sums, pieces: { size, wanted: pieces, fit } };
  }
  return undefined;
}

/** E.g. `rg1-az1: BIG 900MiB, EVENTS 900MiB, together 1.8 GiB, but there is room for 1GiB`. */
export function describeOverload({ servers, demands, wanted, room, pieces }: Overload): string {
  const names = listSome(servers);
  const parts = demands.map(
    ({ stream, replicas, bytes }) =>
      `${stream} ${replicas > 1 ? `${replicas} x ` : ""}${describeBytes(bytes)}`,
  );
  const all = `${names}: ${listSome(parts)}`;
  if (!pieces) {
    const sum = demands.length > 1 ? `, together ${describeBytes(wanted)}` : "";
    return `${all}${sum}, but there is room for ${describeBytes(room)}`;
  }
  const { size, wanted: count, fit } = pieces;
  return `${all}: ${countOf(count, "replica")} of ${describeBytes(size)} or more, but only ${fit} ${fit === 1 ? "fits" : "fit"}`;
}

/** A stream in the settings, and the servers where it may be. */
export interface SeatedStream {
  /** Its key in the settings. */
  readonly key: string;
  readonly config: StreamConfig;
  readonly seating: Seating;
}

/** Reports nodes whose stores are too small for the reservations of the settings' own streams. */
export function storeProblems(
  streams: readonly SeatedStream[],
  stores: Readonly<Record<StoreKind, number>>,
): Problem[] {
  return STORE_KINDS.flatMap((kind) => {
    const demands = streams
      .filter(({ config }) => reservationOf(config).storage === kind)
      .flatMap(({ key, config, seating }) => demandsOf(key, seating, reservationOf(config).bytes));
    const path = STORE_SETTINGS[kind];
    const without = stores[kind] > 0 ? [] : streams.filter(({ config }) => isUnsized(config, kind));
    const fix = `raise ${path}, lower maxBytes, or place them apart`;
    return [
      ...without.map(({ key }) => ({
        path: streamPath({ key }, "storage"),
        message: `nodes have no room for anything in ${kind} (${path}: 0)`,
        fix: `raise ${path}`,
      })),
      ...joinAlike(findOverloads(demands, () => stores[kind])).map((message) => ({
        path,
        message,
        fix,
      })),
    ];
  });
}

function isUnsized(config: StreamConfig, kind: StoreKind): boolean {
  const { storage, bytes } = reservationOf(config);
  return storage === kind && bytes === 0;
}

/** Describes overloads, in one line for all that differ only in their servers. */
function joinAlike(overloads: readonly Overload[]): string[] {
  const named = overloads.map((overload) => ({
    overload,
    rest: describeOverload({ ...overload, servers: [] }),
  }));
  return [...Map.groupBy(named, ({ rest }) => rest)].map(([rest, alike]) => {
    const sets = alike.map(({ overload }) => overload.servers);
    if (sets.every(({ length }) => length === 1)) {
      return `${listSome(sets.flat())}${sets.length > 1 ? ", each" : ""}${rest}`;
    }
    return `${sets.map((servers) => listSome(servers)).join(", or ")}${rest}`;
  });
}

/** The part of a stream that its account's limits depend on. */
export interface AccountStream {
  readonly name: string;
  readonly account: string;
  readonly config: Sized;
}

/** Reports if a stream alone exceeds the limits of its account. Paths are relative to the stream. */
export function streamRoomProblems(
  { account, config }: AccountStream,
  accounts: readonly AccountPlan[],
): Problem[] {
  const limits = accounts.find(({ name }) => name === account)?.jetStream;
  if (!limits) return [];
  const { storage, bytes } = reservationOf(config);
  const most = limits[STREAM_SETTINGS[storage]] ?? 0;
  const store = limits[STORE_SETTINGS[storage]];
  const replicas = config.num_replicas ?? 1;
  if (most > 0 && bytes > most) {
    const message = `${describeBytes(bytes)} is more than account ${account} lets a stream have (${STREAM_SETTINGS[storage]}: ${describeBytes(most)})`;
    return [{ path: "maxBytes", message, fix: "lower it, or raise that limit" }];
  }
  // A stream without max_bytes counts as one byte.
  if (store === undefined || Math.max(1, bytes) * replicas <= store) return [];
  const size =
    bytes === 0 ? "a stream" : `${countOf(replicas, "replica")} of ${describeBytes(bytes)}`;
  const message = `${size} is more than account ${account} may store (${STORE_SETTINGS[storage]}: ${describeBytes(store)})`;
  return [{ path: "maxBytes", message, fix: "lower it or replicas, or raise that limit" }];
}

/** Reports accounts whose streams together reserve more than the account may store. */
export function accountRoomProblems(
  streams: readonly AccountStream[],
  accounts: readonly AccountPlan[],
): Problem[] {
  return accounts.flatMap(({ name: account, jetStream }) =>
    STORE_KINDS.flatMap((kind) => {
      const store = jetStream === false ? undefined : jetStream[STORE_SETTINGS[kind]];
      if (store === undefined) return [];
      const own = streams.filter(
        (stream) => stream.account === account && reservationOf(stream.config).storage === kind,
      );
      const wanted = sumOf(own.map(({ config }) => accountReservation(config)));
      // streamRoomProblems reports a stream that is too large by itself.
      const isOneTooLarge = own.some(({ config }) => accountReservation(config) > store);
      if (wanted <= store || isOneTooLarge) return [];
      const path = `accounts.${account}.jetStream.${STORE_SETTINGS[kind]}`;
      const message = `${describeBytes(store)}, but its streams reserve ${describeBytes(wanted)}: ${describeReservations(own)}`;
      return [{ path, message, fix: "raise it, or lower maxBytes or replicas" }];
    }),
  );
}

/** E.g. `BIG 3 x 50MiB, LOGS 10MiB`, the largest first. */
export function describeReservations(streams: readonly Omit<AccountStream, "account">[]): string {
  const sized = streams
    .filter(({ config }) => accountReservation(config) > 0)
    .toSorted((a, b) => accountReservation(b.config) - accountReservation(a.config));
  return listSome(
    sized.map(({ name, config }) => {
      const { num_replicas: replicas = 1 } = config;
      return `${name} ${replicas > 1 ? `${replicas} x ` : ""}${describeBytes(reservationOf(config).bytes)}`;
    }),
  );
}

/** The number of a stream's replicas, and the seats for them. */
export interface Seating {
  readonly replicas: number;
  /** Groups of eligible servers. A seat takes one replica, on any of its servers. No server is in two seats. */
  readonly seats: readonly (readonly string[])[];
}
