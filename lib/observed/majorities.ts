/** Which groups of replicas there are in a cluster as it is, and what restarts of nodes would take from them. */

import { pulumiCommand, type SettingsPlace } from "../base/settings-place.ts";
import { listSome } from "../base/wording.ts";
import { majorityOf } from "../placement/survivability.ts";
import { type StreamName, streamKey } from "../streams/stream-name.ts";
import type { ObservedCluster, ObservedServer, ObservedStream } from "./observed.ts";

/** A stream, a consumer or the meta group: what needs a majority of its replicas to go on. */
export interface ReplicaGroup {
  /** E.g. `stream ORDERS`, `consumer work of stream ORDERS`, `the meta group`. */
  readonly name: string;
  /** The stream's; undefined for the meta group. */
  readonly stream?: StreamName;
  readonly hosts: readonly string[];
  /** Hosts that are being added, and don't count yet. */
  readonly pending: readonly string[];
  /** As many as it should have, or has. */
  readonly replicas: number;
  /** Whether it has more than it should have. */
  readonly isShrinking: boolean;
  readonly isLed: boolean;
  /** Hosts whose replica doesn't count for its majority now: they lose nothing by a restart. */
  readonly ill: readonly string[];
  /** Of those, the ones that store nothing more, as they are above their own limit. */
  readonly full: readonly string[];
  /** Hosts that don't answer: they can't be counted on, but may be at work. */
  readonly away: readonly string[];
  readonly isInMemory: boolean;
  readonly isEmpty: boolean;
}

/** Lists all groups of which there is a replica on a server that answers. */
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
    // Without a leader nobody says who is ill.
    const told = isLed ? place.ill.filter((host) => hosts.includes(host)) : away;
    const full = hosts.filter((host) => isFull(servers.get(host), isInMemory));
    return {
      name: title,
      stream: { account, name },
      hosts,
      pending: place.hosts.filter((host) => pending.includes(host)),
      replicas: hosts.length,
      isShrinking: hosts.length > (config.num_replicas ?? 1),
      isLed,
      ill: [...new Set([...told, ...full])],
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

/** Above its limit a server stores nothing more (nats-server 2.15, `limitsExceeded` in server/jetstream.go). */
function isFull(server: ObservedServer | undefined, isInMemory: boolean): boolean {
  const store = isInMemory ? server?.memory : server?.file;
  return store !== undefined && store.used > store.max;
}

/**
 * Whether a group would be without a majority while nodes are down, in addition to what is ill already. One that has
 * none loses by every node whose replica counts: it may be the only one that has it all. A group that gets over the
 * loss of no node stops with each of its own, which no order can help: it only has to keep what it has in memory, and
 * its replicas are not to go while others catch up.
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

/** The group as it is once all its replicas are well. */
export function cured(group: ReplicaGroup): ReplicaGroup {
  return { ...group, replicas: group.hosts.length, isLed: true, ill: [], full: [], away: [] };
}

/** What a group lacks, see {@link lacksOf}. */
export interface Lack {
  /** One string for it, the same at each look. */
  readonly key: string;
  /** The host whose replica isn't well; undefined where the group as a whole lacks a leader or a replica. */
  readonly host?: string;
  readonly group: ReplicaGroup;
}

/** What groups lack: replicas that aren't well, a leader, replicas that aren't there at all. */
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

export interface Concern {
  /** Whether somebody waits for a host: one that needn't run yet is nobody's concern, by whatever name it goes. */
  readonly isAwaited: (host: string) => boolean;
  /** Keys of lacks that are known, and of which nothing is expected. */
  readonly known?: ReadonlySet<string>;
}

/**
 * Says why groups aren't well, or `undefined` when they are: each has a leader, and as many replicas as it should
 * have, all of them online and current by its leader's own view. `/healthz` doesn't know: a server that has just
 * restarted calls itself well before its streams' leaders do.
 */
export function whyNotWell(
  groups: readonly ReplicaGroup[],
  { isAwaited, known }: Concern,
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

/** A group whose majority is down elects nobody, however long one waits. */
function canBeLed(
  { hosts, replicas, isLed }: ReplicaGroup,
  isAwaited: (host: string) => boolean,
): boolean {
  return isLed || hosts.filter(isAwaited).length >= majorityOf(replicas);
}

/** E.g. `stream LOOSE of account APP (not in the settings) has 2 of 3 replicas that are well (not rg1-az3's)`. */
export function describeIllness(group: ReplicaGroup, planned?: readonly StreamName[]): string {
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
 * @param planned streams of the settings; undefined where nobody knows them.
 */
export function describeGroup(
  { name, stream }: ReplicaGroup,
  planned?: readonly StreamName[],
): string {
  if (!stream) return name;
  const key = streamKey(stream);
  if (planned?.some((each) => streamKey(each) === key)) return name;
  const homed = `${name} of account ${stream.account}`;
  return planned ? `${homed} (not in the settings)` : homed;
}

/** How a group gets well, or out of the way. */
export function describeCure(group: ReplicaGroup, place: SettingsPlace = "config"): string {
  const { stream, hosts } = group;
  const lacking = hosts.filter((host) => isUnwellAt(group, host));
  const logs = lacking.length === 0 ? "" : `the log of ${listSome(lacking)} says why; `;
  if (!stream)
    return `${logs}${pulumiCommand(place)} up --refresh brings back nodes that don't run`;
  // The servers may wait for a replica that is ill before they take it off, as long as it seems to have all.
  if (group.isShrinking) {
    return `${logs}nats stream cluster step-down ${stream.name} has its change go on`;
  }
  return `${logs}nats stream edit ${stream.name} --replicas 1 has it do without, or delete it if nobody needs it`;
}
