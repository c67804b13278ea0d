import type { ObservedCluster, ObservedServer, ObservedStream } from "../lib/observed.ts";
import type { StreamConfig } from "../lib/stream-config.ts";
import { streamKey } from "../lib/stream-name.ts";
import { type HomedStream, isChanging, parseJsz, type RaftGroup, STREAMS_PAGE } from "./jsz.ts";
import { getPages, type Monitor } from "./monitoring.ts";

/** Asks every node for its room, and for all streams and consumers that it has a replica of. Never throws. */
export async function observeCluster(nodes: readonly Monitor[]): Promise<ObservedCluster> {
  const answers = await Promise.all(nodes.map(async (node) => ({ node, page: await ask(node) })));
  const servers: ObservedServer[] = [];
  const silent: string[] = [];
  const sightings: Sighting[] = [];
  for (const { node, page } of answers) {
    if (!page) {
      silent.push(node.name);
      continue;
    }
    servers.push({ name: node.name, file: page.file, memory: page.memory });
    sightings.push(...page.streams.map((stream) => ({ ...stream, by: node.name })));
  }
  const streams = Map.groupBy(sightings, ({ account, stream: { name } }) =>
    streamKey({ account, name }),
  );
  return { servers, silent, streams: [...streams.values()].flatMap(toStream) };
}

async function ask(node: Monitor) {
  try {
    const [page] = await getPages(node, [`${STREAMS_PAGE}&consumers=true`]);
    return parseJsz(page);
  } catch {
    return undefined;
  }
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
  const { name, config, cluster, state, consumer_detail: consumers } = stream;
  const hosts = hostsOf(cluster, told.by);
  return [
    {
      account,
      name,
      config: config as StreamConfig,
      hosts,
      leader: led ? told.by : "",
      ill: led ? cluster.replicas.filter(({ well }) => !well).map((each) => each.name) : hosts,
      isChanging: isChanging(stream),
      messages: state.messages,
      bytes: state.bytes,
      consumers: consumers.map((consumer) => ({
        name: consumer.name,
        leader: consumer.cluster.leader,
        hosts: hostsOf(consumer.cluster, consumer.cluster.leader),
      })),
    },
  ];
}

/** A server isn't among the replicas that it shows itself, nor need it be the leader. */
function hostsOf({ leader, replicas }: RaftGroup, by: string): string[] {
  const hosts = [by, leader, ...replicas.map(({ name }) => name)];
  return [...new Set(hosts)].filter((host) => host !== "").sort();
}
