import { formatDuration } from "../base/quantities.ts";
import type { StreamConfig } from "./stream-fields.ts";

/** Writes a `syncInterval` as people do: settings hold it in milliseconds, for nats-server. */
export function formatSyncInterval(interval: string): string {
  const milliseconds = interval.match(/^([\d.]+)ms$/)?.[1];
  return milliseconds === undefined
    ? interval
    : formatDuration(Math.round(Number(milliseconds) * 1e6));
}

/**
 * What a cluster may lose that syncs seldom, in a sentence; none where it syncs always. Without a sync of what the
 * meta group knows, streams are lost whole (nats-server 2.15; Jepsen on 2.12.1, its issues 7564 and 7567).
 *
 * @param syncInterval `always`, or a duration, e.g. `1000ms`.
 */
export function syncNotices(syncInterval: string): string[] {
  if (syncInterval === "always") return [];
  const interval = formatSyncInterval(syncInterval);
  return [
    `syncInterval ${interval}: where all replicas of a stream lose power at once, up to ${interval} of acknowledged messages are lost, and what was made or changed meanwhile; "always" loses nothing`,
  ];
}

/** What a stream may lose whatever the cluster's `syncInterval` is, a sentence each. */
export function durabilityWarnings({
  persist_mode: persistMode,
  storage,
  num_replicas: replicas = 1,
}: StreamConfig): string[] {
  const end = replicas === 1 ? "its node stops" : "all its nodes are down";
  return [
    // The server switches sync always off for it (server/stream.go).
    ...(persistMode === "async"
      ? [
          "persistMode async acknowledges messages before they are written: a crash of its server loses the last of them, whatever syncInterval is",
        ]
      : []),
    ...(storage === "memory" ? [`storage memory: all messages are gone once ${end}`] : []),
  ];
}
