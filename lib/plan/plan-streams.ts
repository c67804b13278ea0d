import type { AccountPlan } from "../accounts/account-settings.ts";
import { streamAccountProblems } from "../accounts/accounts.ts";
import { PlanError, type Problem } from "../base/errors.ts";
import { type BucketPlan, bucketName } from "../buckets/bucket-kinds.ts";
import { inBucketWords, inOwnTerms } from "../buckets/bucket-words.ts";
import { compileBuckets } from "../buckets/compile-buckets.ts";
import type { ConsumerPlan, ConsumerSettings } from "../consumers/consumer-config.ts";
import type { ConsumerBounds } from "../consumers/consumer-limits.ts";
import { compileConsumers } from "../consumers/stream-consumers.ts";
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
import type { Estate } from "../streams/across.ts";
import { durabilityWarnings } from "../streams/durability.ts";
import {
  type CompiledStream,
  compileStream,
  findDuplicateStreams,
  findOverlaps,
} from "../streams/stream-config.ts";
import { distinctStreams, type KeyedStream, streamPath } from "../streams/stream-name.ts";
import { compilePolicy, type PolicySettings, type StreamPolicy } from "../streams/stream-policy.ts";
import type { NodePlace } from "../topology/topology.ts";
import { unlimitedWarnings } from "./consumer-limit.ts";
import { externalProblems, originWarnings } from "./origins.ts";
import type { Settings } from "./settings.ts";

/** The desired stream: its key, name, account and config. */
interface WantedStream extends KeyedStream, Omit<CompiledStream, "problems"> {
  /** Set if the settings have it as a bucket or an object store. */
  readonly bucket?: BucketPlan;
}

export interface StreamPlan extends WantedStream {
  readonly policy: StreamPolicy;
  readonly consumers: readonly ConsumerPlan[];
  readonly placement: Possible;
}

export interface StreamDraft extends WantedStream {
  /** Has no `leaders` if the placement is impossible. */
  readonly policy: StreamPolicy;
  readonly consumers: readonly ConsumerPlan[];
  readonly placement: Placement;
  /** Warnings for users, one sentence each; not errors. */
  readonly warnings: readonly string[];
  /** Errors in its settings. Whether it can be placed is in `placement`. */
  readonly problems: readonly Problem[];
}

/** A compiled stream, before its placement is planned. */
export interface NamedStream extends WantedStream, CompiledStream {
  /** Its settings. */
  readonly stream: PolicySettings & {
    readonly consumers?: Readonly<Record<string, ConsumerSettings>>;
  };
}

/** The rest of the cluster's plan, on which a stream's plan depends. */
export interface StreamContext {
  readonly accounts: readonly AccountPlan[];
  /** Whether leaf nodes are accepted, which may answer requests that no account answers. Default: no. */
  readonly leafNodes?: boolean;
  /** The servers, each with the free space of empty stores. */
  readonly fleet: Fleet;
  /** Where the servers are. */
  readonly places: readonly Pick<NodePlace, "name" | "region" | "zone">[];
  /** All planned streams, including this one. */
  readonly streams: readonly Pick<StreamDraft, "name" | "account" | "config">[];
  /** Version of the servers; undefined if their image doesn't say it. */
  readonly version: ServerVersion | undefined;
  /** What the servers allow consumers. Default: no limits. */
  readonly bounds?: ConsumerBounds;
}

/** Compiles all streams in the settings, each by itself, and those of buckets and object stores. */
export function compileStreams(
  { streams, ...settings }: Pick<Settings, "streams" | "buckets" | "objectStores" | "account">,
  estate: Estate,
): NamedStream[] {
  return [
    // First, so that a stream which takes their subjects is the one that is reported.
    ...compileBuckets(settings, estate),
    ...Object.entries(streams).map(([key, stream]) => ({
      key,
      name: stream.stream ?? key,
      account: stream.account ?? settings.account,
      stream,
      ...compileStream(key, stream, estate),
    })),
  ];
}

/** Reports streams that conflict with each other, by name or subjects. */
export function conflictProblems(streams: readonly NamedStream[]): Problem[] {
  return [
    ...findDuplicateStreams(streams),
    ...findOverlaps(
      distinctStreams(streams).map(({ key, account, config }) => ({
        key,
        account,
        subjects: config.subjects ?? [],
      })),
    ),
  ];
}

/** Plans a stream's placement and policy, and collects its problems and warnings. */
export function draftStream(
  { stream, problems, ...wanted }: NamedStream,
  { accounts, leafNodes = false, fleet, places, streams, version, bounds = {} }: StreamContext,
): StreamDraft {
  const { config } = wanted;
  const consumed = compileConsumers(
    stream.consumers ?? {},
    config,
    boundsIn(wanted.account, accounts, bounds),
  );
  const request = placementRequest(config);
  const placement = planPlacement(request, fleet);
  const isImpossible = placement.kind === "impossible";
  const hosts = isImpossible ? [] : plannedHosts(placement);
  const { policy, problems: policyProblems } = compilePolicy(stream, hosts, places);
  const { bucket } = wanted;
  // If the stream can't be placed at all, problems of its leader would be noise.
  const unfit = [
    ...streamAccountProblems(wanted, accounts),
    ...streamRoomProblems(wanted, accounts),
    ...externalProblems(wanted, { accounts, leafNodes }),
    ...(isImpossible ? [] : policyProblems),
    ...consumed.problems,
  ];
  return {
    ...wanted,
    policy: { ...policy, ...(bucket ? { declaredAs: bucket.kind } : {}) },
    consumers: consumed.consumers,
    placement,
    warnings: [
      ...placementWarnings(request, fleet),
      ...durabilityWarnings(config),
      ...unlimitedWarnings(wanted, accounts, version),
      ...originWarnings(wanted, streams, accounts),
      ...consumed.warnings,
    ].map((warning) => (bucket ? inBucketWords(bucket.kind, wanted.name, warning) : warning)),
    problems: [
      ...problems,
      ...inOwnTerms(
        unfit.map((each) => ({ ...each, path: streamPath(wanted, each.path) })),
        bucket ? [bucket] : [],
      ),
    ],
  };
}

/** What consumers in an account may have: the least of what the account and the servers allow. */
function boundsIn(
  account: string,
  accounts: readonly AccountPlan[],
  { maxAckPending, maxRequestBatch }: ConsumerBounds,
): ConsumerBounds {
  const jetStream = accounts.find(({ name }) => name === account)?.jetStream;
  const ofAccount = jetStream ? jetStream.maxAckPending : undefined;
  const limits = [maxAckPending, ofAccount].filter((limit) => limit !== undefined);
  return {
    ...(limits.length > 0 ? { maxAckPending: Math.min(...limits) } : {}),
    ...(maxRequestBatch === undefined ? {} : { maxRequestBatch }),
  };
}

/**
 * Turns drafts without problems into plans, with their warnings.
 *
 * @param others problems of the rest of the plan.
 * @throws PlanError with all problems, also of streams that can't be placed.
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
  return { streams, warnings: groupWarnings(drafts) };
}

const NAMES_SHOWN = 3;

/** Lists each warning once, with some of its streams, as there may be thousands. */
function groupWarnings(streams: readonly StreamDraft[]): string[] {
  const warnings = streams.flatMap(({ key, bucket, warnings }) =>
    warnings.map((warning) => ({ name: bucket ? bucketName(bucket) : key, warning })),
  );
  return [...Map.groupBy(warnings, ({ warning }) => warning)].map(([warning, about]) => {
    const names = about.slice(0, NAMES_SHOWN).map(({ name }) => name);
    const more = about.length - names.length;
    return `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}: ${warning}`;
  });
}

function problemsOf({ key, bucket, placement, problems }: StreamDraft): readonly Problem[] {
  if (placement.kind !== "impossible") return problems;
  const nowhere = inOwnTerms([whyNowhere(key, placement)], bucket ? [bucket] : []);
  return [...problems, ...nowhere];
}

function whyNowhere(
  key: string,
  { summary, nearest, shortOf }: Extract<Placement, { readonly kind: "impossible" }>,
): Problem {
  if (shortOf) {
    const fix = `lower it, or raise ${STORE_SETTINGS[shortOf]}`;
    return { path: streamPath({ key }, "maxBytes"), message: summary, fix };
  }
  const close = describeNearest(nearest);
  return {
    path: streamPath({ key }, "placement"),
    message: summary,
    ...(close === "" ? {} : { fix: `nearest: ${close}` }),
  };
}
