import { pulumiCommand, type SettingsPlace } from "../lib/base/settings-place.ts";
import type { ObservedCluster } from "../lib/observed/observed.ts";
import type { NodeReport } from "../lib/observed/readiness.ts";
import type { Engine } from "../live/engine/engine.ts";
import { FallWatch } from "../live/engine/falls.ts";
import { askMemoryKills } from "../live/engine/memory-kills.ts";
import { askEngine, type OwnNode } from "../live/engine/own-nodes.ts";
import { askNodes, LONG_REQUEST_MS, type Monitor } from "../live/monitoring/monitoring.ts";
import { observeCluster } from "../live/monitoring/observe-cluster.ts";
import type { Trust } from "./given.ts";

/** A stack's cluster, as gates look at it. */
export interface ClusterPort {
  /** Where its settings stand. @default "config" */
  readonly place?: SettingsPlace;
  /** The nodes as the engine has them; none where it doesn't answer, and `silence` says why. */
  list(): Promise<{ readonly own: readonly OwnNode[]; readonly silence?: string }>;
  /** What nodes say of their health and of the meta group. */
  report(nodes: readonly Monitor[]): Promise<readonly NodeReport[]>;
  /** What nodes say of streams. */
  observe(nodes: readonly Monitor[]): Promise<ObservedCluster>;
  /** Says why nodes don't stay up; undefined as long as that isn't known. */
  explainFalls(own: readonly OwnNode[], now: number): Promise<string | undefined>;
  /** Says which nodes were killed for memory; undefined where none was. */
  explainKills(): Promise<string | undefined>;
}

/** An engine that was killed takes what it finds running when it is back for stopped by somebody, and leaves it so. */
function describeAllDown(place: SettingsPlace): string {
  return `No node runs, and the engine starts none of them: \`${pulumiCommand(place)} up --refresh\` brings them back`;
}

/** @param owner label of the stack's own containers, `label=value`. */
export function openCluster(
  engine: Engine,
  owner: string,
  trust: Trust,
  place: SettingsPlace,
): ClusterPort {
  const falls = new FallWatch(engine, describeAllDown(place));
  return {
    place,
    list: () => askEngine(engine, owner, trust),
    report: askNodes,
    observe: (nodes) => observeCluster(nodes, LONG_REQUEST_MS),
    explainFalls: (own, now) => falls.look(own, now),
    explainKills: () => askMemoryKills(engine, owner, place),
  };
}
