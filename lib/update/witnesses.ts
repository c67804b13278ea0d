/** Nodes that become witnesses while they have replicas. */
import { listSome } from "../base/wording.ts";
import type { ObservedStream } from "../observed/observed.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { streamsExcept } from "../streams/stream-name.ts";

/**
 * Says which streams outside the settings stay on witnesses, one sentence each: nats-server moves nothing off a server that
 * gets the tag of witnesses (2.15), and `up` moves the streams of the settings only.
 *
 * @param witnesses names of nodes.
 */
export function describeStays(
  witnesses: readonly string[],
  observed: readonly Pick<ObservedStream, "account" | "name" | "hosts">[],
  { streams }: Pick<ClusterPlan, "streams">,
): string[] {
  return streamsExcept(observed, streams).flatMap(({ account, name, hosts }) => {
    const there = hosts.filter((host) => witnesses.includes(host));
    if (there.length === 0) return [];
    const which = `stream ${name} of account ${account}, which is not in the settings,`;
    return [
      `${which} stays on ${listSome(there)}, though witnesses take no streams: move it yourself, or name it there`,
    ];
  });
}
