import type { AccountPlan } from "../accounts/account-settings.ts";
import { homeProblems } from "../accounts/accounts.ts";
import { PlanError, type Problem } from "../base/errors.ts";
import type { ServerVersion } from "../nodes/versions.ts";
import {
  describeNearest,
  type Fleet,
  type Placement,
  type Possible,
  placementRequest,
  placementWarnings,
  plannedHosts,
  planPlacement,
} from "../placement/placement.ts";
import { STORE_SETTINGS, streamRoomProblems } from "../placement/room.ts";
import { durabilityWarnings } from "../streams/durability.ts";
import {
  type CompiledStream,
  compileStream,
  findNamesakes,
  findOverlaps,
} from "../streams/stream-config.ts";
import { distinctStreams, type KeyedStream, streamPath } from "../streams/stream-name.ts";
import { compilePolicy, type PolicySettings, type StreamPolicy } from "../streams/stream-policy.ts";
import type { NodePlace } from "../topology/topology.ts";
import { unlimitedWarnings } from "./consumer-limit.ts";
import { externalProblems, originWarnings } from "./origins.ts";
import type { Settings } from "./settings.ts";

/** What the servers are to have of a stream, with its name in the settings. */
interface WantedStream extends KeyedStream, Omit<CompiledStream, "problems"> {}

export interface StreamPlan extends WantedStream {
  readonly policy: StreamPolicy;
  readonly placement: Possible;
}

export interface StreamDraft extends WantedStream {
  /** Without leaders where there is no place. */
  readonly policy: StreamPolicy;
  readonly placement: Placement;
  /** What people should know about its place although nothing is wrong, a sentence each. */
  readonly warnings: readonly string[];
  /** What is wrong with its settings. That it has no place says {@link placement}. */
  readonly problems: readonly Problem[];
}

/** A stream of the settings, before it has a place. */
export interface NamedStream extends WantedStream, CompiledStream {
  /** Its settings. */
  readonly stream: PolicySettings;
}

/** What a stream's fate rests on beside its settings. */
export interface Surroundings {
  readonly accounts: readonly AccountPlan[];
  /** Whether leaf nodes may serve what no account does. Default: no. */
  readonly leafNodes?: boolean;
  /** With the room that its servers have while they are empty. */
  readonly fleet: Fleet;
  readonly places: readonly NodePlace[];
  /** All of them, itself included. */
  readonly streams: readonly Pick<StreamDraft, "name" | "account" | "config">[];
  /** Of the servers; undefined where their image doesn't say. */
  readonly version: ServerVersion | undefined;
}

/** What the settings' streams come to, whatever cluster they are in. */
export function compileStreams({
  streams,
  account,
  regions,
  availabilityZones,
}: Pick<Settings, "streams" | "account" | "regions" | "availabilityZones">): NamedStream[] {
  return Object.entries(streams).map(([key, stream]) => ({
    key,
    name: stream.stream ?? key,
    account: stream.account ?? account,
    stream,
    ...compileStream(key, stream, regions, availabilityZones),
  }));
}

/** Reports what streams can't be beside each other. */
export function neighbourProblems(streams: readonly NamedStream[]): Problem[] {
  return [
    ...findNamesakes(streams),
    ...findOverlaps(
      distinctStreams(streams).map(({ key, account, config }) => ({
        key,
        account,
        subjects: config.subjects ?? [],
      })),
    ),
  ];
}

/** Plans where a stream goes, and tells what can't be. */
export function draftStream(
  { stream, problems, ...wanted }: NamedStream,
  { accounts, leafNodes = false, fleet, places, streams, version }: Surroundings,
): StreamDraft {
  const { config } = wanted;
  const request = placementRequest(config);
  const placement = planPlacement(request, fleet);
  const homeless = placement.kind === "impossible";
  const hosts = homeless ? [] : plannedHosts(placement);
  const { policy, problems: misled } = compilePolicy(stream, hosts, places);
  // Where no replica is, it goes without saying that none can lead.
  const unfit = [
    ...homeProblems(wanted, accounts),
    ...streamRoomProblems(wanted, accounts),
    ...externalProblems(wanted, { accounts, leafNodes }),
    ...(homeless ? [] : misled),
  ];
  return {
    ...wanted,
    policy,
    placement,
    warnings: [
      ...placementWarnings(request, fleet),
      ...durabilityWarnings(config),
      ...unlimitedWarnings(wanted, accounts, version),
      ...originWarnings(wanted, streams, accounts),
    ],
    problems: [
      ...problems,
      ...unfit.map((each) => ({ ...each, path: streamPath(wanted, each.path) })),
    ],
  };
}

/**
 * The streams once nothing is in the way, and what people should know of them all the same.
 *
 * @param others what is wrong beside the streams.
 * @throws PlanError naming everything that is wrong, and every stream that can't be placed.
 */
export function planStreams(
  drafts: readonly StreamDraft[],
  others: readonly Problem[],
): { readonly streams: readonly StreamPlan[]; readonly warnings: readonly string[] } {
  const problems = [...others, ...drafts.flatMap(problemsOf)];
  if (problems.length > 0) throw new PlanError(problems);
  const streams = drafts.flatMap(({ warnings: _, problems: __, placement, ...wanted }) =>
    placement.kind === "impossible" ? [] : [{ ...wanted, placement }],
  );
  return { streams, warnings: sumUp(drafts) };
}

const NAMES_SHOWN = 3;

/** Each warning once, with the streams that it is about: there may be thousands. */
function sumUp(streams: readonly StreamDraft[]): string[] {
  const warnings = streams.flatMap(({ key, warnings }) =>
    warnings.map((warning) => ({ key, warning })),
  );
  return [...Map.groupBy(warnings, ({ warning }) => warning)].map(([warning, about]) => {
    const names = about.slice(0, NAMES_SHOWN).map(({ key }) => key);
    const more = about.length - names.length;
    return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}: ${warning}`;
  });
}

function problemsOf({ key, placement, problems }: StreamDraft): readonly Problem[] {
  if (placement.kind !== "impossible") return problems;
  const { summary, nearest, shortOf } = placement;
  if (shortOf) {
    const fix = `lower it, or raise ${STORE_SETTINGS[shortOf]}`;
    return [...problems, { path: streamPath({ key }, "maxBytes"), message: summary, fix }];
  }
  const close = describeNearest(nearest);
  const nowhere = {
    path: streamPath({ key }, "placement"),
    message: summary,
    ...(close === "" ? {} : { fix: `nearest: ${close}` }),
  };
  return [...problems, nowhere];
}
