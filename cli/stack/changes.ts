import { ownValue } from "../../lib/base/records.ts";
import { countOf } from "../../lib/base/wording.ts";
import { consumerReplicas } from "../../lib/consumers/consumer-replicas.ts";
import { plannedHosts } from "../../lib/placement/placement.ts";
import type { StackOutputs, StreamOutput } from "../../lib/plan/outputs.ts";
import { type ClusterPlan, nodesOf, type StreamPlan } from "../../lib/plan/plan.ts";
import { streamKey, streamsExcept, terseNamer } from "../../lib/streams/stream-name.ts";

/**
 * Describes what the settings would change: nodes that are added or removed, streams that move, and consumers that come,
 * go or scale. Empty if nothing.
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
    ...plan.streams.flatMap((stream) => {
      const output = outputOf.get(streamKey(stream));
      return [
        ...describeStream(nameOf(stream), stream, output),
        ...describeConsumers(nameOf(stream), stream, output),
      ];
    }),
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

function describeConsumers(
  stream: string,
  { consumers, config }: StreamPlan,
  { consumers: current = {} }: Pick<StreamOutput, "consumers"> = {},
): string[] {
  const planned = new Set(consumers.map(({ name }) => name));
  const changed = consumers.flatMap(({ name, config: own }) => {
    const wanted = consumerReplicas(own, config);
    const before = ownValue(current, name)?.replicas.length;
    if (before === wanted) return [];
    return before === undefined
      ? [`${stream}/${name}: new`]
      : [`${stream}/${name}: from ${countOf(before, "replica")} to ${wanted}`];
  });
  const removed = Object.keys(current)
    .filter((name) => !planned.has(name))
    .map((name) => `${stream}/${name}: removed, with where it stands`);
  return [...changed, ...removed];
}
