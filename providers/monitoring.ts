import { z } from "zod";
import type { NodeReport } from "../lib/readiness.ts";

/** What one node's pages say of its health and of the meta group. */
export type NodeView = Required<Omit<NodeReport, "name">>;

const REQUEST_MS = 2_000;

const metaGroup = z.object({
  meta_cluster: z
    .object({
      leader: z.string().default(""),
      cluster_size: z.number(),
      replicas: z
        .array(
          z.object({
            name: z.string(),
            current: z.boolean().default(false),
            offline: z.boolean().default(false),
          }),
        )
        .default([]),
    })
    .optional(),
});
const healthz = z.object({ status: z.string(), error: z.string().optional() });

/** Reads pages of a node's monitoring port. @throws Error where one doesn't answer with JSON within 2 s. */
export async function getPages(url: string, paths: readonly string[]): Promise<unknown[]> {
  return await Promise.all(
    paths.map(async (path) => {
      const signal = AbortSignal.timeout(REQUEST_MS);
      const response = await fetch(`${url}/${path}`, { signal });
      const page: unknown = await response.json();
      return page;
    }),
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
    lagging: (meta?.replicas ?? [])
      .filter((peer) => !peer.current || peer.offline)
      .map((peer) => peer.name),
  };
}
