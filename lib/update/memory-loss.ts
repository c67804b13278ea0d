/** Messages of memory streams that restarts would delete. */
import type { ClusterPlan } from "../plan/plan.ts";
import { describeContents } from "../streams/stream-loss.ts";
import { distinctStreams, type StreamName, streamKey } from "../streams/stream-name.ts";

/** A memory stream, as a node with a replica reports it. */
export interface MemoryStream extends StreamName {
  /** Nodes that have a replica. */
  readonly hosts: readonly string[];
  readonly messages: number;
  readonly bytes: number;
}

/** One sentence for each stream. */
export interface MemoryLosses {
  readonly refused: readonly string[];
  /** Streams whose settings have `allowDataLoss`. */
  readonly allowed: readonly string[];
}

/**
 * Says which streams would be empty after an update: those whose replicas are all restarted at once. nats-server
 * fills a memory replica from the others (2.15). Without any replica left, it creates the stream again, empty, and
 * reports nothing.
 *
 * @param held streams of the nodes that are restarted; may contain duplicates.
 * @param restarted names of the nodes that are restarted.
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
    const aside = planned.has(streamKey(stream)) ? "" : ", which is not in the settings,";
    return `stream ${name} of account ${account}${aside} has ${describeContents(stream)} in the memory of ${hosts.join(", ")}`;
  };
  return {
    refused: emptied.filter((stream) => !isAllowed(stream)).map(describe),
    allowed: emptied.filter(isAllowed).map(describe),
  };
}
