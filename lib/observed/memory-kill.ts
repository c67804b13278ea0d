import { formatBytes } from "../base/quantities.ts";
import { howToSet, type SettingsPlace } from "../base/settings-place.ts";

/** A node whose server was ended as it took more memory than its container may. */
export interface MemoryKill {
  readonly node: string;
  /** Bytes that the container may use. */
  readonly memory: number;
}

/**
 * Says who was killed for memory, and the way out; undefined where nobody was. It is to be named wherever such a node is
 * said to be down or to come and go: a server that is killed says nothing.
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
