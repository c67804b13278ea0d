import { countOf } from "../../lib/base/wording.ts";
import { renderRoom } from "../layout/room-view.ts";
import type { Canvas } from "../layout/text.ts";
import { type ClusterReport, nodesIn } from "./cluster-report.ts";
import { renderConsumers } from "./consumers-view.ts";
import { renderLegend, renderMap } from "./map-view.ts";
import { renderStreams } from "./streams-view.ts";

/** A whole report: a summary line, the map, the streams, the problems. */
export function renderReport(report: ClusterReport, canvas: Canvas): string {
  const rooms = nodesIn(report).flatMap(({ name, room, witness }) =>
    room && !witness ? [{ name, room }] : [],
  );
  const consumers = renderConsumers(report.streams, canvas);
  const problems = report.problems.map((problem) => `${canvas.colors.red("✗")} ${problem}`);
  return [
    renderHeadline(report, canvas),
    `${renderMap(report, canvas)}\n${renderLegend(report, canvas)}`,
    renderStreams(report.streams, canvas),
    ...(consumers === undefined ? [] : [consumers]),
    ...(rooms.length > 0 ? [renderRoom(rooms, canvas)] : []),
    ...(problems.length > 0 ? [problems.join("\n")] : []),
  ].join("\n\n");
}

function renderHeadline(report: ClusterReport, { colors }: Canvas): string {
  const nodes = nodesIn(report).filter(({ state }) => state !== "planned");
  const up = nodes.filter(({ state }) => state === "up").length;
  const versions = new Set(nodes.flatMap(({ version }) => (version ? [version] : [])));
  const facts = [
    `${up} of ${countOf(nodes.length, "node")} up`,
    ...(versions.size > 0 ? [`nats-server ${[...versions].join(", ")}`] : []),
    `meta leader ${report.metaLeader || "none"}`,
  ];
  const name = colors.bold(`stack ${report.stack}`);
  return `${report.ok ? colors.green("✓") : colors.red("✗")} ${name} · ${facts.join(" · ")}`;
}
