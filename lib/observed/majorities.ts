/** The observed groups of replicas of a cluster, and whether restarts of nodes would take their majority. */

import { pulumiCommand, type SettingsPlace } from "../base/settings-place.ts";
import { listSome } from "../base/wording.ts";
import { majorityOf } from "../placement/survivability.ts";
import { type StreamName, streamKey } from "../streams/stream-name.ts";
import type { ObservedCluster, ObservedServer, ObservedStream } from "./observed.ts";

/** A Raft group: a stream, a consumer or the meta group. It works only with a majority of its replicas. */
export interface ReplicaGroup {
  /** E.g. `stream ORDERS`, `consumer work of stream ORDERS`, `the meta group`. */
  readonly name: string;
  /** The stream of the group; absent for the meta group. */
  readonly stream?: StreamName;
  readonly hosts: readonly string[];
  /** Hosts whose replica is being added, and isn't in `hosts` yet. */
  readonly pending: readonly string[];
  /** The desired number of replicas, or the number of hosts if that is larger. */
  readonly replicas: number;
  /** Whether it has more hosts than desired. */
  readonly isShrinking: boolean;
  readonly isLed: boolean;
  /** Hosts whose replica doesn't count for the majority now, so that a restart takes nothing from it. */
  readonly ill: readonly string[];
  /** Those of `ill` that store nothing more, because they exceed their store's size. */
  readonly full: readonly string[];
  /** Hosts that don't answer. They may work, but are not relied on. */
  readonly away: readonly string[];
  readonly isInMemory: boolean;
  readonly isEmpty: boolean;
}

/** Lists all groups with a replica on a server that answers. */
export function groupsOf(cluster: ObservedCluster): ReplicaGroup[] {
  const silent = new Set(cluster.silent);
  const servers = new Map(cluster.servers.map((server) => [server.name, server]));
  const isAway = (host: string) => silent.has(host);
  const { meta } = cluster;
  const metaGroup: ReplicaGroup[] = meta
    ? [
        {
          name: "the meta group",
          hosts: meta.hosts,
          pending: [],
          replicas: meta.hosts.length,
          isShrinking: false,
          isLed: true,
          ill: meta.ill,
          full: [],
          away: meta.hosts.filter(isAway),
          isInMemory: false,
          isEmpty: false,
        },
      ]
    : [];
  return [...metaGroup, ...cluster.streams.flatMap((stream) => groupsIn(stream, servers, isAway))];
}

interface Place {
  readonly hosts: readonly string[];
  readonly leader: string;
  readonly ill: readonly string[];
}

function groupsIn(
  stream: ObservedStream,
  servers: ReadonlyMap<string, ObservedServer>,
  isAway: (host: string) => boolean,
): ReplicaGroup[] {
  const { account, name, config, pending } = stream;
  const isInMemory = config.storage === "memory";
  const toGroup = (title: string, place: Place): ReplicaGroup => {
    const hosts = place.hosts.filter((host) => !pending.includes(host));
    const away = hosts.filter(isAway);
    const isLed = place.leader !== "";
    // Without a leader, no server knows which replicas are ill.
    const unwell = isLed ? place.ill.filter((host) => hosts.includes(host)) : away;
    const full = hosts.filter((host) => isFull(servers.get(host), isInMemory));
    return {
      name: title,
      stream: { account, name },
      hosts,
      pending: place.hosts.filter((host) => pending.includes(host)),
      replicas: hosts.length,
      isShrinking: hosts.length > (config.num_replicas ?? 1),
      isLed,
      ill: [...new Set([...unwell, ...full])],
      full,
      away,
      isInMemory,
      isEmpty: stream.messages === 0,
    };
  };
  const own = toGroup(`stream ${name}`, stream);
  return [
    { ...own, replicas: Math.max(config.num_replicas ?? 1, own.hosts.length) },
    ...stream.consumers.map((consumer) =>
      toGroup(`consumer ${consumer.name} of stream ${name}`, consumer),
    ),
  ];
}

/**
 * Whether a server exceeds the size of its store. It then stores nothing more (nats-server 2.15, `limitsExceeded` in
 * server/jetstream.go).
 */
function isFull(server: ObservedServer | undefined, isInMemory: boolean): boolean {
  const store = isInMemory ? server?.memory : server?.file;
  return store !== undefined && store.used > store.max;
}

/**
 * Whether a group would lose its majority while nodes are down, besides the replicas that are ill already.
 *
 * - A group without a majority loses by each node whose replica counts, as it may be the only complete one.
 * - A group that survives no loss (1 or 2 replicas) stops with each of its nodes, whatever the order of restarts. So it
 *   counts as losing only if both its replicas in memory would be down together, or if one is missing or ill.
 */
export function losesMajority(group: ReplicaGroup, nodes: readonly string[]): boolean {
  const { hosts, replicas, isLed, ill, away, isInMemory, isEmpty } = group;
  const counting = hosts.filter((host) => !ill.includes(host));
  const isTouched = counting.some((host) => nodes.includes(host));
  if (!isTouched) return false;
  const isVolatile = isInMemory && !isEmpty;
  if (isVolatile && !isLed) return true;
  const others = counting.filter((host) => !nodes.includes(host) && !away.includes(host));
  const isComplete = ill.length === 0 && hosts.length >= replicas;
  const survivesNone = majorityOf(replicas) === replicas;
  if (isComplete && survivesNone) return isVolatile && replicas > 1 && others.length === 0;
  return others.length < majorityOf(replicas);
}

/** The group as it will be when all its replicas are well. */
export function asHealthy(group: ReplicaGroup): ReplicaGroup {
  return { ...group, replicas: group.hosts.length, isLed: true, ill: [], full: [], away: [] };
}

/** One thing that a group lacks, see {@link lacksOf}. */
export interface Lack {
  /** Identifies it across observations. */
  readonly key: string;
  /** The host whose replica isn't well; absent if the group lacks a leader or a replica. */
  readonly host?: string;
  readonly group: ReplicaGroup;
}

/** Lists what groups lack: a leader, missing replicas, and each replica that isn't well (ill, away or pending). */
export function lacksOf(groups: readonly ReplicaGroup[]): Lack[] {
  return groups.flatMap((group) => {
    const { hosts, pending, replicas, isLed, ill, away } = group;
    const title = `${group.stream?.account ?? ""} > ${group.name}`;
    const unwell = [...new Set([...ill, ...away, ...pending])];
    return [
      ...(isLed ? [] : [{ key: `${title}: leader`, group }]),
      ...unwell.map((host) => ({ key: `${title}: ${host}`, host, group })),
      ...(hosts.length + pending.length < replicas ? [{ key: `${title}: replicas`, group }] : []),
    ];
  });
}

/** What {@link whyNotWell} ignores. */
export interface HealthFilter {
  /** Whether a host's replicas must be well. Those of other hosts are ignored, also of hosts under an unknown name. */
  readonly isAwaited: (host: string) => boolean;
  /** Keys of lacks to ignore, because they existed before. Default: none. */
  readonly known?: ReadonlySet<string>;
}

/**
 * Says why groups aren't well; undefined if they are. A group is well if it has a leader and all desired replicas,
 * and the leader sees all of them as online and current. `/healthz` doesn't suffice: a server that has just restarted
 * reports that it is healthy before the leaders of its streams see it as current.
 */
export function whyNotWell(
  groups: readonly ReplicaGroup[],
  { isAwaited, known }: HealthFilter,
): string | undefined {
  const lacks = lacksOf(groups).filter(({ key }) => known?.has(key) !== true);
  const concerns = lacks.filter(({ host, group }) =>
    host === undefined ? canBeLed(group, isAwaited) : group.isLed && isAwaited(host),
  );
  const [first] = concerns;
  if (!first) return undefined;
  const { name, hosts, replicas, isLed } = first.group;
  if (first.host === undefined) {
    return isLed ? `${name} has ${hosts.length} of ${replicas} replicas` : `${name} has no leader`;
  }
  if (first.group.full.includes(first.host)) {
    const setting = first.group.isInMemory ? "maxMemoryStore" : "maxFileStore";
    return `${first.host} holds more than its ${setting}, and stores nothing more of ${name}`;
  }
  const same = concerns.filter(({ group, host }) => group === first.group && host !== undefined);
  return `${name} waits for ${same.map(({ host }) => host).join(", ")}`;
}

/** Whether a group has, or can elect, a leader: that takes a majority of hosts that are awaited. */
function canBeLed(
  { hosts, replicas, isLed }: ReplicaGroup,
  isAwaited: (host: string) => boolean,
): boolean {
  return isLed || hosts.filter(isAwaited).length >= majorityOf(replicas);
}

/** E.g. `stream LOOSE of account APP (not in the settings) has 2 of 3 replicas that are well (not rg1-az3's)`. */
export function describeUnhealthy(group: ReplicaGroup, planned?: readonly StreamName[]): string {
  const { hosts, replicas, isLed } = group;
  const lacking = hosts.filter((host) => isUnwellAt(group, host));
  const whose = lacking.length === 0 ? "" : ` (not on ${listSome(lacking)})`;
  const led = isLed ? "" : ", and no leader";
  const noun = group.stream ? "replicas" : "members";
  return `${describeGroup(group, planned)} has ${hosts.length - lacking.length} of ${replicas} ${noun} that are well${whose}${led}`;
}

function isUnwellAt({ ill, away }: ReplicaGroup, host: string): boolean {
  return ill.includes(host) || away.includes(host);
}

/**
 * E.g. `stream ORDERS`, `stream LOOSE of account APP (not in the settings)`.
 *
 * @param planned streams in the settings; undefined if they are unknown.
 */
export function describeGroup(
  { name, stream }: ReplicaGroup,
  planned?: readonly StreamName[],
): string {
  if (!stream) return name;
  const key = streamKey(stream);
  if (planned?.some((each) => streamKey(each) === key)) return name;
  const withAccount = `${name} of account ${stream.account}`;
  return planned ? `${withAccount} (not in the settings)` : withAccount;
}

/** What the user can do to make a group well, or to remove it. */
export function describeRemedy(group: ReplicaGroup, place: SettingsPlace = "config"): string {
  const { stream, hosts } = group;
  const lacking = hosts.filter((host) => isUnwellAt(group, host));
  const logs = lacking.length === 0 ? "" : `the log of ${listSome(lacking)} says why; `;
  if (!stream)
    return `${logs}${pulumiCommand(place)} up --refresh brings back nodes that don't run`;
  // The servers may wait for an ill replica before they remove it, as long as it seems to be complete.
  if (group.isShrinking) {
    return `${logs}nats stream cluster step-down ${stream.name} has its change go on`;
  }
  return `${logs}nats stream edit ${stream.name} --replicas 1 has it do without, or delete it if nobody needs it`;
}
