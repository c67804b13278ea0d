import { formatProblem } from "../../lib/base/errors.ts";
import { countOf, listSome } from "../../lib/base/wording.ts";
import { describeNearest, type Placement } from "../../lib/placement/placement.ts";
import { streamPath } from "../../lib/streams/stream-name.ts";
import { renderRoom } from "../layout/room-view.ts";
import { COLUMN_GAP, renderTable } from "../layout/table.ts";
import { type Canvas, hang, pad, widthOf } from "../layout/text.ts";
import type { PlanReport, StreamForecast } from "./plan-report.ts";

/** A whole plan: a summary line, the nodes, the streams one by one, the problems. */
export function renderPlan(report: PlanReport, canvas: Canvas): string {
  const { colors } = canvas;
  const several = new Set(report.streams.map(({ account }) => account)).size > 1;
  const remarks = [
    ...report.unread.map((path) =>
      renderRemark("!", `${path} can't be read without Pulumi; planned without it`, canvas),
    ),
    ...report.notices.map((notice) => renderRemark("!", notice, canvas)),
    ...report.problems.map((problem) => renderRemark("✗", formatProblem(problem), canvas)),
  ];
  return [
    renderHeadline(report, canvas),
    renderNodes(report, canvas),
    renderRoom(
      report.regions
        .flatMap(({ zones }) => zones.flatMap(({ nodes }) => nodes))
        .filter(({ name }) => !report.metaGroup.witnesses?.includes(name)),
      canvas,
    ),
    renderMetaGroup(report, canvas),
    ...report.streams.map((stream) => renderStream(stream, several, canvas)),
    ...(report.streams.length === 0 ? [colors.dim("There are no streams.")] : []),
    ...(remarks.length > 0 ? [remarks.join("\n")] : []),
  ].join("\n\n");
}

function renderHeadline({ ok, stack, source, ...report }: PlanReport, canvas: Canvas): string {
  const { colors } = canvas;
  const nodes = `${countOf(report.metaGroup.servers, "node")}: ${describeGrid(report.regions)}`;
  const facts = `${nodes} · cluster ${report.cluster} · ${report.image}`;
  const sign = ok ? colors.green("✓") : colors.red("✗");
  const origin = `from ${source}; no server was asked, and nothing changed`;
  return [
    hang(`${sign} ${colors.bold(`stack ${stack}`)} · `, facts, canvas),
    colors.dim(hang(INDENT, origin, canvas)),
  ].join("\n");
}

/** E.g. `3 regions x 3 zones`; `2 regions, us 3 zones, eu 2 zones` if they aren't alike. */
function describeGrid(regions: PlanReport["regions"]): string {
  const counts = new Set(regions.map(({ zones }) => zones.length));
  const [zones = 0] = counts;
  const count = countOf(regions.length, "region");
  if (counts.size === 1) return `${count} x ${countOf(zones, "zone")}`;
  const each = regions.map(({ name, zones }) => `${name} ${countOf(zones.length, "zone")}`);
  return [count, ...each].join(", ");
}

const NARROWEST_TAGS = 16;

function renderNodes({ regions }: PlanReport, canvas: Canvas): string {
  const nodes = regions.flatMap(({ zones }) => zones.flatMap(({ nodes }) => nodes));
  const hasPages = nodes.some(({ monitorPort }) => monitorPort !== undefined);
  const rows = regions.flatMap((region) =>
    region.zones.flatMap((zone, zoneIndex) =>
      zone.nodes.map((node, nodeIndex) => [
        zoneIndex + nodeIndex === 0 ? region.name : "",
        nodeIndex === 0 ? zone.name : "",
        node.name,
        `${node.clientPort}`,
        ...(hasPages ? [`${node.monitorPort ?? ""}`] : []),
        node.tags.join(" "),
      ]),
    ),
  );
  const headings = ["region", "zone", "node", "client", ...(hasPages ? ["monitor"] : []), "tags"];
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => widthOf(row[column] ?? ""))),
  );
  const taken = widths.slice(0, -1).reduce((sum, width) => sum + width + COLUMN_GAP, 0);
  const room = Math.max(NARROWEST_TAGS, canvas.width - taken);
  const columns = headings.map((heading, index) => ({
    heading,
    width: Math.min(widths[index] ?? 0, heading === "tags" ? room : Number.POSITIVE_INFINITY),
    right: heading === "client" || heading === "monitor",
  }));
  return renderTable(columns, rows, canvas);
}

function renderMetaGroup({ metaGroup }: PlanReport, canvas: Canvas): string {
  const { servers, majority, witnesses = [], survivability } = metaGroup;
  return [
    canvas.colors.bold("Meta group"),
    renderFact("servers", `${servers}, of which ${majority} must be up`, canvas),
    ...(witnesses.length > 0
      ? [renderFact("witnesses", `${listSome(witnesses)}: vote, and take no streams`, canvas)]
      : []),
    renderFact("losses", survivability.summary, canvas),
  ].join("\n");
}

/** @param several whether the streams belong to several accounts. */
function renderStream(stream: StreamForecast, several: boolean, canvas: Canvas): string {
  const { key, name, account, replicas, tags, placement, warnings, problems } = stream;
  const { colors } = canvas;
  const sound = placement.kind !== "impossible" && problems.length === 0;
  const wanted = [
    countOf(replicas, "replica"),
    ...(tags.length > 0 ? [tags.join(" ")] : []),
    ...(several ? [`account ${account}`] : []),
    ...(key === name ? [] : [streamPath(stream)]),
  ].join(", ");
  return [
    `${sound ? colors.green("✓") : colors.red("✗")} ${colors.bold(name)}  ${colors.dim(wanted)}`,
    ...placementFacts(placement).map(([label, text]) => renderFact(label, text, canvas)),
    ...prospects(stream).map(([label, text]) => renderFact(label, text, canvas)),
    ...consumersOf(stream).map(([label, text]) => renderFact(label, text, canvas)),
    ...warnings.map((warning) => renderRemark("!", warning, canvas, INDENT)),
    ...problems.map((problem) => renderRemark("✗", formatProblem(problem), canvas, INDENT)),
  ].join("\n");
}

type Fact = readonly [label: string, text: string];

function placementFacts(placement: Placement): Fact[] {
  switch (placement.kind) {
    case "exact":
      return [["placed on", placement.hosts.join(", ")]];
    case "choice":
      return [["chosen from", placement.candidates.join(", ")]];
    case "impossible": {
      const { summary, serverError, nearest } = placement;
      const close = describeNearest(nearest);
      return [
        ["impossible", summary],
        ["server says", serverError],
        ...(close === "" ? [] : [["nearest", close] as const]),
      ];
    }
  }
}

/** Leaves out facts that the problems and warnings below repeat: no spare replica, no possible leader. */
function prospects(stream: StreamForecast): Fact[] {
  const { placement, replicas, leaders, survivability, problems } = stream;
  if (!survivability) return [];
  const leaderless = problems.some(({ path }) => path === streamPath(stream, "leader"));
  const spared = placement.kind === "choice" && survivability.irreplaceable.length === 0;
  const facts: (Fact | false)[] = [
    !leaderless &&
      (leaders !== undefined || replicas > 1) && ["leader", leaders?.join(" or ") ?? "any of them"],
    ["losses", survivability.summary],
    spared && ["spare", "while a host is down, another can take its replica"],
  ];
  return facts.filter((fact) => fact !== false);
}

/** The number of replicas is shown where it isn't that of the stream. */
function consumersOf({ consumers = [], replicas }: StreamForecast): Fact[] {
  const described = consumers.map(({ name, deliverSubject, ...own }) => {
    const facts = [
      ...(deliverSubject === undefined ? [] : [`to ${deliverSubject}`]),
      ...(own.replicas === replicas ? [] : [countOf(own.replicas, "replica")]),
    ];
    return facts.length > 0 ? `${name} (${facts.join(", ")})` : name;
  });
  return described.length > 0 ? [["consumers", described.join(", ")]] : [];
}

const INDENT = "  ";
const LABEL_WIDTH = "chosen from".length + COLUMN_GAP;

function renderFact(label: string, text: string, canvas: Canvas): string {
  return hang(`${INDENT}${pad(canvas.colors.dim(label), LABEL_WIDTH)}`, text, canvas);
}

function renderRemark(sign: "!" | "✗", text: string, canvas: Canvas, indent = ""): string {
  const { yellow, red } = canvas.colors;
  return hang(`${indent}${sign === "!" ? yellow(sign) : red(sign)} `, text, canvas);
}
