import { formatCount } from "../../lib/base/wording.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import { type FittedColumn, renderFitted } from "../layout/fitted-table.ts";
import type { Canvas } from "../layout/text.ts";
import type { StreamReport } from "./cluster-report.ts";
import type { ConsumerReport, ConsumerStatus } from "./consumers-report.ts";
import { renderReplica } from "./replicas-report.ts";

const COLUMNS: readonly FittedColumn[] = [
  { heading: "consumer" },
  { heading: "leader" },
  { heading: "other replicas", breaks: 1 },
  { heading: "pending", right: true },
  { heading: "unacknowledged", right: true },
  { heading: "state" },
];

/** The consumers of all streams as a table; undefined if there are none. Those that aren't this stack's are counted. */
export function renderConsumers(
  streams: readonly StreamReport[],
  canvas: Canvas,
): string | undefined {
  const nameOf = streamNamer(streams);
  const rows = streams.flatMap((stream) =>
    (stream.consumers ?? []).map((consumer) => toCells(nameOf(stream), consumer, canvas)),
  );
  const others = streams
    .filter(({ otherConsumers }) => otherConsumers !== undefined)
    .map((stream) => `${nameOf(stream)} ${formatCount(stream.otherConsumers ?? 0)}`);
  const parts = [
    ...(rows.length > 0 ? [renderFitted(COLUMNS, rows, canvas)] : []),
    ...(others.length > 0
      ? [canvas.colors.dim(`Consumers that aren't this stack's: ${others.join(", ")}`)]
      : []),
  ];
  return parts.length > 0 ? parts.join("\n") : undefined;
}

function toCells(stream: string, consumer: ConsumerReport, { colors }: Canvas): string[] {
  const { name, leader, replicas, pending, ackPending, verdict } = consumer;
  const others = replicas.filter(({ node }) => node !== leader);
  return [
    `${stream}/${colors.bold(name)}`,
    leader || "none",
    others.map(renderReplica).join(" ") || "none",
    formatCount(pending),
    formatCount(ackPending),
    renderVerdict(verdict, colors),
  ];
}

function renderVerdict(verdict: ConsumerStatus, colors: Canvas["colors"]): string {
  switch (verdict) {
    case "in place":
      return colors.green("✓ in place");
    case "paused":
    case "behind":
      return colors.yellow(`! ${verdict}`);
    case "leaderless":
    case "missing":
      return colors.red(`✗ ${verdict}`);
  }
}
