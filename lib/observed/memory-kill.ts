import { formatBytes } from "../base/quantities.ts";
import { howToSet, type SettingsPlace } from "../base/settings-place.ts";

/** A node whose server was killed because it used more memory than its container's limit. */
export interface MemoryKill {
  readonly node: string;
  /** The container's memory limit, in bytes. */
  readonly memory: number;
}

/**
 * Says which nodes were killed for memory, and how to fix that; undefined if none was. Show it wherever such a node is
 * reported as down or flapping, as a killed server logs nothing.
 */
export function describeMemoryKills(
  kills: readonly MemoryKill[],
  place: SettingsPlace = "config",
): string | undefined {
  if (kills.length === 0) return undefined;
  const limits = [...new Set(kills.map(({ memory }) => formatBytes(memory)))].join(", ");
  const names = [...new Set(kills.map(({ node }) => node))].sort().join(", ");
  const were = kills.length === 1 ? "was" : "were";
  const most = Math.max(...kills.map(({ memory }) => memory));
  return `${names} ${were} killed for memory (memory: ${limits}), and what was in memory is gone: give nodes more, e.g. ${howToSet(place, "memory", formatBytes(2 * most))}, or have them hold less`;
}
