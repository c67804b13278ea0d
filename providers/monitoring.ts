import { z } from "zod";
import { type HeldStream, heldStream } from "../lib/departures.ts";
import type { MemoryStream } from "../lib/memory-loss.ts";
import { type GroupView, type NodeReport, whyNotCurrent } from "../lib/readiness.ts";
import { type HomedStream, type Jsz, parseJsz, type RaftGroup, STREAMS_PAGE } from "./jsz.ts";
import { type Monitor, readPage } from "./monitoring-page.ts";

export type { Monitor } from "./monitoring-page.ts";

/** What one node's pages say of its health and of the meta group. */
export type NodeView = Required<Omit<NodeReport, "name">>;

const REQUEST_MS = 2_000;

const healthz = z.object({ status: z.string(), error: z.string().optional() });

/** Asks a node for the streams that it has a replica of, with all that {@link STREAMS_PAGE} tells of them. */
async function askStreams(node: Monitor, parameters = ""): Promise<readonly HomedStream[]> {
  const [page] = await getPages(node, [STREAMS_PAGE + parameters]);
  return parseJsz(page).streams;
}

function toView(account: string, name: string, group: RaftGroup): GroupView {
  return { account, name, leader: group.leader, others: group.replicas };
}

/** Asks a node for the streams and consumers that it holds, and how they fare. @throws Error where it doesn't answer. */
export async function askGroups(node: Monitor): Promise<GroupView[]> {
  const streams = await askStreams(node, "&consumers=true");
  return streams.flatMap(({ account, stream }) => {
    const { name, cluster, config, consumer_detail: consumers } = stream;
    return [
      { ...toView(account, `stream ${name}`, cluster), replicas: config.num_replicas },
      ...consumers.map((consumer) =>
        toView(account, `consumer ${consumer.name} of stream ${name}`, consumer.cluster),
      ),
    ];
  });
}

/** Asks a node for the streams that it has a replica of. @throws Error where it doesn't answer. */
export async function askHeldStreams(node: Monitor): Promise<HeldStream[]> {
  const streams = await askStreams(node);
  return streams.map(({ account, stream }) => heldStream(account, stream.config));
}

/** Asks a node for the streams that it has a replica of in memory. @throws Error where it doesn't answer. */
export async function askMemoryStreams(node: Monitor): Promise<MemoryStream[]> {
  const streams = await askStreams(node);
  return streams
    .filter(({ stream }) => stream.config.storage === "memory")
    .map(({ account, stream: { name, cluster, state } }) => {
      // Neither is a node among the replicas that it shows, nor need it be the leader.
      const others = [cluster.leader, ...cluster.replicas.map(({ name }) => name)];
      const hosts = [...new Set([node.name, ...others])].filter((host) => host !== "").sort();
      return { account, name, hosts, messages: state.messages, bytes: state.bytes };
    });
}

/** Reads pages of a node's monitoring port. @throws Error where one doesn't answer with JSON within 2 s. */
export async function getPages(node: Monitor, paths: readonly string[]): Promise<unknown[]> {
  return await Promise.all(
    paths.map(async (path): Promise<unknown> => JSON.parse(await readPage(node, path, REQUEST_MS))),
  );
}

/** Takes a node's view out of its `/jsz` and `/healthz`. @throws z.ZodError where the latter isn't nats-server's. */
export function viewOf({ metaGroup: meta }: Jsz, healthzPage: unknown): NodeView {
  const { status, error } = healthz.parse(healthzPage);
  return {
    metaLeader: meta?.leader ?? "",
    metaSize: meta?.cluster_size ?? 0,
    health: status === "ok" ? "" : (error ?? status),
    peers: (meta?.replicas ?? []).map(({ peer: id, name, well }) => ({ id, name, well })),
  };
}

/** Asks each node for its health and its view of the meta group; of one that doesn't answer only the name is known. */
export async function askNodes(monitors: readonly Monitor[]): Promise<NodeReport[]> {
  return await Promise.all(
    monitors.map(async (node) => {
      const { name } = node;
      try {
        const [stats, health] = await getPages(node, ["jsz", "healthz"]);
        return { name, ...viewOf(parseJsz(stats), health) };
      } catch {
        return { name };
      }
    }),
  );
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
  try {
    const nodes = await Promise.all(
      monitors.map(async (node) => ({ name: node.name, groups: await askGroups(node) })),
    );
    return whyNotCurrent(nodes, isWhole);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
