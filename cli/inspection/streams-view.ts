import { formatCount, formatSize } from "../../lib/base/wording.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import { COLUMN_GAP, renderTable } from "../layout/table.ts";
import { type Canvas, widthOf } from "../layout/text.ts";
import type { ReplicaReport, StreamReport, StreamStatus } from "./cluster-report.ts";

const HEADINGS = ["stream", "tags", "leader", "other replicas", "messages", "size", "state"];
/** The columns that may be wrapped if the terminal is narrow. */
const BREAKABLE = ["other replicas", "tags"];
const NARROWEST = 12;

/** The streams as a table. */
export function renderStreams(streams: readonly StreamReport[], canvas: Canvas): string {
  if (streams.length === 0) return canvas.colors.dim("There are no streams.");
  const nameOf = streamNamer(streams);
  const rows = streams.map((stream) => toCells(stream, nameOf(stream), canvas));
  const widths = fitColumns([HEADINGS, ...rows], canvas.width);
  if (!widths) return rows.map((cells) => renderEntry(cells, canvas)).join("\n");
  const columns = HEADINGS.map((heading, index) => ({
    heading,
    width: widths[index] ?? 0,
    right: heading === "messages" || heading === "size",
  }));
  return renderTable(columns, rows, canvas);
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

function renderReplica({ node, current, lag }: ReplicaReport): string {
  if (current) return node;
  return `${node} (${lag > 0 ? `${formatCount(lag)} behind` : "behind"})`;
}

/** A stream as lines, for terminals that are too narrow for a table. */
function renderEntry([name = "", ...cells]: readonly string[], { colors }: Canvas): string {
  const facts = cells.map((cell, index) => `  ${colors.dim(`${HEADINGS[index + 1]}:`)} ${cell}`);
  return [name, ...facts].join("\n");
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

/**
 * Makes every column as wide as its widest cell, and shrinks the breakable columns to the terminal's width. Undefined
 * if that isn't enough.
 */
function fitColumns(rows: readonly (readonly string[])[], width: number): number[] | undefined {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  let excess = widths.reduce((sum, column) => sum + column + COLUMN_GAP, -COLUMN_GAP) - width;
  for (const heading of BREAKABLE) {
    const column = HEADINGS.indexOf(heading);
    const wished = widths[column] ?? 0;
    const kept = Math.max(Math.min(wished, NARROWEST), wished - Math.max(0, excess));
    widths[column] = kept;
    excess -= wished - kept;
  }
  return excess > 0 ? undefined : widths;
}
