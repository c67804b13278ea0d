/**
 * Predicts where JetStream puts a stream's replicas: nats-server 2.15's `selectPeerGroup` (server/jetstream_cluster.go)
 * as a pure function. It doesn't consider which servers are down, and considers free space only if it is given. All
 * other results, and their words, are the server's.
 */

import { describeBytes, listSome } from "../base/wording.ts";
import type { StreamConfig } from "../streams/stream-fields.ts";
import { NO_STREAMS_TAG } from "../topology/tags.ts";
import { type Reservation, reservationOf, type Seating, type StoreKind } from "./room.ts";

/** A server as the meta leader knows it. */
export interface Server {
  readonly name: string;
  readonly cluster: string;
  /**
   * `server_tags`; compared trimmed and in lower case. Of several tags with the unique prefix, the first one counts.
   */
  readonly tags: readonly string[];
  /** Bytes that one more replica may reserve. Absent: unknown, and assumed to be enough. */
  readonly room?: Readonly<Record<StoreKind, number>>;
}

/** The part of a stream's config that decides its placement. */
export interface PlacementRequest {
  readonly replicas: number;
  /** A server must have all of them (`!tag`: must not have it). */
  readonly tags: readonly string[];
  /** Name of the cluster, compared exactly. Default: the cluster of the client that sends the request. */
  readonly cluster?: string;
  /** What each replica reserves on its server. Default: nothing. */
  readonly reservation?: Reservation;
}

/** All servers of the meta group. */
export interface Fleet {
  /** The cluster to which the client that sends the request is connected. */
  readonly cluster: string;
  /** `jetstream.unique_tag`: replicas must differ in their tag with this prefix. `""`: off. */
  readonly uniqueTag: string;
  readonly servers: readonly Server[];
  /** Present if nobody knows the servers: `servers` is empty, and any placement may be possible. */
  readonly unknown?: true;
}

/** A server that isn't eligible for a request, but almost. */
export interface NearMiss {
  readonly name: string;
  /** Why the server isn't eligible, e.g. `not tagged rg:2`. */
  readonly lacks: string;
}

/** The predicted placement of a stream. */
export type Placement =
  /** There is only one choice: these hosts, in the order of the fleet. Any of them may become the leader. */
  | { readonly kind: "exact"; readonly hosts: readonly string[] }
  /** The server picks hosts among these candidates, listed in the order of the fleet; none: nobody knows the servers. */
  | { readonly kind: "choice"; readonly candidates: readonly string[] }
  | {
      readonly kind: "impossible";
      /**
       * nats-server's description of error 10005. Tags are in the order of the request, the server's in random order.
       */
      readonly serverError: string;
      /** One sentence for users. */
      readonly summary: string;
      /** The servers that fail the fewest conditions, at most {@link NEAREST_SHOWN}. */
      readonly nearest: readonly NearMiss[];
      /** Present if some servers fail only by free space: the kind of storage. */
      readonly shortOf?: StoreKind;
    };

/** Describes near misses to users: `rg1-az1 (not tagged rg:2), …`; empty if there are none. */
export function describeNearest(nearest: readonly NearMiss[]): string {
  return nearest.map(({ name, lacks }) => `${name} (${lacks})`).join(", ");
}

/** A placement that the servers would accept. */
export type Possible = Exclude<Placement, { kind: "impossible" }>;

/** The placement request in a stream's config. */
export function placementRequest(config: StreamConfig): PlacementRequest {
  const { num_replicas: replicas = 1, placement } = config;
  const { tags = [], cluster } = placement ?? {};
  const reservation = reservationOf(config);
  return {
    replicas,
    tags,
    ...(cluster ? { cluster } : {}),
    ...(reservation.bytes > 0 ? { reservation } : {}),
  };
}

/**
 * Groups the eligible servers into seats, by the unique tag in which replicas must differ; without a unique tag, each
 * server is a seat. A request that can't be met has fewer seats than replicas.
 */
export function planSeating(request: PlacementRequest, fleet: Fleet): Seating {
  const { replicas, seats } = surveyFleet(request, fleet);
  return { replicas, seats: [...seats.values()].map((seat) => seat.map(({ name }) => name)) };
}

/**
 * The servers whose replica has no replacement while they are down: there are no more seats than replicas, and the
 * server is alone in its seat.
 */
export function hostsWithoutSpare({ replicas, seats }: Seating): string[] {
  return seats.length === replicas ? seats.filter(({ length }) => length === 1).flat() : [];
}

/** The hosts of the replicas; if the server may choose, all candidates; empty if nobody knows them. */
export function plannedHosts(placement: Possible): readonly string[] {
  return placement.kind === "exact" ? placement.hosts : placement.candidates;
}

const NEAREST_SHOWN = 3;

/** Predicts the hosts of a new stream, or of one that moves. */
export function planPlacement(request: PlacementRequest, fleet: Fleet): Placement {
  if (fleet.unknown) return { kind: "choice", candidates: [] };
  const survey = surveyFleet(request, fleet);
  const { eligible, seats, replicas } = survey;
  if (seats.size < replicas) return explainImpossible(survey, fleet);
  const names = eligible.map(({ name }) => name);
  return eligible.length === replicas
    ? { kind: "exact", hosts: names }
    : { kind: "choice", candidates: names };
}

/**
 * Warnings about a placement that is possible, one sentence each: a tag that switches `unique_tag` off, an even
 * number of replicas, no spare server.
 */
export function placementWarnings(request: PlacementRequest, fleet: Fleet): readonly string[] {
  const seating = planSeating(request, fleet);
  const { replicas } = seating;
  const override = uniqueTagOverride(request, fleet);
  const warnings: string[] = [];
  if (override !== undefined) {
    warnings.push(
      `the placement tag ${override} switches unique_tag "${fleet.uniqueTag}" off: replicas may share a "${fleet.uniqueTag}" tag`,
    );
  }
  if (replicas === 2 || replicas === 4) {
    warnings.push(
      `${replicas} replicas survive no more failures than ${replicas - 1}: a majority must stay; use ${replicas - 1} or ${replicas + 1}`,
    );
  }
  const alone = hostsWithoutSpare(seating);
  if (alone.length > 0 && replicas > 1) {
    const which =
      alone.length === replicas
        ? `only ${alone.join(", ")} fit, none to spare`
        : `nothing else fits in place of ${alone.join(" or ")}`;
    warnings.push(`${which}: while one is down its replica has nowhere else to go`);
  }
  return warnings;
}

interface Survey {
  readonly replicas: number;
  readonly cluster: string;
  readonly wanted: readonly WantedTag[];
  readonly reservation: Reservation | undefined;
  /** Prefix of the unique tag, in lower case; `""` if none applies to this request. */
  readonly uniqueTag: string;
  readonly inCluster: readonly Server[];
  readonly eligible: readonly Server[];
  /** Eligible servers by unique tag, or by name if none applies. Each seat takes one replica. */
  readonly seats: ReadonlyMap<string, readonly Server[]>;
}

interface WantedTag {
  /** As written, without the leading `!`. */
  readonly text: string;
  readonly excluded: boolean;
}

function surveyFleet(request: PlacementRequest, fleet: Fleet): Survey {
  const cluster = request.cluster || fleet.cluster;
  const wanted = request.tags.map(toWantedTag);
  const uniqueTag =
    uniqueTagOverride(request, fleet) === undefined ? normalTag(fleet.uniqueTag) : "";
  const inCluster = fleet.servers.filter((server) => server.cluster === cluster);
  const eligible = inCluster.filter(
    (server) =>
      !hasTag(server, NO_STREAMS_TAG) &&
      wanted.every((tag) => satisfies(server, tag)) &&
      hasRoom(server, request.reservation) &&
      (uniqueTag === "" || uniqueTagOf(server, uniqueTag) !== undefined),
  );
  return {
    replicas: request.replicas || 1,
    cluster,
    wanted,
    reservation: request.reservation,
    uniqueTag,
    inCluster,
    eligible,
    seats: Map.groupBy(eligible, (server) => uniqueTagOf(server, uniqueTag) ?? server.name),
  };
}

/** The first placement tag with the unique prefix, if any. The server then drops `unique_tag` for this request. */
function uniqueTagOverride(request: PlacementRequest, fleet: Fleet): string | undefined {
  const prefix = normalTag(fleet.uniqueTag);
  if (prefix === "") return undefined;
  return request.tags.find((tag) => toWantedTag(tag).text.startsWith(prefix));
}

function toWantedTag(tag: string): WantedTag {
  const excluded = tag.startsWith("!");
  return { text: excluded ? tag.slice(1) : tag, excluded };
}

function normalTag(tag: string): string {
  return tag.trim().toLowerCase();
}

function hasTag(server: Server, tag: string): boolean {
  const wanted = normalTag(tag);
  return wanted !== "" && server.tags.some((carried) => normalTag(carried) === wanted);
}

function satisfies(server: Server, { text, excluded }: WantedTag): boolean {
  return hasTag(server, text) !== excluded;
}

/** The server's first tag with the prefix, in the order of its config. Later ones don't count. */
function uniqueTagOf(server: Server, prefix: string): string | undefined {
  if (prefix === "") return undefined;
  return server.tags.map(normalTag).find((tag) => tag.startsWith(prefix));
}

function hasRoom({ room }: Server, reservation: Reservation | undefined): boolean {
  return !room || !reservation || reservation.bytes <= room[reservation.storage];
}

function explainImpossible(survey: Survey, fleet: Fleet): Placement {
  return {
    kind: "impossible",
    serverError: serverError(survey),
    summary: summarize(survey, fleet),
    nearest: nearestServers(survey),
    ...(survey.reservation && serversWithoutRoom(survey).length > 0
      ? { shortOf: survey.reservation.storage }
      : {}),
  };
}

/** Servers that fail only by free space. */
function serversWithoutRoom({ inCluster, wanted, reservation }: Survey): Server[] {
  return inCluster.filter(
    (server) =>
      !hasTag(server, NO_STREAMS_TAG) &&
      wanted.every((tag) => satisfies(server, tag)) &&
      !hasRoom(server, reservation),
  );
}

/** The text of nats-server's `selectPeerError.Error()`: for each server that isn't eligible, its first reason. */
function serverError(survey: Survey): string {
  const { wanted, reservation, uniqueTag, eligible, seats, inCluster } = survey;
  const notMatched = new Set<string>();
  const excluded = new Set<string>();
  let drained = false;
  let full = false;
  let notUnique = eligible.length > seats.size;
  for (const server of inCluster) {
    const failed = wanted.find((tag) => !satisfies(server, tag));
    if (hasTag(server, NO_STREAMS_TAG)) drained = true;
    else if (failed) (failed.excluded ? excluded : notMatched).add(failed.text);
    else if (!hasRoom(server, reservation)) full = true;
    else if (uniqueTag !== "" && uniqueTagOf(server, uniqueTag) === undefined) notUnique = true;
  }
  return [
    "no suitable peers for placement",
    ...(drained ? ["exclude tag set"] : []),
    ...(full ? ["insufficient storage"] : []),
    ...(notUnique ? ["server tag not unique"] : []),
    ...quoteTags("tags not matched", wanted, notMatched),
    ...quoteTags("tags excluded", wanted, excluded),
  ].join(", ");
}

function quoteTags(
  label: string,
  wanted: readonly WantedTag[],
  tags: ReadonlySet<string>,
): string[] {
  const inOrder = new Set(wanted.map(({ text }) => text).filter((text) => tags.has(text)));
  return tags.size === 0 ? [] : [`${label} [${[...inOrder].map((tag) => `'${tag}'`).join(", ")}]`];
}

function summarize(survey: Survey, fleet: Fleet): string {
  const { replicas, uniqueTag } = survey;
  const servers = replicas === 1 ? "1 server" : `${replicas} servers`;
  const apart = uniqueTag !== "" && replicas > 1 ? ` that differ in their "${uniqueTag}" tag` : "";
  const { reservation } = survey;
  const roomy =
    reservation && serversWithoutRoom(survey).length > 0
      ? ` with room for ${describeBytes(reservation.bytes)} in ${reservation.storage}`
      : "";
  return `needs ${servers}${describeTags(survey.wanted)}${apart}${roomy}, but ${shortage(survey, fleet)}`;
}

/** Why there are too few servers, the most basic reason first. */
function shortage(survey: Survey, fleet: Fleet): string {
  const { cluster, wanted, uniqueTag, inCluster, eligible, seats } = survey;
  if (inCluster.length === 0) {
    const clusters = [...new Set(fleet.servers.map((server) => server.cluster))];
    return `no server is in cluster "${cluster}" (clusters: ${clusters.join(", ")})`;
  }
  const unknown = wanted.find(
    ({ text, excluded }) => !excluded && !inCluster.some((server) => hasTag(server, text)),
  );
  if (unknown)
    return `no server carries ${unknown.text}${describeSiblings(unknown.text, inCluster)}`;
  const tagged = inCluster.filter((server) => wanted.every((tag) => satisfies(server, tag)));
  const barred = tagged.filter((server) => hasTag(server, NO_STREAMS_TAG)).map(({ name }) => name);
  const withoutRoom = serversWithoutRoom(survey);
  const asides = [
    ...(barred.length === 0
      ? []
      : [`kept free by the tag ${NO_STREAMS_TAG}: ${barred.join(", ")}`]),
    ...describeRooms(withoutRoom, survey.reservation),
  ];
  const aside = asides.length === 0 ? "" : ` (${asides.join("; ")})`;
  if (eligible.length === 0 && tagged.length > barred.length + withoutRoom.length) {
    return `no server that fits carries a "${uniqueTag}" tag${aside}`;
  }
  if (eligible.length > seats.size) {
    return `the ${eligible.length} that fit share ${seats.size === 1 ? "the one tag" : `the ${seats.size} tags`} ${[...seats.keys()].join(", ")}${aside}`;
  }
  const names = eligible.map(({ name }) => name).join(", ");
  if (eligible.length === 0) return `there is none${aside}`;
  return `there ${eligible.length === 1 ? "is only 1" : `are only ${eligible.length}`} (${names})${aside}`;
}

/** E.g. `1GiB free on rg1-az1, rg1-az2`; one entry for all servers with the same free space. */
function describeRooms(servers: readonly Server[], reservation: Reservation | undefined): string[] {
  const roomOf = ({ room }: Server) => (room && reservation ? room[reservation.storage] : 0);
  return [...Map.groupBy(servers, roomOf)].map(
    ([room, alike]) => `${describeBytes(room)} free on ${listSome(alike.map(({ name }) => name))}`,
  );
}

function describeTags(wanted: readonly WantedTag[]): string {
  const carried = wanted.filter(({ excluded }) => !excluded).map(({ text }) => text);
  const barred = wanted.filter(({ excluded }) => excluded).map(({ text }) => text);
  const parts = [
    ...(carried.length > 0 ? [` tagged ${carried.join(" and ")}`] : []),
    ...(barred.length > 0 ? [` not tagged ${barred.join(" or ")}`] : []),
  ];
  return parts.join(" and");
}

/** Lists existing tags instead of an unknown one: those with its prefix, or all if it has none. */
function describeSiblings(tag: string, servers: readonly Server[]): string {
  const all = [...new Set(servers.flatMap((server) => server.tags.map(normalTag)))];
  const prefix = normalTag(tag).match(/^[^:]*:/)?.[0];
  const siblings = prefix === undefined ? all : all.filter((known) => known.startsWith(prefix));
  return siblings.length === 0 ? "" : ` (there are ${siblings.sort().join(", ")})`;
}

/** The servers that aren't eligible, but fail the fewest conditions. */
function nearestServers(survey: Survey): NearMiss[] {
  const misses = survey.inCluster
    .map((server) => ({ name: server.name, lacks: missesOf(server, survey) }))
    .filter(({ lacks }) => lacks.length > 0)
    .sort((a, b) => a.lacks.length - b.lacks.length);
  const fewest = misses[0]?.lacks.length;
  return misses
    .filter(({ lacks }) => lacks.length === fewest)
    .slice(0, NEAREST_SHOWN)
    .map(({ name, lacks }) => ({ name, lacks: lacks.join(", ") }));
}

function missesOf(server: Server, { wanted, reservation, uniqueTag, seats }: Survey): string[] {
  const missed = wanted
    .filter((tag) => !satisfies(server, tag))
    .map(({ text, excluded }) => (excluded ? `tagged ${text}` : `not tagged ${text}`));
  if (hasTag(server, NO_STREAMS_TAG)) missed.push(`kept free by the tag ${NO_STREAMS_TAG}`);
  if (server.room && reservation && !hasRoom(server, reservation)) {
    missed.push(`${describeBytes(server.room[reservation.storage])} free`);
  }
  if (uniqueTag === "") return missed;
  const seat = uniqueTagOf(server, uniqueTag);
  if (seat === undefined) return [...missed, `no "${uniqueTag}" tag`];
  const holder = seats.get(seat)?.[0]?.name ?? server.name;
  return holder === server.name ? missed : [...missed, `${seat} like ${holder}`];
}
