import { formatDuration } from "../base/quantities.ts";
import type { StreamConfig } from "./stream-fields.ts";

/** Writes a parsed `syncInterval` for users: `1000ms` → `1s`, `always` as it is. */
export function formatSyncInterval(interval: string): string {
  const milliseconds = interval.match(/^([\d.]+)ms$/)?.[1];
  return milliseconds === undefined
    ? interval
    : formatDuration(Math.round(Number(milliseconds) * 1e6));
}

/**
 * A sentence on what a cluster may lose if it doesn't sync every write to disk; empty for `always`. The interval holds
 * for the log of the meta group too: without its last entries whole streams are lost (nats-server 2.15; Jepsen on
 * 2.12.1, nats-server's issues 7564 and 7567).
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

/** Sentences on what a stream may lose by its own config, whatever the cluster's `syncInterval` is. */
export function durabilityWarnings({
  persist_mode: persistMode,
  storage,
  num_replicas: replicas = 1,
}: StreamConfig): string[] {
  const end = replicas === 1 ? "its node stops" : "all its nodes are down";
  return [
    // For such a stream the server ignores sync_interval: always (server/stream.go).
    ...(persistMode === "async"
      ? [
          "persistMode async acknowledges messages before they are written: a crash of its server loses the last of them, whatever syncInterval is",
        ]
      : []),
    ...(storage === "memory" ? [`storage memory: all messages are gone once ${end}`] : []),
  ];
}
