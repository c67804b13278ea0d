/** What restarts take from streams that are in memory only. */
import type { ClusterPlan } from "../plan/plan.ts";
import { describeContents } from "../streams/stream-loss.ts";
import { distinctStreams, type StreamName, streamKey } from "../streams/stream-name.ts";

/** A stream in memory, as a node that has a replica of it shows it. */
export interface MemoryStream extends StreamName {
  /** Nodes that have a replica. */
  readonly hosts: readonly string[];
  readonly messages: number;
  readonly bytes: number;
}

/** A sentence for each stream. */
export interface MemoryLosses {
  readonly refused: readonly string[];
  /** Of those whose settings say `allowDataLoss`. */
  readonly allowed: readonly string[];
}

/**
 * Says which streams would be empty after an update: those whose replicas are all restarted at once. Otherwise
 * nats-server fills a replica in memory from the others (2.15); nothing tells it that a stream which it makes anew
 * without them has held anything.
 *
 * @param held by the nodes that are restarted; a stream may be there several times.
 * @param restarted names of the nodes that are.
 */
export function describeMemoryLosses(
  held: readonly MemoryStream[],
  restarted: ReadonlySet<string>,
  { waves, streams }: Pick<ClusterPlan, "waves" | "streams">,
): MemoryLosses {
  const together = waves.map(
    (wave) => new Set(wave.map(({ name }) => name).filter((name) => restarted.has(name))),
  );
  const emptied = distinctStreams(held).filter(
    ({ hosts, messages }) =>
      messages > 0 && together.some((nodes) => hosts.every((host) => nodes.has(host))),
  );
  const planned = new Map(streams.map((stream) => [streamKey(stream), stream]));
  const isAllowed = (stream: MemoryStream) =>
    planned.get(streamKey(stream))?.policy.allowDataLoss === true;
  const describe = (stream: MemoryStream) => {
    const { account, name, hosts } = stream;
    const stray = planned.has(streamKey(stream)) ? "" : ", which is not in the settings,";
    return `stream ${name} of account ${account}${stray} has ${describeContents(stream)} in the memory of ${hosts.join(", ")}`;
  };
  return {
    refused: emptied.filter((stream) => !isAllowed(stream)).map(describe),
    allowed: emptied.filter(isAllowed).map(describe),
  };
}
