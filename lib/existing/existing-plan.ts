/** The plan of streams on a cluster that others run. */
import type { AccountPlan, JetStreamLimits } from "../accounts/account-settings.ts";
import type { Problem } from "../base/errors.ts";
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
  const { streams: wanted, problems } = fleet.unknown
    ? byTagsAlone(settings, known)
    : { streams: settings.streams, problems: [] };
  const places = fleet.unknown ? placesOfLeaders(wanted) : placesOf(fleet, settings);
  const shape = shapeOfPlaces(places);
  const compiled = compileStreams(
    { streams: wanted, account: accounts[0]?.name ?? "" },
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
  const { streams, warnings } = planStreams(drafts, [
    ...problems,
    ...(age ? [age] : []),
    ...(oldest && !age ? unknownFields(drafts, oldest) : []),
    ...conflictProblems(compiled),
  ]);
  return { accounts, fleet, streams, notices: warnings };
}

function toAccount({ name, limits }: KnownAccount): AccountPlan {
  return { name, users: [], limits: {}, jetStream: limits, exports: [], imports: [] };
}

/** Streams where nobody knows the servers: a region is its tag, and what takes more than a tag is a problem. */
function byTagsAlone(
  { streams, regionTag }: ExistingSettings,
  { unplaced }: KnownFleet,
): {
  readonly streams: ExistingSettings["streams"];
  readonly problems: readonly Problem[];
} {
  const problems = Object.entries(streams).flatMap(([key, { placement, leader }]): Problem[] => {
    const unknown = (path: string, way: string) => ({
      path: streamPath({ key }, path),
      message: unplaced?.message ?? "",
      fix: `${unplaced?.fix}, or ${way}`,
    });
    return [
      ...(placement?.across ? [unknown("placement.across", "place it by tags")] : []),
      ...(leader?.region !== undefined || leader?.zone !== undefined
        ? [unknown("leader", "name a node")]
        : []),
    ];
  });
  const tagged = Object.entries(streams).map(([key, { placement, leader, ...stream }]) => {
    const { region, across: _, ...rest } = placement ?? {};
    const tags = region === undefined ? {} : { tags: [`${regionTag}${region}`] };
    const place = { ...rest, ...tags };
    const { node } = leader ?? {};
    return [
      key,
      {
        ...stream,
        ...(Object.keys(place).length > 0 ? { placement: place } : {}),
        ...(node === undefined ? {} : { leader: { node } }),
      },
    ] as const;
  });
  return { streams: Object.fromEntries(tagged), problems };
}

/** The servers that streams name as their leaders: nothing else is known of them. */
function placesOfLeaders(streams: ExistingSettings["streams"]): ServerPlace[] {
  const names = Object.values(streams).flatMap(({ leader }) => leader?.node ?? []);
  return [...new Set(names)].map((name) => ({ name, region: "", zone: "", serverTags: [] }));
}
