import { z } from "zod";
import type { NodeReport } from "../../lib/observed/readiness.ts";
import { type HeldStream, heldStream } from "../../lib/update/departures.ts";
import { type HomedStream, type Jsz, parseJsz, STREAMS_PAGE } from "./jsz.ts";
import { type Monitor, readPage } from "./monitoring-page.ts";

export type { Monitor } from "./monitoring-page.ts";

/** A node's health and its view of the meta group. */
export type NodeView = Required<Omit<NodeReport, "name" | "isUp">>;

export const REQUEST_MS = 2_000;
/** For pages with all streams, which a busy node takes long to produce and whose content matters more than speed. */
export const LONG_REQUEST_MS = 15_000;

const healthz = z.object({ status: z.string(), error: z.string().optional() });

/** Asks a node for the streams that it has a replica of, with the details of {@link STREAMS_PAGE}. */
async function askStreams(
  node: Monitor,
  milliseconds = REQUEST_MS,
): Promise<readonly HomedStream[]> {
  const [page] = await getPages(node, [STREAMS_PAGE], milliseconds);
  return parseJsz(page).streams;
}

/** Asks a node for the streams that it has a replica of. @throws Error if it doesn't answer. */
export async function askHeldStreams(
  node: Monitor,
  milliseconds = REQUEST_MS,
): Promise<HeldStream[]> {
  const streams = await askStreams(node, milliseconds);
  return streams.map(({ account, stream }) => heldStream(account, stream.config));
}

/** Reads pages of a node's monitoring port. @throws Error if one of them isn't answered with JSON in time. */
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

/**
 * Extracts a node's view from its `/jsz` and `/healthz` pages. @throws z.ZodError if the latter isn't nats-server's.
 */
export function viewOf({ metaGroup: meta }: Jsz, healthzPage: unknown): NodeView {
  const { status, error } = healthz.parse(healthzPage);
  return {
    metaLeader: meta?.leader ?? "",
    metaSize: meta?.cluster_size ?? 0,
    health: status === "ok" ? "" : (error ?? status),
    peers: (meta?.replicas ?? []).map(({ peer: id, name, well }) => ({ id, name, well })),
  };
}

/**
 * Asks each node for its health and its view of the meta group. A node that doesn't answer is reported by name only.
 */
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
