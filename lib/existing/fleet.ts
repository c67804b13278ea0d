/** The servers of a cluster that others run, as far as they are known, and where their tags say that they are. */
import { listSome } from "../base/wording.ts";
import type { ServerVersion } from "../nodes/versions.ts";
import type { Fleet, Server } from "../placement/placement.ts";
import type { Shape } from "../topology/shape.ts";
import { NO_STREAMS_TAG, type PlaceTags, type ZoneChoice } from "../topology/tags.ts";
import type { NodePlace } from "../topology/topology.ts";
import type { ExistingSettings, PlacePrefixes } from "./existing-settings.ts";

/** A server as it has told of itself. */
export interface ToldServer extends Omit<Server, "room"> {
  readonly version: ServerVersion;
  /** Level of JetStream's API: 1 is nats-server 2.11, 2 is 2.12, 4 is 2.14. */
  readonly apiLevel: number;
}

/** What the servers have told of themselves. */
export interface ToldFleet {
  /** Those with JetStream that have answered. */
  readonly servers: readonly ToldServer[];
  readonly uniqueTag: string;
  /** Names of members of the meta group that haven't answered. */
  readonly silent: readonly string[];
}

/** The fleet, and what isn't known of it. */
export interface KnownFleet {
  readonly fleet: Fleet;
  /** What the plan can't know, one sentence with the way out each. */
  readonly gaps: readonly string[];
  /** Why nothing is known of regions and zones, and the way out; absent if they are known. */
  readonly unplaced?: { readonly message: string; readonly fix: string };
}

/**
 * The servers by which streams are planned: those that have told of themselves, and those in the settings.
 *
 * A member of the meta group that neither tells of itself nor is in the settings may have replicas, so that nothing can be
 * planned without it.
 *
 * @param cluster name of the cluster of the server that answers; `""`: it is in none.
 * @param told absent: no server was asked.
 */
export function knownFleet(
  cluster: string,
  { topology, hasSystemLogin }: Pick<ExistingSettings, "topology" | "hasSystemLogin">,
  told?: ToldFleet,
): KnownFleet {
  const given: readonly Server[] = (topology?.servers ?? []).map((server) => ({
    cluster,
    ...server,
  }));
  if (!told || told.servers.length === 0) {
    if (topology)
      return { fleet: { cluster, uniqueTag: topology.uniqueTag, servers: given }, gaps: [] };
    const why = hasSystemLogin
      ? "no server has answered the systemLogin; try again, or list them in topology"
      : "nobody has told which servers there are; give systemLogin, by which they are asked, or list them in topology";
    return {
      fleet: { cluster, uniqueTag: "", servers: [], unknown: true },
      gaps: [`hosts of streams are unknown until the servers have chosen them: ${why}`],
      unplaced: {
        message: "nobody has told where the servers are",
        fix: "give systemLogin or topology",
      },
    };
  }
  const names = new Set(told.servers.map((server) => server.name));
  const silent = told.silent.filter((name) => !given.some((server) => server.name === name));
  const filled = given.filter((server) => told.silent.includes(server.name));
  const servers = [
    ...told.servers.map(({ version: _, apiLevel: __, ...server }): Server => server),
    ...filled.filter((server) => !names.has(server.name)),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (silent.length > 0) return withoutSilent(silent, cluster, told);
  return { fleet: { cluster, uniqueTag: told.uniqueTag, servers }, gaps: [] };
}

/** Nothing is planned anew while members of the meta group don't answer. */
function withoutSilent(silent: readonly string[], cluster: string, told: ToldFleet): KnownFleet {
  const isOne = silent.length === 1;
  const fault = `${listSome(silent)} ${isOne ? "doesn't" : "don't"} answer`;
  const fix = `start ${isOne ? "it" : "them"}, or list ${isOne ? "it" : "them"} with tags in topology`;
  return {
    fleet: { cluster, uniqueTag: told.uniqueTag, servers: [], unknown: true },
    gaps: [
      `${fault}, of the cluster's meta group: streams stay where they were planned, and hosts of others are unknown until the servers have chosen them; ${fix}`,
    ],
    unplaced: {
      message: `${fault}, and nobody has told where ${isOne ? "it is" : "they are"}`,
      fix,
    },
  };
}

/** Where a server is, by its tags. */
export type ServerPlace = Pick<NodePlace, "name" | "region" | "zone" | "serverTags">;

/** Where the servers are: the region and the zone of each are what follows the prefixes in its tags, `""` without one. */
export function placesOf(
  { servers }: Pick<Fleet, "servers">,
  prefixes: PlacePrefixes,
): ServerPlace[] {
  return servers.map(({ name, tags }) => ({
    name,
    region: placeIn(tags, prefixes.regionTag),
    zone: placeIn(tags, prefixes.zoneTag),
    serverTags: tags,
  }));
}

function placeIn(tags: readonly string[], prefix: string): string {
  const plain = prefix.toLowerCase();
  const tag = tags.map((each) => each.trim().toLowerCase()).find((each) => each.startsWith(plain));
  return tag?.slice(plain.length) ?? "";
}

/** The regions and zones of servers, in the order of their names. A zone whose servers take no streams is a witness. */
export function shapeOfPlaces(places: readonly ServerPlace[]): Shape {
  const named = places.filter(({ region }) => region !== "");
  return grouped(named, ({ region }) => region).map(([name, inRegion]) => ({
    name,
    zones: grouped(inRegion, ({ zone }) => zone).map(([zone, inZone]) => ({
      name: zone,
      nodes: inZone.length,
      ...(inZone.every(takesNone) ? { witness: true as const } : {}),
    })),
  }));
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string): [string, Item[]][] {
  return [...Map.groupBy(items, keyOf)].toSorted(([a], [b]) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
}

function takesNone({ serverTags }: ServerPlace): boolean {
  return serverTags.some((tag) => tag.trim().toLowerCase() === NO_STREAMS_TAG);
}

/** How servers are tagged that have their tags from others: nothing has a tag but what they happen to have. */
export function foundTags(
  places: readonly ServerPlace[],
  shape: Shape,
  { regionTag }: PlacePrefixes,
): PlaceTags {
  const taking = places.filter((place) => !takesNone(place));
  return {
    region: (region) => `${regionTag}${region}`,
    across: (choice) => commonTag(choice, taking, shape),
  };
}

/** The first tag that all servers in these zones have, and no other server. */
function commonTag(
  choice: ZoneChoice,
  places: readonly ServerPlace[],
  shape: Shape,
): string | undefined {
  const isChosen = ({ region, zone }: ServerPlace) => {
    const index = shape.findIndex(({ name }) => name === region);
    return choice[index]?.includes(zone) ?? false;
  };
  const [chosen, others] = [places.filter(isChosen), places.filter((place) => !isChosen(place))];
  return chosen[0]?.serverTags.find(
    (tag) =>
      chosen.every(({ serverTags }) => serverTags.includes(tag)) &&
      !others.some(({ serverTags }) => serverTags.includes(tag)),
  );
}
