/** The plan of streams on a cluster that others run. */
import type { AccountPlan, JetStreamLimits } from "../accounts/account-settings.ts";
import type { Problem } from "../base/errors.ts";
import { bucketPath } from "../buckets/bucket-kinds.ts";
import type { StreamWithConsumers } from "../consumers/stream-consumers.ts";
import type { Fleet } from "../placement/placement.ts";
import {
  compileStreams,
  conflictProblems,
  draftStream,
  planStreams,
  type StreamPlan,
} from "../plan/plan-streams.ts";
import { streamPath } from "../streams/stream-name.ts";
import { type OldestServer, tooOld, unknownFields } from "./api-levels.ts";
import type { ExistingSettings } from "./existing-settings.ts";
import { foundTags, type KnownFleet, placesOf, type ServerPlace, shapeOfPlaces } from "./fleet.ts";

/** An account that the settings have a login to, as the servers tell of it. */
export interface KnownAccount {
  readonly name: string;
  /** Limits of its streams and consumers; empty if they aren't known. */
  readonly limits: JetStreamLimits;
}

/** What is known of a cluster before its streams are planned. */
export interface KnownCluster extends KnownFleet {
  /** The account of `login`, then the others. */
  readonly accounts: readonly KnownAccount[];
  /** Absent: no server was asked. */
  readonly oldest?: OldestServer;
}

/** Streams on a cluster that others run, as a value. */
export interface ExistingPlan {
  readonly accounts: readonly AccountPlan[];
  readonly fleet: Fleet;
  readonly streams: readonly StreamPlan[];
  /** Warnings for users, one sentence each; not errors. */
  readonly notices: readonly string[];
}

/**
 * Plans the streams of a cluster that others run, as a pure function of the settings and of what is known of its servers.
 *
 * @throws PlanError with all problems, also of streams that can't be placed.
 */
export function planExisting(settings: ExistingSettings, known: KnownCluster): ExistingPlan {
  const { fleet, oldest } = known;
  const accounts = known.accounts.map(toAccount);
  const { wanted, problems } = fleet.unknown
    ? byTagsAlone(settings, known)
    : { wanted: settings, problems: [] };
  const places = fleet.unknown ? placesOfLeaders(wanted) : placesOf(fleet, settings);
  const shape = shapeOfPlaces(places);
  const { streams, buckets, objectStores } = wanted;
  const compiled = compileStreams(
    { streams, buckets, objectStores, account: accounts[0]?.name ?? "" },
    {
      shape,
      nodes: places,
      uniqueTag: fleet.uniqueTag.trim().toLowerCase(),
      tags: foundTags(places, shape, settings),
    },
  );
  const drafts = compiled.map((stream) =>
    draftStream(stream, {
      accounts,
      // What an account imports isn't known here, so that others may answer what no import in the settings carries.
      leafNodes: true,
      fleet,
      places,
      streams: compiled,
      version: oldest?.version,
    }),
  );
  const age = oldest && tooOld(oldest);
  const { streams: planned, warnings } = planStreams(drafts, [
    ...problems,
    ...(age ? [age] : []),
    ...(oldest && !age ? unknownFields(drafts, oldest) : []),
    ...conflictProblems(compiled),
  ]);
  return { accounts, fleet, streams: planned, notices: warnings };
}

function toAccount({ name, limits }: KnownAccount): AccountPlan {
  return { name, users: [], limits: {}, jetStream: limits, exports: [], imports: [] };
}

/** What there is to be in a cluster. */
type Wanted = Pick<ExistingSettings, "streams" | "buckets" | "objectStores">;

/** Streams where nobody knows the servers: a region is its tag, and what takes more than a tag is a problem. */
function byTagsAlone(
  { streams, buckets, objectStores, regionTag }: ExistingSettings,
  { unplaced }: KnownFleet,
): { readonly wanted: Wanted; readonly problems: readonly Problem[] } {
  const tell = (path: string, way: string): Problem => ({
    path,
    message: unplaced?.message ?? "",
    fix: `${unplaced?.fix}, or ${way}`,
  });
  const placed = <Settings extends Placed>(
    all: Readonly<Record<string, Settings>>,
    pathOf: (key: string, setting: string) => string,
  ) => {
    const entries = Object.entries(all);
    return {
      settings: Object.fromEntries(entries.map(([key, each]) => [key, tagged(each, regionTag)])),
      problems: entries.flatMap(([key, { placement, leader }]) => [
        ...(placement?.across ? [tell(pathOf(key, "placement.across"), "place it by tags")] : []),
        ...(leader?.region !== undefined || leader?.zone !== undefined
          ? [tell(pathOf(key, "leader"), "name a node")]
          : []),
      ]),
    };
  };
  const all = {
    streams: placed(streams, (key, setting) => streamPath({ key }, setting)),
    buckets: placed(buckets, (key, setting) => bucketPath({ kind: "bucket", key }, setting)),
    objectStores: placed(objectStores, (key, setting) =>
      bucketPath({ kind: "objectStore", key }, setting),
    ),
  };
  return {
    wanted: {
      streams: all.streams.settings,
      buckets: all.buckets.settings,
      objectStores: all.objectStores.settings,
    },
    problems: Object.values(all).flatMap(({ problems }) => problems),
  };
}

/** The settings that say where a stream is to be, and its leader. */
type Placed = Pick<StreamWithConsumers, "placement" | "leader">;

function tagged<Settings extends Placed>(settings: Settings, regionTag: string): Settings {
  const { placement, leader, ...rest } = settings;
  const { region, across: _, ...others } = placement ?? {};
  const place = {
    ...others,
    ...(region === undefined ? {} : { tags: [`${regionTag}${region}`] }),
  };
  const { node } = leader ?? {};
  return {
    ...rest,
    ...(Object.keys(place).length > 0 ? { placement: place } : {}),
    ...(node === undefined ? {} : { leader: { node } }),
  } as Settings;
}

/** The servers that streams name as their leaders: nothing else is known of them. */
function placesOfLeaders({ streams, buckets, objectStores }: Wanted): ServerPlace[] {
  const all = [streams, buckets, objectStores].flatMap((each) => Object.values<Placed>(each));
  const names = all.flatMap(({ leader }) => leader?.node ?? []);
  return [...new Set(names)].map((name) => ({ name, region: "", zone: "", serverTags: [] }));
}
