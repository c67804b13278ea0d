import { formatCount, formatSize } from "../../lib/base/wording.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import { type FittedColumn, renderFitted } from "../layout/fitted-table.ts";
import type { Canvas } from "../layout/text.ts";
import type { StreamReport, StreamStatus } from "./cluster-report.ts";
import { renderReplica } from "./replicas-report.ts";

const COLUMNS: readonly FittedColumn[] = [
  { heading: "stream" },
  { heading: "tags", breaks: 2 },
  { heading: "leader" },
  { heading: "other replicas", breaks: 1 },
  { heading: "messages", right: true },
  { heading: "size", right: true },
  { heading: "state" },
];

/** The streams as a table. */
export function renderStreams(streams: readonly StreamReport[], canvas: Canvas): string {
  if (streams.length === 0) return canvas.colors.dim("There are no streams.");
  const nameOf = streamNamer(streams);
  const rows = streams.map((stream) => toCells(stream, nameOf(stream), canvas));
  return renderFitted(COLUMNS, rows, canvas);
}

function toCells(stream: StreamReport, name: string, { colors }: Canvas): string[] {
  const { tags, leader, replicas, messages, bytes, verdict } = stream;
  const others = replicas.filter(({ node }) => node !== leader);
  return [
    colors.bold(name),
    tags.join(" ") || "any",
    leader || "none",
    others.map(renderReplica).join(" ") || "none",
    formatCount(messages),
    formatSize(bytes),
    renderVerdict(verdict, lagOf(stream), colors),
  ];
}

/** Number of messages that it hasn't copied yet. */
function lagOf({ origins = [] }: StreamReport): number {
  return origins.reduce((sum, { lag }) => sum + lag, 0);
}

function renderVerdict(verdict: StreamStatus, lag: number, colors: Canvas["colors"]): string {
  switch (verdict) {
    case "in place":
      return colors.green(lag > 0 ? `✓ in place, copies ${formatCount(lag)}` : "✓ in place");
    case "moving":
    case "behind":
      return colors.yellow(`! ${verdict}`);
    case "foreign":
      return colors.dim("not this stack's");
    case "misplaced":
    case "starved":
    case "leaderless":
    case "missing":
      return colors.red(`✗ ${verdict}`);
  }
}
