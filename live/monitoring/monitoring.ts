import { z } from "zod";
import { HEALTH, JETSTREAM, type Question, STREAMS } from "../../lib/observed/questions.ts";
import type { NodeReport } from "../../lib/observed/readiness.ts";
import { type HeldStream, heldStream } from "../../lib/update/departures.ts";
import { askNode, REQUEST_MS } from "./ask-node.ts";
import type { Pages } from "./caught-up.ts";
import { type HomedStream, type Jsz, parseJsz } from "./jsz.ts";
import type { Monitor } from "./monitor.ts";

/** A node's health and its view of the meta group. */
export type NodeView = Required<Omit<NodeReport, "name" | "isUp">>;

const healthz = z.object({ status: z.string(), error: z.string().optional() });

export type Health = z.output<typeof healthz>;

/** Parses a `/healthz` page. @throws z.ZodError if it isn't one. */
export function parseHealth(page: unknown): Health {
  return healthz.parse(page);
}

/** Asks a node for the streams that it has a replica of, with the details of {@link STREAMS}. */
async function askStreams(
  node: Monitor,
  milliseconds = REQUEST_MS,
): Promise<readonly HomedStream[]> {
  return parseJsz(await askNode(node, STREAMS, milliseconds)).streams;
}

/**
 * Asks nodes for the streams that they have a replica of. A node that doesn't answer is skipped.
 *
 * @param question {@link STREAMS}, or one with further details.
 */
export async function askStreamPages(
  nodes: readonly Monitor[],
  question: Question = STREAMS,
): Promise<Pages> {
  const pages = nodes.map(async (node) => {
    try {
      return [[node.name, parseJsz(await askNode(node, question))] as const];
    } catch {
      return [];
    }
  });
  return new Map((await Promise.all(pages)).flat());
}

/** Asks a node for the streams that it has a replica of. @throws Error if it doesn't answer. */
export async function askHeldStreams(
  node: Monitor,
  milliseconds = REQUEST_MS,
): Promise<HeldStream[]> {
  const streams = await askStreams(node, milliseconds);
  return streams.map(({ account, stream }) => heldStream(account, stream.config));
}

/** Extracts a node's view from its `/jsz` and `/healthz` pages. */
export function viewOf({ metaGroup: meta }: Jsz, { status, error }: Health): NodeView {
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
        const [stats, health] = await Promise.all([
          askNode(node, JETSTREAM),
          askNode(node, HEALTH),
        ]);
        return { name, ...viewOf(parseJsz(stats), parseHealth(health)) };
      } catch {
        return { name };
      }
    }),
  );
}
