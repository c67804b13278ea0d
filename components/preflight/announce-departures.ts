import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import {
  describeDepartures,
  describeStranded,
  type LeavingNode,
  unplannedStreams,
} from "../../lib/update/departures.ts";
import type { Monitor } from "../../live/monitoring/monitor.ts";
import { askHeldStreams } from "../../live/monitoring/monitoring.ts";
import { loggerOf } from "../logger.ts";
import type { EngineState } from "./inspect-engine.ts";
import { monitorOf } from "./observer.ts";

/**
 * Logs what happens to nodes that are no longer in the settings, and to the streams on them.
 *
 * @throws pulumi.RunError if a stream outside the settings couldn't be placed on the remaining nodes.
 */
export async function announceDepartures(
  plan: ClusterPlan,
  { leaving, ...access }: EngineState,
  log = loggerOf(),
): Promise<void> {
  const nodes = await Promise.all(
    [...leaving].map(([name, node]) => lookAt(monitorOf(name, node, access))),
  );
  const stranded = describeStranded(unplannedStreams(nodes, plan), plan.fleet, plan.image);
  if (stranded.length > 0) {
    throw new pulumi.RunError(
      `The settings leave out ${nodes.map(({ name }) => name).join(", ")}, but not all that is there can move:\n${stranded.map((line) => `  ${line}`).join("\n")}\nPut the region, zone or number of nodes back, or change or delete the streams.`,
    );
  }
  for (const line of describeDepartures(nodes, plan)) log.info(line);
}

async function lookAt(node: Monitor): Promise<LeavingNode> {
  const { name, address } = node;
  if (address === undefined) return { name };
  return await askHeldStreams(node).then(
    (held) => ({ name, held }),
    () => ({ name }),
  );
}
