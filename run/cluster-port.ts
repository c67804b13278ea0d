import { pulumiCommand, type SettingsPlace } from "../lib/base/settings-place.ts";
import type { ObservedCluster } from "../lib/observed/observed.ts";
import type { NodeReport } from "../lib/observed/readiness.ts";
import { CrashWatch } from "../live/engine/crash-watch.ts";
import type { Engine } from "../live/engine/engine.ts";
import { askMemoryKills } from "../live/engine/memory-kills.ts";
import { askEngines, type OwnNode } from "../live/engine/own-nodes.ts";
import { LONG_REQUEST_MS } from "../live/monitoring/ask-node.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";
import { askNodes } from "../live/monitoring/monitoring.ts";
import { observeCluster } from "../live/monitoring/observe-cluster.ts";
import type { Trust } from "./variables.ts";

/** A stack's cluster, as gates observe it. */
export interface ClusterPort {
  /** Where its settings are. @default "config" */
  readonly place?: SettingsPlace;
  /** The nodes on the engines. Of an engine that doesn't answer there are none, and `silence` says why. */
  list(): Promise<{ readonly own: readonly OwnNode[]; readonly silence?: string }>;
  /** The nodes' health and their views of the meta group. */
  report(nodes: readonly Monitor[]): Promise<readonly NodeReport[]>;
  /** The streams that nodes have replicas of. */
  observe(nodes: readonly Monitor[]): Promise<ObservedCluster>;
  /** Why nodes don't stay up; undefined while that isn't known. */
  explainCrashes(own: readonly OwnNode[], now: number): Promise<string | undefined>;
  /** Which nodes were killed for memory; undefined if none was. */
  explainKills(): Promise<string | undefined>;
}

/**
 * If an engine was killed, it treats the containers that it finds running afterwards as stopped by the user, and
 * doesn't restart them.
 */
function describeAllDown(place: SettingsPlace): string {
  return `No node runs, and the engine starts none of them: \`${pulumiCommand(place)} up --refresh\` brings them back`;
}

/** @param owner label of the stack's own objects, `label=value`. */
export function openCluster(
  engines: readonly Engine[],
  owner: string,
  trust: Trust,
  place: SettingsPlace,
): ClusterPort {
  const crashes = new CrashWatch(describeAllDown(place));
  return {
    place,
    list: () => askEngines(engines, owner, trust),
    report: askNodes,
    observe: (nodes) => observeCluster(nodes, LONG_REQUEST_MS),
    explainCrashes: (own, now) => crashes.look(own, now),
    explainKills: () => askMemoryKills(engines, owner, place),
  };
}
