import type { AccountPlan } from "../accounts/account-settings.ts";
import { countProblems, planAccounts } from "../accounts/accounts.ts";
import type { Problem } from "../base/errors.ts";
import { type NodeConf, renderNodeConf, restartFields } from "../nodes/nats-conf.ts";
import { imageVersion } from "../nodes/versions.ts";
import { type Fleet, placementRequest, planSeating } from "../placement/placement.ts";
import { accountRoomProblems, storeProblems } from "../placement/room.ts";
import { planWaves, type Rollout } from "../placement/waves.ts";
import { nodeSettings, type SettingValues } from "../settings/setting-values.ts";
import { syncNotices } from "../streams/durability.ts";
import { certificateNames } from "../tls/certificate-rules.ts";
import { clearTextNotices, type TlsSettings } from "../tls/tls-settings.ts";
import { type NodePlace, placeNodes } from "../topology/topology.ts";
import { payloadNotices, payloadProblems } from "./payload.ts";
import {
  compileStreams,
  draftStream,
  neighbourProblems,
  planStreams,
  type StreamDraft,
  type StreamPlan,
} from "./plan-streams.ts";
import { identityName, type Settings, type StackIdentity, settingsPlaceOf } from "./settings.ts";

export type { StreamDraft, StreamPlan } from "./plan-streams.ts";

/** The whole cluster as a value: what `preview` knows, components build and `status` reports on. */
export interface ClusterPlan extends Pick<TlsSettings, "tls" | "tlsFiles" | "certificateLifetime"> {
  readonly identity: StackIdentity;
  readonly cluster: string;
  readonly image: string;
  /** Name of the Docker network, and first part of every name on the engine. */
  readonly prefix: string;
  readonly bindAddress: string;
  readonly monitorAddress: string;
  /** Bytes that a node's container may use. */
  readonly memory: number;
  readonly regions: readonly RegionPlan[];
  readonly rollout: Rollout;
  /** Milliseconds without any progress after which waiting for nodes is given up. */
  readonly patience: number;
  /** Whether the volumes of nodes that leave stay on the engine, and those of a stack that is destroyed. */
  readonly keepsVolumes: boolean;
  /** The nodes that may be down together, in the order in which they are changed. */
  readonly waves: readonly (readonly NodePlan[])[];
  /** The servers as the placement planner sees them. */
  readonly fleet: Fleet;
  readonly systemUser: string;
  /** Beside the system account. The first one is that of streams which name none. */
  readonly accounts: readonly AccountPlan[];
  readonly streams: readonly StreamPlan[];
  /** What people should know although nothing is wrong, a sentence each. */
  readonly notices: readonly string[];
}

export interface RegionPlan {
  readonly name: string;
  readonly zones: readonly ZonePlan[];
}

export interface ZonePlan {
  readonly name: string;
  readonly nodes: readonly NodePlan[];
}

export interface NodePlan extends NodePlace {
  readonly containerName: string;
  readonly configVolume: string;
  readonly dataVolume: string;
  /** Ports on the engine's host, bound to the plan's `bindAddress` and `monitorAddress`. */
  readonly clientPort: number;
  readonly monitorPort: number;
  readonly clientUrl: string;
  readonly monitoringUrl: string;
  /** What a certificate of the stack's own authority names it. */
  readonly certificateNames: readonly string[];
  readonly conf: NodeConf;
  /** `nats.conf`, rendered from it; holds no secret. */
  readonly confText: string;
  /** All that a node is made of and no reload changes: a change of it needs a new container. No secret. */
  readonly restartSettings: SettingValues;
}

/** A plan as far as it goes: what can't be is in it too, and says why. */
export interface ClusterDraft extends Omit<ClusterPlan, "streams"> {
  readonly streams: readonly StreamDraft[];
  /** Those that are of no stream. */
  readonly notices: readonly string[];
  /** What is wrong with the nodes, or with streams as a whole. */
  readonly problems: readonly Problem[];
}

/**
 * Plans a cluster: a pure function of its settings.
 *
 * @throws PlanError naming every stream that can't be, or can't be placed.
 */
export function planCluster(settings: Settings): ClusterPlan {
  const { streams: drafts, problems, notices, ...cluster } = draftCluster(settings);
  const { streams, warnings } = planStreams(drafts, problems);
  return { ...cluster, streams, notices: [...notices, ...warnings] };
}

/** Plans whatever can be planned, and tells what can't. Never throws. */
export function draftCluster(settings: Settings): ClusterDraft {
  const { identity, regions, availabilityZones: zones } = settings;
  const compiled = compileStreams(settings);
  const requestedTags = compiled.flatMap(({ config }) => config.placement?.tags ?? []);
  const places = placeNodes({ regions, zones, nodesPerZone: settings.nodesPerZone }, requestedTags);
  const routes = places.map(({ name }) => name);
  const prefix = identityName(identity, "-");
  const nodes = places.map((place) => planNode(place, routes, prefix, settings));
  const fleet: Fleet = {
    cluster: settings.cluster,
    uniqueTag: settings.uniqueTag,
    servers: nodes.map(({ name, serverTags: tags }) => ({ name, cluster: settings.cluster, tags })),
  };
  const accounts = planAccounts(settings);
  const stores = { file: settings.maxFileStore, memory: settings.maxMemoryStore };
  const empty = { ...fleet, servers: fleet.servers.map((server) => ({ ...server, room: stores })) };
  const surroundings = {
    accounts,
    leafNodes: settings.leafNodes,
    fleet: empty,
    places,
    streams: compiled,
    version: imageVersion(settings.image),
  };
  return {
    identity,
    cluster: settings.cluster,
    image: settings.image,
    prefix,
    bindAddress: settings.bindAddress,
    monitorAddress: settings.monitorAddress,
    tls: settings.tls,
    ...(settings.tlsFiles === undefined ? {} : { tlsFiles: settings.tlsFiles }),
    certificateLifetime: settings.certificateLifetime,
    memory: settings.memory,
    regions: regions.map((region) => ({
      name: region,
      zones: zones.map((zone) => ({
        name: zone,
        nodes: nodes.filter((node) => node.region === region && node.zone === zone),
      })),
    })),
    rollout: settings.rollout,
    patience: settings.patience,
    keepsVolumes: settings.keepVolumes,
    waves: planWaves(
      nodes,
      settings,
      compiled.map(({ config }) => planSeating(placementRequest(config), fleet)),
    ),
    fleet,
    systemUser: settings.systemUser,
    accounts,
    streams: compiled.map((stream) => draftStream(stream, surroundings)),
    notices: [
      ...syncNotices(settings.syncInterval),
      ...payloadNotices(settings.maxPayload),
      ...clearTextNotices(settings, settingsPlaceOf(identity)),
    ],
    problems: [
      ...nameProblems(nodes),
      ...portProblems(nodes),
      ...countProblems(compiled, accounts),
      ...accountRoomProblems(compiled, accounts),
      ...storeProblems(
        compiled.map(({ key, config }) => ({
          key,
          config,
          seating: planSeating(placementRequest(config), empty),
        })),
        stores,
      ),
      ...payloadProblems(settings.maxPayload, accounts, compiled),
      ...neighbourProblems(compiled),
    ],
  };
}

/** Every node of a plan, region by region, zone by zone. */
export function nodesOf(plan: Pick<ClusterPlan, "regions">): NodePlan[] {
  return plan.regions.flatMap(({ zones }) => zones.flatMap(({ nodes }) => nodes));
}

/** The same plan with other nodes. */
export function mapNodes(plan: ClusterPlan, change: (node: NodePlan) => NodePlan): ClusterPlan {
  const changed = new Map(nodesOf(plan).map((node) => [node, change(node)]));
  const replace = (nodes: readonly NodePlan[]) => nodes.map((node) => changed.get(node) ?? node);
  return {
    ...plan,
    regions: plan.regions.map((region) => ({
      ...region,
      zones: region.zones.map((zone) => ({ ...zone, nodes: replace(zone.nodes) })),
    })),
    waves: plan.waves.map(replace),
  };
}

function planNode(
  place: NodePlace,
  routes: readonly string[],
  prefix: string,
  settings: Settings,
): NodePlan {
  const clientPort = settings.clientPort + place.portOffset;
  const monitorPort = settings.monitorPort + place.portOffset;
  const { bindAddress, monitorAddress, tls } = settings;
  const host = reachedFromHere(bindAddress);
  const conf = {
    serverName: place.name,
    serverTags: place.serverTags,
    routes,
    // Of those that are published on every address, others know theirs best.
    ...(host === bindAddress ? { clientAdvertise: `${host}:${clientPort}` } : {}),
    ...nodeSettings(settings),
    ...(tls === "none" ? {} : { tls }),
  };
  const containerName = `${prefix}-${place.name}`;
  return {
    ...place,
    containerName,
    configVolume: `${containerName}-config`,
    dataVolume: `${containerName}-data`,
    clientPort,
    monitorPort,
    clientUrl: `${tls === "none" ? "nats" : "tls"}://${host}:${clientPort}`,
    monitoringUrl: `${tls === "none" ? "http" : "https"}://${reachedFromHere(monitorAddress)}:${monitorPort}`,
    certificateNames: certificateNames({ name: place.name, containerName }, settings),
    conf,
    confText: renderNodeConf(conf),
    restartSettings: {
      image: settings.image,
      memory: settings.memory,
      bindAddress,
      // Nodes that were made before there was such a setting had none, and stay as they are on loopback.
      ...(monitorAddress === bindAddress ? {} : { monitorAddress }),
      clientPort,
      monitorPort,
      ...restartFields(conf),
    },
  };
}

/** What is published on every address is reached on loopback. */
function reachedFromHere(address: string): string {
  return address === "0.0.0.0" ? "127.0.0.1" : address;
}

/** A name is a DNS label, on the network and in every other node's routes. */
const MAX_NAME_LENGTH = 63;

function nameProblems(nodes: readonly NodePlan[]): Problem[] {
  const byName = Map.groupBy(nodes, ({ name }) => name);
  const problems = [...byName].flatMap(([name, named]) => [
    ...(named.length > 1
      ? [
          {
            message: `${named.length} nodes would be called ${name}`,
            fix: "rename a region or zone",
          },
        ]
      : []),
    ...(name.length > MAX_NAME_LENGTH
      ? [
          {
            message: `${name} is longer than ${MAX_NAME_LENGTH} characters`,
            fix: "use shorter names",
          },
        ]
      : []),
  ]);
  // A lone server waits for a second one before it elects a meta leader (nats-server 2.15, raft.go).
  const lone = nodes.length === 1;
  return [
    ...problems.map((problem) => ({ path: "regions", ...problem })),
    ...(lone
      ? [{ path: "regions", message: "one node makes no cluster", fix: "plan three or more nodes" }]
      : []),
  ];
}

/** Two listeners on one port, and ports past the last. */
function portProblems(nodes: readonly NodePlan[]): Problem[] {
  const listeners = nodes.flatMap(({ name, clientPort, monitorPort }) => [
    { setting: "clientPort", name, port: clientPort },
    { setting: "monitorPort", name, port: monitorPort },
  ]);
  const taken = new Map<number, string>();
  return listeners.flatMap(({ setting, name, port }) => {
    const other = taken.get(port);
    taken.set(port, `the ${setting} of ${name}`);
    if (other) {
      const message = `port ${port} of ${name} is also ${other}`;
      return [{ path: setting, message, fix: "set clientPort and monitorPort further apart" }];
    }
    return port <= 65_535
      ? []
      : [
          {
            path: setting,
            message: `${name} would get port ${port}`,
            fix: "use a lower first port",
          },
        ];
  });
}
