import { peerId } from "../../lib/observed/meta-group.ts";
import type {
  ObservedCluster,
  ObservedConsumer,
  ObservedMeta,
  ObservedServer,
  ObservedStream,
} from "../../lib/observed/observed.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { streamKey } from "../../lib/streams/stream-name.ts";
import { judgeReplicas } from "../../lib/update/wave-gate.ts";
import {
  type HomedStream,
  isChanging,
  type Jsz,
  parseJsz,
  type RaftGroup,
  STREAMS_PAGE,
} from "./jsz.ts";
import { getPages, LONG_REQUEST_MS, type Monitor } from "./monitoring.ts";

/**
 * Asks every node for its room, and for all streams and consumers that it has a replica of. Never throws.
 *
 * @param milliseconds after which a node counts as silent.
 */
export async function observeCluster(
  nodes: readonly Monitor[],
  milliseconds?: number,
): Promise<ObservedCluster> {
  const names = new Map(nodes.map(({ name }) => [peerId(name), name]));
  const answers = await Promise.all(
    nodes.map(async (node) => ({ node, page: await ask(node, names, milliseconds) })),
  );
  const servers: ObservedServer[] = [];
  const silent: string[] = [];
  const sightings: Sighting[] = [];
  let meta: ObservedMeta | undefined;
  for (const { node, page } of answers) {
    if (!page) {
      silent.push(node.name);
      continue;
    }
    servers.push({ name: node.name, file: page.file, memory: page.memory });
    meta ??= toMeta(node.name, page);
    sightings.push(...page.streams.map((stream) => ({ ...stream, by: node.name })));
  }
  const streams = Map.groupBy(sightings, ({ account, stream: { name } }) =>
    streamKey({ account, name }),
  );
  return {
    servers,
    silent,
    streams: [...streams.values()].flatMap(toStream),
    ...(meta ? { meta } : {}),
  };
}

function toMeta(by: string, { metaGroup }: Jsz): ObservedMeta | undefined {
  if (metaGroup?.leader !== by) return undefined;
  const members = metaGroup.replicas;
  return {
    leader: by,
    hosts: [by, ...members.map(({ name }) => name)].sort(),
    ill: members.filter(({ well }) => !well).map(({ name }) => name),
    behind: lagIn(metaGroup),
  };
}

/** @param names of servers by their ids. */
async function ask(
  node: Monitor,
  names: ReadonlyMap<string, string>,
  milliseconds: number | undefined,
): Promise<Jsz | undefined> {
  try {
    const [page] = await getPages(node, [`${STREAMS_PAGE}&consumers=true`], milliseconds);
    const { metaGroup, streams, ...rest } = parseJsz(page);
    const name = <Group extends RaftGroup>(group: Group) => nameMembers(group, names);
    return {
      ...rest,
      ...(metaGroup ? { metaGroup: name(metaGroup) } : {}),
      streams: streams.map(({ account, stream }) => ({
        account,
        stream: {
          ...stream,
          cluster: name(stream.cluster),
          consumer_detail: stream.consumer_detail.map((consumer) => ({
            ...consumer,
            cluster: name(consumer.cluster),
          })),
        },
      })),
    };
  } catch {
    return undefined;
  }
}

/** What a server calls another that it has never heard; the id is always there (nats-server 2.15). */
const UNHEARD = "Server name unknown at this time";

function nameMembers<Group extends RaftGroup>(
  group: Group,
  names: ReadonlyMap<string, string>,
): Group {
  const replicas = group.replicas.map((member) => {
    const { peer, name } = member;
    const told = name === "" || name.startsWith(UNHEARD) ? peer : name;
    return { ...member, name: names.get(peer) ?? told };
  });
  return { ...group, replicas };
}

interface Sighting extends HomedStream {
  /** The node that tells. */
  readonly by: string;
}

/** The leader knows best. */
function toStream(sightings: readonly Sighting[]): ObservedStream[] {
  const led = sightings.find(({ by, stream }) => stream.cluster.leader === by);
  const told = led ?? sightings[0];
  if (!told) return [];
  const { account, stream } = told;
  const { name, config, cluster, state } = stream;
  return [
    {
      account,
      name,
      config: config as StreamConfig,
      ...placeOf(cluster, told.by),
      pending: cluster.replicas.filter(({ pending }) => pending).map((each) => each.name),
      isChanging: isChanging(stream),
      messages: state.messages,
      bytes: state.bytes,
      behind: behindOf(sightings, state.last_seq),
      consumers: toConsumers(sightings),
    },
  ];
}

/**
 * A replica whose log the leader no longer has is sent a snapshot: its log lags no more, while it still copies
 * messages. Only a leader's word counts, as others have none.
 */
function behindOf(sightings: readonly Sighting[], lastSequence: number): number {
  const lacking = sightings.map(
    ({ by, stream: { cluster, state, consumer_detail: consumers } }) => {
      const led = [{ cluster }, ...consumers].filter((group) => group.cluster.leader === by);
      const lag = led.reduce((sum, group) => sum + lagIn(group.cluster), 0);
      return lag + Math.max(0, lastSequence - state.last_seq);
    },
  );
  return lacking.reduce((sum, each) => sum + each, 0);
}

function lagIn({ replicas }: RaftGroup): number {
  return replicas.reduce((sum, { lag }) => sum + lag, 0);
}

/** A server tells of the consumers that it has a replica of: no page has all of a stream's. */
function toConsumers(sightings: readonly Sighting[]): ObservedConsumer[] {
  const seen = sightings.flatMap(({ by, stream }) =>
    stream.consumer_detail.map((consumer) => ({ by, ...consumer })),
  );
  return [...Map.groupBy(seen, ({ name }) => name)].flatMap(([name, views]) => {
    const told = views.find(({ by, cluster }) => cluster.leader === by) ?? views[0];
    return told ? [{ name, ...placeOf(told.cluster, told.by) }] : [];
  });
}

function placeOf(group: RaftGroup, by: string) {
  const hosts = hostsOf(group, by);
  const isLed = group.leader === by;
  const ill = group.replicas.filter(({ well }) => !well).map((each) => each.name);
  return { hosts, leader: isLed ? by : "", ill: isLed ? ill : hosts };
}

/** A server isn't among the replicas that it shows itself, nor need it be the leader. */
function hostsOf({ leader, replicas }: RaftGroup, by: string): string[] {
  const hosts = [by, leader, ...replicas.map(({ name }) => name)];
  return [...new Set(hosts)].filter((host) => host !== "").sort();
}

/** What replicas of all groups lack, all together. */
export function behindIn({ streams, meta }: ObservedCluster): number {
  return streams.reduce((sum, stream) => sum + stream.behind, meta?.behind ?? 0);
}

/**
 * Asks each node for its streams and consumers, and says what they lack; undefined if nothing.
 *
 * @param isWhole whether these are all nodes; replicas elsewhere are nobody's concern otherwise.
 */
export async function askWhyNotCurrent(
  monitors: readonly Monitor[],
  isWhole: boolean,
): Promise<string | undefined> {
  return judgeReplicas(await observeCluster(monitors, LONG_REQUEST_MS), isWhole);
}
