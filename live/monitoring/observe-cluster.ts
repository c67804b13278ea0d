import { peerId } from "../../lib/observed/meta-group.ts";
import type {
  ObservedCluster,
  ObservedConsumer,
  ObservedMeta,
  ObservedStream,
} from "../../lib/observed/observed.ts";
import { CONSUMERS } from "../../lib/observed/questions.ts";
import type { StreamConfig } from "../../lib/streams/stream-fields.ts";
import { streamKey } from "../../lib/streams/stream-name.ts";
import { judgeReplicas } from "../../lib/update/wave-gate.ts";
import { askAll } from "./ask-all.ts";
import { askNode, LONG_REQUEST_MS } from "./ask-node.ts";
import { lookAgainAtLag, type Pages } from "./caught-up.ts";
import { type HomedStream, isChanging, type Jsz, parseJsz, type RaftGroup } from "./jsz.ts";
import type { Monitor } from "./monitor.ts";

/**
 * Asks every node for its storage, and for all streams and consumers that it has a replica of. A replica that is only
 * behind by what is on its way counts as well. Never throws.
 *
 * @param milliseconds after which a node counts as silent.
 * @param beyond names of nodes whose engine doesn't answer.
 */
export async function observeCluster(
  nodes: readonly Monitor[],
  milliseconds?: number,
  beyond?: ReadonlySet<string>,
): Promise<ObservedCluster> {
  const names = new Map(nodes.map(({ name }) => [peerId(name), name]));
  const look = async (asked: readonly Monitor[]): Promise<Pages> => {
    const answers = await askAll(asked, (node) => ask(node, names, milliseconds), beyond);
    return new Map(answers.filter((answer) => answer !== undefined));
  };
  const pages = await lookAgainAtLag(await look(nodes), async (answering) =>
    look(nodes.filter(({ name }) => answering.has(name))),
  );
  const silent = nodes.map(({ name }) => name).filter((name) => !pages.has(name));
  const servers = [...pages].map(([name, { file, memory }]) => ({ name, file, memory }));
  const sightings = [...pages].flatMap(([by, page]) =>
    page.streams.map((stream): Sighting => ({ ...stream, by })),
  );
  const [meta] = [...pages].flatMap(([by, page]) => toMeta(by, page) ?? []);
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

/** @param names of servers by peer id. */
async function ask(
  node: Monitor,
  names: ReadonlyMap<string, string>,
  milliseconds: number | undefined,
): Promise<[string, Jsz] | undefined> {
  try {
    const { metaGroup, streams, ...rest } = parseJsz(await askNode(node, CONSUMERS, milliseconds));
    const name = <Group extends RaftGroup>(group: Group) => nameMembers(group, names);
    const page = {
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
    return [node.name, page];
  } catch {
    return undefined;
  }
}

/** The name that a server shows for one that it has never heard of; its id is always known (nats-server 2.15). */
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
  /** The reporting node. */
  readonly by: string;
}

/** Merges the reports of several nodes about a stream. The leader's report takes precedence. */
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
 * Operations that a stream's replicas lack. Missing messages count as well: a replica that receives a snapshot, because
 * the leader no longer has its part of the log, shows no lag while it still copies messages. Lag is read from leaders
 * only, because other members don't report any.
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

/** Merges the consumers of all reports: each server only lists the consumers that it has a replica of. */
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

/** The reporting server isn't in its own list of replicas, and it needn't be the leader. */
function hostsOf({ leader, replicas }: RaftGroup, by: string): string[] {
  const hosts = [by, leader, ...replicas.map(({ name }) => name)];
  return [...new Set(hosts)].filter((host) => host !== "").sort();
}

/** Operations that the replicas of all groups lack, summed up. */
export function behindIn({ streams, meta }: ObservedCluster): number {
  return streams.reduce((sum, stream) => sum + stream.behind, meta?.behind ?? 0);
}

/**
 * Asks each node for its streams and consumers. @returns what they lack; undefined if nothing.
 *
 * @param isWhole whether these are all nodes; if not, replicas on other nodes are ignored.
 */
export async function askWhyNotCurrent(
  monitors: readonly Monitor[],
  isWhole: boolean,
): Promise<string | undefined> {
  return judgeReplicas(await observeCluster(monitors, LONG_REQUEST_MS), isWhole);
}
