/** What becomes of streams when a program declares their cluster no more, and an `up` takes it away. */
import { countOf } from "../base/wording.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import { describeContents } from "../streams/stream-loss.ts";
import { type StreamName, streamKey, streamNamer } from "../streams/stream-name.ts";

/** What of a cluster may go for good. */
export interface RemovalTerms {
  /** Name of the cluster in its program. */
  readonly cluster: string;
  /** Streams whose messages may be lost. */
  readonly expendable: readonly StreamName[];
  /** Whether the volumes of nodes stay on the engine, with all that is in them. */
  readonly keepsVolumes: boolean;
}

const NAMES_SHOWN = 5;

/**
 * Says why a cluster can't be taken away.
 *
 * @param nodes how many of its nodes there are.
 * @returns undefined where nothing is lost that somebody may miss.
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
  const told = holding
    .slice(0, NAMES_SHOWN)
    .map((stream) => `${name(stream)} with ${describeContents(stream)}`);
  const more = holding.length - told.length;
  const held = more > 0 ? [...told, `${more} more`] : told;
  const unseen =
    silent.length > 0 ? [`what ${countOf(silent.length, "node")} can't be asked for`] : [];
  const lost = [...held, ...unseen];
  if (lost.length === 0) return undefined;
  return `cluster ${cluster} is in the program no more, but has ${lost.join(", ")}, which would be gone for good; nothing of it was removed. Put it back. To let it go: give its streams allowDataLoss: true (or the cluster keepVolumes: true), run "pulumi up", then take it out`;
}
