import { countOf } from "../base/wording.ts";
import type { StreamConfig } from "./stream-fields.ts";

/**
 * Sentences on the unexpected side effects of a change of replicas, as nats-server 2.15.2 makes it; empty if there are
 * none.
 *
 * @param consumers number of the stream's consumers.
 */
export function describeScale(
  { num_replicas: before = 1 }: Pick<StreamConfig, "num_replicas">,
  {
    num_replicas: after = 1,
    retention = "limits",
  }: Pick<StreamConfig, "num_replicas" | "retention">,
  consumers: number,
): string[] {
  if (before === 1 && after > 1) {
    return [
      "it takes no messages for some seconds (12 on nats-server 2.15.2) while it gets its first further replicas: publishers have to send again",
    ];
  }
  // Consumers of other retention policies get as many replicas as their stream.
  if (after === 1 && before > 1 && consumers > 0 && retention === "limits") {
    return [
      `${countOf(consumers, "consumer")} with it: one that has replicas of its own keeps 1, also once the stream has more again; nats consumer edit --replicas sets them`,
    ];
  }
  return [];
}
