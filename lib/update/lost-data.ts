import { listSome } from "../base/wording.ts";
import { placementRequest, planSeating } from "../placement/placement.ts";
import { survives } from "../placement/survivability.ts";
import type { ClusterPlan, StreamPlan } from "../plan/plan.ts";
import { terseNamer } from "../streams/stream-name.ts";

type Plan = Pick<ClusterPlan, "streams" | "fleet">;

/**
 * Says what happens to streams if nodes start with an empty data volume.
 *
 * @param nodes names of the nodes, at least one.
 */
export function describeLostData(plan: Plan, nodes: readonly string[]): string {
  return `${nodes.join(", ")} ${nodes.length === 1 ? "has lost its data volume" : "have lost their data volumes"} and will start empty: ${describeStreamLosses(plan, nodes)}.`;
}

/**
 * Says the same of nodes without a data volume, while volumes of other nodes were kept. It is unknown whether they
 * ever had one, as the state is gone with the stack.
 *
 * @param nodes names of the nodes. Empty: the result is empty.
 */
export function describeNotKept(plan: Plan, nodes: readonly string[]): string[] {
  if (nodes.length === 0) return [];
  const [have, begin, they] =
    nodes.length === 1 ? ["has", "begins", "it"] : ["have", "begin", "they"];
  return [
    `${listSome(nodes)} ${have} no data volume that was kept, and ${begin} empty. Where ${they} had one when the cluster was taken down: ${describeStreamLosses(plan, nodes)}.`,
  ];
}

/**
 * Says which streams lose messages. One remaining replica suffices to fill the others (observed with nats-server
 * 2.15.2, two of three lost), but it may lack the last messages that the others acknowledged. Without any, the server
 * creates the stream again, empty, and reports nothing.
 */
function describeStreamLosses({ streams, fleet }: Plan, nodes: readonly string[]): string {
  const seated = streams.map((stream) => {
    const seating = planSeating(placementRequest(stream.config), fleet);
    const hosts = seating.seats.flat();
    return { stream, seating, isGone: hosts.every((host) => nodes.includes(host)) };
  });
  const nameOf = terseNamer(streams);
  const gone = seated.filter(({ isGone }) => isGone);
  const doubtful = seated.filter(({ isGone, seating }) => !isGone && !survives(seating, nodes));
  const outcomes: [readonly { readonly stream: StreamPlan }[], string][] = [
    [gone, "are gone"],
    [
      doubtful.filter(({ stream }) => stream.placement.kind === "exact"),
      "may be gone, the last ones at least, as most of their replicas are",
    ],
    [
      doubtful.filter(({ stream }) => stream.placement.kind === "choice"),
      "are gone if the servers had placed them there",
    ],
  ];
  return [
    "replicas are copied back from other nodes",
    ...outcomes.flatMap(([some, outcome]) =>
      some.length > 0
        ? [`the messages of ${listSome(some.map(({ stream }) => nameOf(stream)))} ${outcome}`]
        : [],
    ),
  ].join("; ");
}
