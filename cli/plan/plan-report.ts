import type { Problem } from "../../lib/base/errors.ts";
import type { ConsumerPlan } from "../../lib/consumers/consumer-config.ts";
import { consumerReplicas } from "../../lib/consumers/consumer-replicas.ts";
import {
  type Placement,
  placementRequest,
  plannedHosts,
  planSeating,
} from "../../lib/placement/placement.ts";
import { reservationOf, type Store, type StoreKind } from "../../lib/placement/room.ts";
import {
  judgeLosses,
  type Loss,
  lossesOf,
  majorityOf,
  metaSeating,
  type Survivability,
} from "../../lib/placement/survivability.ts";
import {
  type ClusterDraft,
  type NodePlan,
  nodesOf,
  type RegionPlan,
  type StreamDraft,
} from "../../lib/plan/plan.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import type { KeyedStream } from "../../lib/streams/stream-name.ts";

/** The plan of some settings, as `npm run plan -- --json` prints it. */
export interface PlanReport {
  /** Name of the stack, from which the names on the engine and the default ports are derived. */
  readonly stack: string;
  /** The file with the settings, as the user named it. */
  readonly source: string;
  /** Whether every stream can be placed, and there are no other problems. */
  readonly ok: boolean;
  readonly cluster: string;
  readonly image: string;
  /** Prefix of the tag in which the hosts of a stream's replicas must differ; `""`: none. */
  readonly uniqueTag: string;
  readonly regions: readonly RegionForecast[];
  /** The raft group of all servers, which places streams. */
  readonly metaGroup: {
    readonly servers: number;
    /** Servers that must be up for a stream to be created or changed. */
    readonly majority: number;
    /** Names of the servers that take no streams; absent if all do. */
    readonly witnesses?: readonly string[];
    readonly survivability: Survivability;
  };
  readonly streams: readonly StreamForecast[];
  /** Notices that don't belong to a single stream. */
  readonly notices: readonly string[];
  /** Problems that don't belong to a single stream. */
  readonly problems: readonly Problem[];
  /** Settings that can't be read without Pulumi. The plan is made without them. */
  readonly unread: readonly string[];
}

export interface RegionForecast {
  readonly name: string;
  readonly zones: readonly { readonly name: string; readonly nodes: readonly NodeForecast[] }[];
}

export interface NodeForecast {
  readonly name: string;
  readonly tags: readonly string[];
  readonly clientPort: number;
  readonly clientUrl: string;
  /** Absent without monitoring pages. */
  readonly monitorPort?: number;
  readonly monitoringUrl?: string;
  /** Bytes, from the settings alone. */
  readonly room: Readonly<Record<StoreKind, PlannedStore>>;
}

export interface PlannedStore extends Store {
  /** Includes streams that may be placed on the node if the servers choose the hosts. */
  readonly reservedAtMost: number;
}

export interface ConsumerForecast {
  readonly name: string;
  readonly replicas: number;
  /** Where it sends messages; absent if clients pull them. */
  readonly deliverSubject?: string;
}

export interface StreamForecast extends KeyedStream {
  readonly subjects: readonly string[];
  readonly replicas: number;
  /** Placement tags as they are sent to the server. */
  readonly tags: readonly string[];
  /** Absent if there are none. */
  readonly consumers?: readonly ConsumerForecast[];
  /** The hosts; the candidates if the server chooses; or why it can't be placed. */
  readonly placement: Placement;
  /** The hosts that may lead; absent if all may. */
  readonly leaders?: readonly string[];
  /** Absent if the stream can't be placed. */
  readonly survivability?: Survivability;
  readonly warnings: readonly string[];
  readonly problems: readonly Problem[];
}

/** Converts a draft into a report. */
export function reportOnPlan(
  draft: ClusterDraft,
  { source, unread }: Pick<PlanReport, "source" | "unread">,
): PlanReport {
  const { identity, cluster, image, fleet, notices, problems } = draft;
  const losses = lossesOf(nodesOf(draft));
  const servers = fleet.servers.length;
  const witnesses = nodesOf(draft)
    .filter(({ witness }) => witness)
    .map(({ name }) => name);
  const streams = draft.streams.map((stream) => forecastStream(stream, draft, losses));
  const ok = streams.every(
    (stream) => stream.placement.kind !== "impossible" && stream.problems.length === 0,
  );
  return {
    stack: identity.stack,
    source,
    ok: ok && problems.length === 0,
    cluster,
    image,
    uniqueTag: fleet.uniqueTag,
    regions: draft.regions.map((region) => forecastRegion(region, draft.streams)),
    metaGroup: {
      servers,
      majority: majorityOf(servers),
      ...(witnesses.length > 0 ? { witnesses } : {}),
      survivability: judgeLosses(metaSeating(fleet), losses),
    },
    streams,
    notices,
    problems,
    unread,
  };
}

function forecastRegion(
  { name, zones }: RegionPlan,
  streams: readonly StreamDraft[],
): RegionForecast {
  const forecast = (node: NodePlan) => forecastNode(node, streams);
  return { name, zones: zones.map((zone) => ({ ...zone, nodes: zone.nodes.map(forecast) })) };
}

function forecastNode(node: NodePlan, streams: readonly StreamDraft[]): NodeForecast {
  const { name, serverTags: tags, clientPort, monitorPort, clientUrl, monitoringUrl, conf } = node;
  const room = {
    file: plannedStore("file", conf.maxFileStore, name, streams),
    memory: plannedStore("memory", conf.maxMemoryStore, name, streams),
  };
  return {
    name,
    tags,
    clientPort,
    clientUrl,
    ...(monitorPort === undefined ? {} : { monitorPort }),
    ...(monitoringUrl === undefined ? {} : { monitoringUrl }),
    room,
  };
}

function plannedStore(
  kind: StoreKind,
  max: number,
  node: string,
  streams: readonly StreamDraft[],
): PlannedStore {
  const reservedBy = (placements: readonly Placement["kind"][]) =>
    streams
      .filter(({ config, placement }) => {
        const isHere = placement.kind !== "impossible" && plannedHosts(placement).includes(node);
        return (
          isHere && placements.includes(placement.kind) && reservationOf(config).storage === kind
        );
      })
      .reduce((sum, { config }) => sum + reservationOf(config).bytes, 0);
  return {
    max,
    reserved: reservedBy(["exact"]),
    reservedAtMost: reservedBy(["exact", "choice"]),
    used: 0,
  };
}

function forecastStream(
  { key, name, account, config, policy, consumers, placement, warnings, problems }: StreamDraft,
  { fleet }: ClusterDraft,
  losses: readonly Loss[],
): StreamForecast {
  const request = placementRequest(config);
  return {
    key,
    name,
    account,
    subjects: config.subjects ?? [],
    replicas: request.replicas,
    tags: request.tags,
    ...(consumers.length > 0
      ? { consumers: consumers.map((each) => forecastConsumer(each, config)) }
      : {}),
    placement,
    ...(policy.leaders ? { leaders: policy.leaders } : {}),
    ...(placement.kind === "impossible"
      ? {}
      : { survivability: judgeLosses(planSeating(request, fleet), losses) }),
    warnings,
    problems,
  };
}

function forecastConsumer({ name, config }: ConsumerPlan, stream: StreamConfig): ConsumerForecast {
  const { deliver_subject: deliverSubject } = config;
  const replicas = consumerReplicas(config, stream);
  return { name, replicas, ...(deliverSubject ? { deliverSubject } : {}) };
}
