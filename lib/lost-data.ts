import { placementRequest, planSeating } from "./placement.ts";
import type { ClusterPlan, StreamPlan } from "./plan.ts";
import { survives } from "./survivability.ts";
import { listSome } from "./wording.ts";

/**
 * Says what becomes of streams when nodes start with an empty data volume. A majority of replicas that know nothing
 * is what the others go by, and nats-server makes a stream of one replica anew without a word (2.15).
 *
 * @param nodes names of the nodes, at least one.
 */
export function describeLostData(
  { streams, fleet }: Pick<ClusterPlan, "streams" | "fleet">,
  nodes: readonly string[],
): string {
  const lost = streams.filter(
    ({ config }) => !survives(planSeating(placementRequest(config), fleet), nodes),
  );
  const surely = lost.filter(({ placement }) => placement.kind === "exact");
  const maybe = lost.filter(({ placement }) => placement.kind === "choice");
  return [
    `${nodes.join(", ")} ${nodes.length === 1 ? "has lost its data volume" : "have lost their data volumes"} and will start empty: replicas are copied back from other nodes`,
    ...(surely.length > 0 ? [`the messages of ${namesOf(surely)} are gone`] : []),
    ...(maybe.length > 0
      ? [`the messages of ${namesOf(maybe)} are gone if the servers had placed them there`]
      : []),
  ]
    .join("; ")
    .concat(".");
}

function namesOf(streams: readonly StreamPlan[]): string {
  return listSome(streams.map(({ name }) => name));
}
