import { z } from "zod";
import type { NodeReport } from "../../lib/observed/readiness.ts";
import { type HeldStream, heldStream } from "../../lib/update/departures.ts";
import { type HomedStream, type Jsz, parseJsz, STREAMS_PAGE } from "./jsz.ts";
import { type Monitor, readPage } from "./monitoring-page.ts";

export type { Monitor } from "./monitoring-page.ts";

/** What one node's pages say of its health and of the meta group. */
export type NodeView = Required<Omit<NodeReport, "name" | "isUp">>;

export const REQUEST_MS = 2_000;
/** For pages that tell of all streams, where it matters more to be answered than to be fast: a busy node takes its time. */
export const LONG_REQUEST_MS = 15_000;

const healthz = z.object({ status: z.string(), error: z.string().optional() });

/** Asks a node for the streams that it has a replica of, with all that {@link STREAMS_PAGE} tells of them. */
async function askStreams(
  node: Monitor,
  milliseconds = REQUEST_MS,
): Promise<readonly HomedStream[]> {
  const [page] = await getPages(node, [STREAMS_PAGE], milliseconds);
  return parseJsz(page).streams;
}

/** Asks a node for the streams that it has a replica of. @throws Error where it doesn't answer. */
export async function askHeldStreams(
  node: Monitor,
  milliseconds = REQUEST_MS,
): Promise<HeldStream[]> {
  const streams = await askStreams(node, milliseconds);
  return streams.map(({ account, stream }) => heldStream(account, stream.config));
}

/** Reads pages of a node's monitoring port. @throws Error where one doesn't answer with JSON in time. */
export async function getPages(
  node: Monitor,
  paths: readonly string[],
  milliseconds = REQUEST_MS,
): Promise<unknown[]> {
  return await Promise.all(
    paths.map(
      async (path): Promise<unknown> => JSON.parse(await readPage(node, path, milliseconds)),
    ),
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
