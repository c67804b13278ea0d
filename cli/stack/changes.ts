import { plannedHosts } from "../../lib/placement/placement.ts";
import type { StackOutputs, StreamOutput } from "../../lib/plan/outputs.ts";
import { type ClusterPlan, nodesOf, type StreamPlan } from "../../lib/plan/plan.ts";
import { streamKey, streamsExcept, terseNamer } from "../../lib/streams/stream-name.ts";

/**
 * Describes what the settings would change: nodes that are added or removed, and streams that move. Empty if nothing.
 *
 * @param outputs outputs of the last `up`; absent if there is no cluster yet.
 */
export function describeStreamChanges(plan: ClusterPlan, outputs?: StackOutputs): string[] {
  const { clientUrls = {}, streams = {} } = outputs ?? {};
  const planned = nodesOf(plan).map(({ name }) => name);
  const added = planned.filter((name) => !Object.hasOwn(clientUrls, name));
  const removed = Object.keys(clientUrls).filter((name) => !planned.includes(name));
  const first = plan.accounts[0]?.name ?? "";
  const current = Object.entries(streams).map(([key, output]) => ({
    name: output.stream ?? key,
    account: output.account ?? first,
    output,
  }));
  const outputOf = new Map(current.map((stream) => [streamKey(stream), stream.output]));
  const nameOf = terseNamer([...plan.streams, ...current]);
  return [
    ...(added.length > 0 ? [`nodes: ${added.length} new (${added.join(", ")})`] : []),
    ...(removed.length > 0 ? [`nodes: ${removed.length} removed (${removed.join(", ")})`] : []),
    ...plan.streams.flatMap((stream) =>
      describeStream(nameOf(stream), stream, outputOf.get(streamKey(stream))),
    ),
    ...streamsExcept(current, plan.streams).map(
      (stream) => `${nameOf(stream)}: removed, with its messages`,
    ),
  ];
}

function describeStream(
  name: string,
  stream: StreamPlan,
  current: StreamOutput | undefined,
): string[] {
  const { placement, config } = stream;
  const hosts = plannedHosts(stream.placement);
  const wanted = config.num_replicas ?? 1;
  const target = placement.kind === "exact" ? hosts.join(", ") : `${wanted} of ${hosts.join(", ")}`;
  if (current === undefined) return [`${name}: new, on ${target}`];
  const { replicas } = current;
  if (replicas.length === wanted && replicas.every((host) => hosts.includes(host))) return [];
  const kept = replicas.filter((host) => hosts.includes(host));
  const stay = kept.length > 0 ? ` (already there: ${kept.join(", ")})` : "";
  return [`${name}: from ${replicas.join(", ") || "nowhere"} to ${target}${stay}`];
}
