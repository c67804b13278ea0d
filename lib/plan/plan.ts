import type { AccountPlan } from "../accounts/account-settings.ts";
import { countProblems, planAccounts } from "../accounts/accounts.ts";
import { mappedNotices, nodeCertificateProblems } from "../accounts/certificate-users.ts";
import { grantAbilities } from "../accounts/grants.ts";
import type { Problem } from "../base/errors.ts";
import { clashProblems } from "../buckets/bucket-rules.ts";
import { inOwnTerms } from "../buckets/bucket-words.ts";
import { type Listener, listenersOf } from "../nodes/listeners.ts";
import { type NodeConf, renderNodeConf, restartFields } from "../nodes/nats-conf.ts";
import { imageVersion } from "../nodes/versions.ts";
import { type Fleet, placementRequest, planSeating } from "../placement/placement.ts";
import { accountRoomProblems, storeProblems } from "../placement/room.ts";
import { planWaves, type Rollout } from "../placement/waves.ts";
import { nodeSettings, type SettingValues } from "../settings/setting-values.ts";
import { syncNotices } from "../streams/durability.ts";
import { certificateNames } from "../tls/certificate-rules.ts";
import type { ClientTlsSettings } from "../tls/client-tls.ts";
import { clearTextNotices, type TlsSettings } from "../tls/tls-settings.ts";
import { addressProblems } from "../topology/advertise.ts";
import { EngineMap, type EnginePlan } from "../topology/engines.ts";
import { uniqueTagProblems } from "../topology/server-tags.ts";
import { OWN_TAGS } from "../topology/tags.ts";
import { type NodePlace, placeNodes } from "../topology/topology.ts";
import {
  addressesOf,
  advertisedBy,
  type Endpoints,
  listenerUrls,
  planEndpoints,
  portProblems,
  subnetOf,
} from "./endpoints.ts";
import { limitNotices, limitProblems } from "./limits.ts";
import { lostProblems } from "./lost-settings.ts";
import { payloadNotices, payloadProblems } from "./payload.ts";
import {
  compileStreams,
  conflictProblems,
  draftStream,
  planStreams,
  type StreamDraft,
  type StreamPlan,
} from "./plan-streams.ts";
import { reachNotices } from "./reach.ts";
import { identityName, type Settings, type StackIdentity, settingsPlaceOf } from "./settings.ts";
import { witnessNotices } from "./shape-settings.ts";

export type { StreamDraft, StreamPlan } from "./plan-streams.ts";

/**
 * The desired cluster as a value. Components create it, and `preview` and `status` compare the observed cluster with
 * it.
 */
export interface ClusterPlan
  extends ClientTlsSettings,
    Pick<TlsSettings, "tls" | "tlsFiles" | "certificateLifetime"> {
  readonly identity: StackIdentity;
  readonly cluster: string;
  readonly image: string;
  /** Name of the Docker network, and prefix of all names on the engine. */
  readonly prefix: string;
  /** Subnet of IPv6 of the Docker networks; absent: containers have IPv4 alone. */
  readonly ipv6Subnet?: string;
  readonly bindAddress: string;
  readonly monitorAddress: string;
  /** Memory limit of a node's container, in bytes. */
  readonly memory: number;
  readonly regions: readonly RegionPlan[];
  /** Keys of former engines whose machines are lost for good. */
  readonly lost: readonly string[];
  /** Whether what JetStream stores is encrypted. */
  readonly isEncrypted: boolean;
  readonly rollout: Rollout;
  /** Milliseconds without progress after which an update stops waiting for nodes. */
  readonly patience: number;
  /** Whether data volumes stay on the engine when their nodes leave or the stack is destroyed. */
  readonly keepsVolumes: boolean;
  /** The nodes in waves, in the order of their restarts. The nodes of a wave may be down together. */
  readonly waves: readonly (readonly NodePlan[])[];
  /** The servers, for the placement planner. */
  readonly fleet: Fleet;
  readonly systemUser: string;
  /** All accounts except the system account. The first one owns the streams that name none. */
  readonly accounts: readonly AccountPlan[];
  readonly streams: readonly StreamPlan[];
  /** Warnings for users, one sentence each; not errors. */
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
  /** The engine that it is on; absent if one engine has all nodes. */
  readonly engine?: EnginePlan;
  /** IP address on the engine's host that its ports are published on, except the monitoring port. */
  readonly bindAddress: string;
  /** Ports on the engine's host. */
  readonly clientPort: number;
  /** Absent if all nodes are on one engine, where routes stay in its network. */
  readonly routePort?: number;
  /** Absent if the nodes have no monitoring pages. */
  readonly monitorPort?: number;
  /** Further ports on the engine's host, bound to `bindAddress`. */
  readonly listeners: readonly Listener[];
  /** URLs of those, by their settings. */
  readonly listenerUrls: Readonly<Partial<Record<Listener["setting"], string>>>;
  /**
   * URL for clients: where the stack itself reaches the node, or with `clientTls` where clients are told that it is, as the
   * certificate that they are shown may have no other name.
   */
  readonly clientUrl: string;
  /** `host:port` by which the stack itself reaches it as a client. */
  readonly dial: string;
  /** Host by which servers tell clients to reach the node; absent if they tell of none, or of the container's addresses. */
  readonly toldHost?: string;
  /** URL of the monitoring pages; absent if there are none. */
  readonly monitoringUrl?: string;
  /** Names and addresses in its certificate, if the stack's own authority issues it. */
  readonly certificateNames: readonly string[];
  readonly conf: NodeConf;
  /** `nats.conf`, rendered from `conf`. It has no secrets. */
  readonly confText: string;
  /** The settings whose change needs a new container, as no reload applies it. They have no secrets. */
  readonly restartSettings: SettingValues;
}

/** A plan that may contain impossible streams and other errors, each with its problems. */
export interface ClusterDraft extends Omit<ClusterPlan, "streams"> {
  readonly streams: readonly StreamDraft[];
  /** Warnings about the cluster as a whole. */
  readonly notices: readonly string[];
  /** Errors of the nodes, or of several streams together. */
  readonly problems: readonly Problem[];
}

/**
 * Plans a cluster, as a pure function of its settings.
 *
 * @throws PlanError with all problems, also of streams that can't be placed.
 */
export function planCluster(settings: Settings): ClusterPlan {
  const { streams: drafts, problems, notices, ...cluster } = draftCluster(settings);
  const { streams, warnings } = planStreams(drafts, problems);
  return { ...cluster, streams, notices: [...notices, ...warnings] };
}

/** Plans all that is possible, and collects problems. It never throws. */
export function draftCluster(settings: Settings): ClusterDraft {
  const { identity, shape } = settings;
  const { serverTags, uniqueTag } = settings;
  const compiled = compileStreams(settings, {
    shape,
    nodes: placeNodes(shape, [], serverTags),
    uniqueTag,
    tags: OWN_TAGS,
  });
  const buckets = compiled.flatMap(({ bucket }) => bucket ?? []);
  const isClash = ({ key, bucket }: (typeof compiled)[number]) =>
    bucket !== undefined && Object.hasOwn(settings.streams, key);
  const requestedTags = compiled.flatMap(({ config }) => config.placement?.tags ?? []);
  const places = placeNodes(shape, requestedTags, settings.serverTags);
  const engines = new EngineMap(settings.engines);
  const advertised = advertisedBy(places, settings);
  const endpoints = new Map(
    places.map((place) => [
      place,
      planEndpoints(place, engines, settings, advertised.get(place.name)),
    ]),
  );
  const routes = [...endpoints.values()].map(({ route }) => route);
  const prefix = identityName(identity, "-");
  const cluster = { prefix, routes, hasIpv6: engines.hasIpv6 };
  const nodes = [...endpoints].map(([place, ends]) => planNode(place, ends, cluster, settings));
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
    bounds: {
      ...(settings.maxAckPending > 0 ? { maxAckPending: settings.maxAckPending } : {}),
      ...(settings.maxRequestBatch > 0 ? { maxRequestBatch: settings.maxRequestBatch } : {}),
    },
  };
  const drafts = compiled.map((stream) => draftStream(stream, surroundings));
  const granted = grantAbilities(accounts, settings.accounts, drafts);
  return {
    identity,
    cluster: settings.cluster,
    image: settings.image,
    prefix,
    ...(engines.hasIpv6 ? { ipv6Subnet: subnetOf(prefix) } : {}),
    bindAddress: settings.bindAddress,
    monitorAddress: settings.monitorAddress,
    tls: settings.tls,
    ...(settings.tlsFiles === undefined ? {} : { tlsFiles: settings.tlsFiles }),
    ...(settings.clientTls === undefined ? {} : { clientTls: settings.clientTls }),
    ...(settings.clientCertificates === undefined
      ? {}
      : { clientCertificates: settings.clientCertificates }),
    certificateLifetime: settings.certificateLifetime,
    memory: settings.memory,
    regions: shape.map((region) => ({
      name: region.name,
      zones: region.zones.map((zone) => ({
        name: zone.name,
        nodes: nodes.filter((node) => node.region === region.name && node.zone === zone.name),
      })),
    })),
    lost: settings.lost,
    isEncrypted: settings.encryption !== "none",
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
    accounts: granted.accounts,
    streams: drafts,
    notices: [
      ...witnessNotices(nodes),
      ...syncNotices(settings.syncInterval),
      ...payloadNotices(settings.maxPayload),
      ...limitNotices(settings),
      ...clearTextNotices(settings, settingsPlaceOf(identity)),
      ...reachNotices(
        nodes.map((node, index) => ({ ...node, told: [...endpoints.values()][index]?.told })),
        settingsPlaceOf(identity),
      ),
      ...mappedNotices(accounts, settings),
    ],
    problems: [
      ...nameProblems(nodes),
      ...uniqueTagProblems(settings.uniqueTag, nodes),
      ...engines.problems(places),
      ...lostProblems(settings),
      ...portProblems(nodes),
      ...addressProblems(advertised),
      ...nodeCertificateProblems(accounts, nodes),
      ...granted.problems,
      ...clashProblems(buckets, settings.streams),
      ...inOwnTerms(
        [
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
          ...limitProblems(settings, compiled, nodes.length),
          ...conflictProblems(compiled.filter((each) => !isClash(each))),
        ],
        buckets,
      ),
    ],
  };
}

/** All nodes of a plan, region by region, zone by zone. */
export function nodesOf(plan: Pick<ClusterPlan, "regions">): NodePlan[] {
  return plan.regions.flatMap(({ zones }) => zones.flatMap(({ nodes }) => nodes));
}

/** In the place of the mark of a key that a preview can't know yet. */
export const UNKNOWN_KEY = "not known yet";

/**
 * A copy of a plan whose restart settings have a mark of the encryption key: a server with another key couldn't read its
 * data, and would log both keys if it were to reload the config.
 *
 * @param mark see `encryptionKeyMark`.
 */
export function withKeyMark(plan: ClusterPlan, mark: string): ClusterPlan {
  return mapNodes(plan, (node) => ({
    ...node,
    restartSettings: { ...node.restartSettings, encryptionKey: mark },
  }));
}

/** A copy of a plan with changed nodes. */
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

/** What the nodes of a cluster have in common, beside its settings. */
interface Common {
  readonly prefix: string;
  /** `host:port` of all nodes. */
  readonly routes: readonly string[];
  readonly hasIpv6: boolean;
}

function planNode(
  place: NodePlace,
  ends: Endpoints,
  { prefix, routes, hasIpv6 }: Common,
  settings: Settings,
): NodePlan {
  const { tls, clientTls, clientCertificates: asked } = settings;
  const { engine, bindAddress, clientPort, dial, told, advertise } = ends;
  const { route, routePort, pages } = ends;
  const listeners = listenersOf(settings, place.portOffset);
  const toldOf = told === "nothing" ? undefined : told;
  // The certificate for clients has the name that they are told, the node's own one has it only if clients are shown it.
  const shownAt = clientTls ? undefined : toldOf?.host;
  const addresses = [engine?.address, shownAt].filter((each) => each !== undefined);
  const seen = (clientTls && toldOf) || { host: ends.host, client: dial };
  const conf: NodeConf = {
    serverName: place.name,
    serverTags: place.serverTags,
    routes,
    ...(hasIpv6 ? { host: "::" as const } : {}),
    ...(told === "nothing" ? { advertisesNothing: true as const } : {}),
    ...(toldOf ? { clientAdvertise: toldOf.client } : {}),
    ...(toldOf && listeners.length > 0 ? { advertised: addressesOf(listeners, toldOf.host) } : {}),
    ...(routePort === undefined ? {} : { routeAdvertise: route }),
    ...nodeSettings(settings),
    ...(tls === "none" ? {} : { tls }),
    ...(clientTls ? { clientTls: true as const } : {}),
    ...(asked ? { verifies: { listeners: asked.listeners, maps: asked.map } } : {}),
    ...(pages ? { hasPages: true as const } : {}),
    ...(Object.keys(settings.config).length === 0 ? {} : { config: settings.config }),
  };
  const containerName = `${prefix}-${place.name}`;
  return {
    ...place,
    containerName,
    configVolume: `${containerName}-config`,
    dataVolume: `${containerName}-data`,
    ...(engine ? { engine } : {}),
    bindAddress,
    clientPort,
    ...(routePort === undefined ? {} : { routePort }),
    ...(pages ? { monitorPort: pages.port, monitoringUrl: pages.url } : {}),
    listeners,
    listenerUrls: listenerUrls(listeners, seen.host, tls !== "none"),
    clientUrl: `${tls === "none" ? "nats" : "tls"}://${seen.client}`,
    dial,
    ...(toldOf ? { toldHost: toldOf.host } : {}),
    certificateNames: certificateNames(
      { name: place.name, containerName },
      { ...settings, bindAddress, addresses },
    ),
    conf,
    confText: renderNodeConf(conf),
    restartSettings: {
      image: settings.image,
      memory: settings.memory,
      bindAddress,
      // Containers that are older than this setting don't have it in their label, and must not be restarted for it.
      ...(pages && pages.address !== bindAddress ? { monitorAddress: pages.address } : {}),
      clientPort,
      // What clients are told follows from the address and the port, unless the settings say otherwise.
      ...(advertise === undefined ? {} : { advertise }),
      ...(routePort === undefined ? {} : { routePort }),
      ...(pages ? { monitorPort: pages.port } : {}),
      ...Object.fromEntries(listeners.map(({ setting, port }) => [setting, port])),
      ...restartFields(conf, imageVersion(settings.image)),
    },
  };
}

/** Characters of a DNS label: a node's name is one in the Docker network, and in the routes of other nodes. */
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
