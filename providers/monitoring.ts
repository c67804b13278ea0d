import { z } from "zod";
import { type HeldStream, heldStream } from "../lib/departures.ts";
import { type GroupView, type NodeReport, whyNotCurrent } from "../lib/readiness.ts";
import { type Monitor, readPage } from "./monitoring-page.ts";

export type { Monitor } from "./monitoring-page.ts";

/** What one node's pages say of its health and of the meta group. */
export type NodeView = Required<Omit<NodeReport, "name">>;

const REQUEST_MS = 2_000;

const peer = z.object({
  current: z.boolean().default(false),
  offline: z.boolean().default(false),
});

/** A raft group: its leader, `""` while there is none, and the other members as this node sees them. */
const raftGroup = z.object({
  leader: z.string().default(""),
  replicas: z
    .array(
      peer
        .extend({ name: z.string(), lag: z.number().default(0) })
        .transform(({ name, lag, ...state }) => ({ name, lag, well: isWell(state) })),
    )
    .default([]),
});
const metaGroup = z.object({
  meta_cluster: z
    .object({
      leader: z.string().default(""),
      cluster_size: z.number(),
      replicas: z
        .array(
          peer
            .extend({ name: z.string(), peer: z.string() })
            .transform(({ name, peer: id, ...state }) => ({ id, name, well: isWell(state) })),
        )
        .default([]),
    })
    .optional(),
});
const healthz = z.object({ status: z.string(), error: z.string().optional() });

const placement = z
  .object({ cluster: z.string().optional(), tags: z.array(z.string()).nullish() })
  .transform(({ cluster, tags }) => ({ ...(cluster ? { cluster } : {}), tags: tags ?? [] }))
  .nullish()
  .transform((value) => value ?? { tags: [] });

const jetStreamDetail = z.object({
  account_details: z
    .array(
      z.object({
        name: z.string(),
        stream_detail: z
          .array(
            z.object({
              name: z.string(),
              cluster: raftGroup.prefault({}),
              config: z.object({
                name: z.string(),
                num_replicas: z.number().default(1),
                placement,
              }),
              consumer_detail: z
                .array(z.object({ name: z.string(), cluster: raftGroup.prefault({}) }))
                .default([]),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

function isWell({ current, offline }: z.output<typeof peer>): boolean {
  return current && !offline;
}

/** The page that {@link groupsOf} reads. */
const GROUPS_PAGE = "jsz?accounts=true&streams=true&consumers=true&config=true";

/** Takes the streams and consumers that a node holds out of its {@link GROUPS_PAGE}. @throws z.ZodError */
function groupsOf(page: unknown): GroupView[] {
  return jetStreamDetail
    .parse(page)
    .account_details.flatMap(({ name: account, stream_detail }) =>
      stream_detail.flatMap(({ name, cluster, config, consumer_detail: consumers }) => [
        { ...toView(account, `stream ${name}`, cluster), replicas: config.num_replicas },
        ...consumers.map((consumer) =>
          toView(account, `consumer ${consumer.name} of stream ${name}`, consumer.cluster),
        ),
      ]),
    );
}

function toView(account: string, name: string, group: z.output<typeof raftGroup>): GroupView {
  return { account, name, leader: group.leader, others: group.replicas };
}

/** Asks a node for the streams and consumers that it holds, and how they fare. @throws Error where it doesn't answer. */
export async function askGroups(node: Monitor): Promise<GroupView[]> {
  const [page] = await getPages(node, [GROUPS_PAGE]);
  return groupsOf(page);
}

/** Asks a node for the streams that it has a replica of. @throws Error where it doesn't answer. */
export async function askHeldStreams(node: Monitor): Promise<HeldStream[]> {
  const [page] = await getPages(node, [GROUPS_PAGE]);
  return jetStreamDetail
    .parse(page)
    .account_details.flatMap(({ name, stream_detail }) =>
      stream_detail.map(({ config }) => heldStream(name, config)),
    );
}

/** Reads pages of a node's monitoring port. @throws Error where one doesn't answer with JSON within 2 s. */
export async function getPages(node: Monitor, paths: readonly string[]): Promise<unknown[]> {
  return await Promise.all(
    paths.map(async (path): Promise<unknown> => JSON.parse(await readPage(node, path, REQUEST_MS))),
  );
}

/** Takes a node's view out of its `/jsz` and `/healthz`. @throws z.ZodError where they aren't nats-server's. */
export function viewOf(jszPage: unknown, healthzPage: unknown): NodeView {
  const { meta_cluster: meta } = metaGroup.parse(jszPage);
  const { status, error } = healthz.parse(healthzPage);
  return {
    metaLeader: meta?.leader ?? "",
    metaSize: meta?.cluster_size ?? 0,
    health: status === "ok" ? "" : (error ?? status),
    peers: meta?.replicas ?? [],
  };
}

/** Asks each node for its health and its view of the meta group; of one that doesn't answer only the name is known. */
export async function askNodes(monitors: readonly Monitor[]): Promise<NodeReport[]> {
  return await Promise.all(
    monitors.map(async (node) => {
      const { name } = node;
      try {
        const [stats, health] = await getPages(node, ["jsz", "healthz"]);
        return { name, ...viewOf(stats, health) };
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
