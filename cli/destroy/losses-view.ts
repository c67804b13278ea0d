import { countOf, formatSize } from "../../lib/base/wording.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import type { StreamReport } from "../inspection/cluster-report.ts";

/** The streams that are lost with a cluster, one line each. */
export function renderLosses(streams: readonly StreamReport[]): string[] {
  const nameOf = streamNamer(streams);
  const width = Math.max(...streams.map((stream) => nameOf(stream).length));
  return streams.map((stream) => {
    const { verdict, messages, bytes } = stream;
    const content =
      verdict === "missing"
        ? "doesn't answer, so nobody knows how many messages"
        : `${countOf(messages, "message")}, ${formatSize(bytes)}`;
    return `  ${nameOf(stream).padEnd(width)}  ${content}`;
  });
}
