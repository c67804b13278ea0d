/** Refuses to remove a cluster with messages, after its program stopped declaring it. */
import { countOf } from "../base/wording.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import { describeContents } from "../streams/stream-loss.ts";
import { type StreamName, streamKey, streamNamer } from "../streams/stream-name.ts";

/** What of a cluster may be deleted. */
export interface RemovalTerms {
  /** Name of the cluster in its program. */
  readonly cluster: string;
  /** Streams whose messages may be lost. */
  readonly expendable: readonly StreamName[];
  /** Whether data volumes stay on the engine, with all messages. */
  readonly keepsVolumes: boolean;
}

const NAMES_SHOWN = 5;

/**
 * Says why a cluster must not be removed: it has streams with messages that may not be lost, or nodes that don't
 * answer.
 *
 * @param nodes number of its existing nodes.
 * @returns undefined if it may be removed.
 */
export function whyNotRemoved(
  { streams, silent }: Pick<ObservedCluster, "streams" | "silent">,
  nodes: number,
  { cluster, expendable, keepsVolumes }: RemovalTerms,
): string | undefined {
  if (keepsVolumes || nodes === 0) return undefined;
  const mayGo = new Set(expendable.map(streamKey));
  const holding = streams.filter((each) => each.messages > 0 && !mayGo.has(streamKey(each)));
  const name = streamNamer(streams);
  const shown = holding
    .slice(0, NAMES_SHOWN)
    .map((stream) => `${name(stream)} with ${describeContents(stream)}`);
  const more = holding.length - shown.length;
  const held = more > 0 ? [...shown, `${more} more`] : shown;
  const unseen =
    silent.length > 0 ? [`what ${countOf(silent.length, "node")} can't be asked for`] : [];
  const lost = [...held, ...unseen];
  if (lost.length === 0) return undefined;
  return `cluster ${cluster} is in the program no more, but has ${lost.join(", ")}, which would be gone for good; nothing of it was removed. Put it back. To let it go: give its streams allowDataLoss: true (or the cluster keepVolumes: true), run "pulumi up", then take it out`;
}
