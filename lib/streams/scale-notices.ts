import { countOf } from "../base/wording.ts";
import type { StreamConfig } from "./stream-fields.ts";

/**
 * What nobody would expect of a stream that gets more replicas or fewer, as nats-server 2.15.2 does it, in sentences;
 * none where all is as one would think.
 *
 * @param consumers how many the stream has.
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
  // On a work queue they follow the stream.
  if (after === 1 && before > 1 && consumers > 0 && retention === "limits") {
    return [
      `${countOf(consumers, "consumer")} with it: one that has replicas of its own keeps 1, also once the stream has more again; nats consumer edit --replicas sets them`,
    ];
  }
  return [];
}
