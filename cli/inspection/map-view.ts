import { terseNamer } from "../../lib/streams/stream-name.ts";
import { type Canvas, pad, shorten, widthOf, wrap } from "../layout/text.ts";
import type { ClusterReport, NodeState, NodeStatus, StreamReport } from "./cluster-report.ts";

/** The cluster as boxes: regions side by side, their zones aligned, with the nodes in them. */
export function renderMap({ regions, streams }: ClusterReport, canvas: Canvas): string {
  const nameOf = terseNamer(streams);
  const boxes = regions.map(({ name, zones }) => ({
    name,
    zones: zones.map((zone) => ({
      name: zone.name,
      nodes: zone.nodes.map((node) => ({ ...node, streams: marksOf(node, streams, nameOf) })),
    })),
  }));
  const { perRow, inner } = fitBoxes(boxes, canvas.width);
  return chunks(boxes, perRow)
    .flatMap((row) => renderRow(row, { ...canvas, width: inner }))
    .join("\n");
}

/** The meaning of the symbols that are on the map. */
export function renderLegend({ regions, streams }: ClusterReport, { colors }: Canvas): string {
  const nodes = regions.flatMap(({ zones }) => zones.flatMap((zone) => zone.nodes));
  const states = STATES.filter((state) => nodes.some((node) => node.state === state));
  const nameOf = terseNamer(streams);
  const marks = nodes.flatMap((node) => marksOf(node, streams, nameOf));
  const roles = ROLES.filter((role) => marks.some((mark) => mark.role === role));
  return colors.dim(
    [
      ...states.map((state) => `${STATE_SIGNS[state]} ${state}`),
      ...roles.map((role) => `${ROLE_SIGNS[role]} ${role}`),
    ].join("   "),
  );
}

const STATES = ["up", "unwell", "down", "planned"] as const satisfies NodeState[];
const STATE_SIGNS: Readonly<Record<NodeState, string>> = {
  up: "●",
  unwell: "◐",
  down: "○",
  planned: "·",
};

const ROLES = ["stream leader", "replica", "replica behind"] as const;
type Role = (typeof ROLES)[number];
const ROLE_SIGNS: Readonly<Record<Role, string>> = {
  "stream leader": "★",
  replica: "◆",
  "replica behind": "◇",
};

/** A stream's replica on a node. */
interface Mark {
  readonly stream: string;
  readonly role: Role;
  /** Whether it is on the wrong host. */
  readonly misplaced: boolean;
}

interface NodeBox extends NodeStatus {
  readonly streams: readonly Mark[];
}

interface ZoneBox {
  readonly name: string;
  readonly nodes: readonly NodeBox[];
}

interface RegionBox {
  readonly name: string;
  readonly zones: readonly ZoneBox[];
}

function marksOf(
  { name: node }: NodeStatus,
  streams: readonly StreamReport[],
  nameOf: (stream: StreamReport) => string,
): Mark[] {
  return streams.flatMap((stream) => {
    const { leader, replicas, verdict } = stream;
    const replica = replicas.find((candidate) => candidate.node === node);
    if (!replica) return [];
    const follows: Role = replica.current ? "replica" : "replica behind";
    const role = leader === node ? "stream leader" : follows;
    return [{ stream: nameOf(stream), role, misplaced: verdict === "misplaced" }];
  });
}

const GAP = 1;
/** Columns for borders, with a blank inside each. */
const FRAME = 4;
const NARROWEST = 20;
const WIDEST = 36;
/** On a terminal that is narrower than this, lines overflow. */
const SMALLEST = 12;
const TAG_LINES = 2;
const STREAM_LINES = 3;
const INDENT = "  ";

/** Arranges as many boxes in a row as fit, all of one width, in rows of about the same length. */
function fitBoxes(regions: readonly RegionBox[], width: number) {
  const least = Math.max(NARROWEST, ...regions.map(headWidth));
  const wished = Math.min(WIDEST, Math.max(least, ...regions.map(bodyWidth)));
  const fitting = Math.max(1, Math.floor((width + GAP) / (least + FRAME + GAP)));
  const rows = Math.ceil(regions.length / fitting);
  const perRow = Math.ceil(regions.length / rows);
  const share = Math.floor((width + GAP) / perRow) - GAP - FRAME;
  return { perRow, inner: Math.max(SMALLEST, Math.min(Math.max(least, wished), share)) };
}

function headWidth({ name, zones }: RegionBox): number {
  const nodes = zones.flatMap((zone) => zone.nodes.map((node) => widthOf(plainHead(node))));
  return Math.max(name.length, ...nodes);
}

function bodyWidth({ zones }: RegionBox): number {
  const nodes = zones.flatMap((zone) => zone.nodes);
  const bodies = nodes.flatMap(({ tags, streams }) => [
    tags.join(" ").length,
    ...streams.map(({ stream }) => stream.length + 2),
  ]);
  return INDENT.length + Math.max(0, ...bodies);
}

/** Boxes end below their last zones: regions may have different numbers of zones. */
function renderRow(regions: readonly RegionBox[], canvas: Canvas): string[] {
  const beside = (cells: readonly string[]) => cells.join(" ".repeat(GAP)).trimEnd();
  const zoneCount = Math.max(...regions.map(({ zones }) => zones.length));
  const borderAbove = (index: number) =>
    beside(regions.map(({ zones }) => border(index, zones.length, canvas)));
  const zones = Array.from({ length: zoneCount }, (_, index) => {
    const bodies = regions.map((region) => renderZone(region.zones[index], canvas));
    const height = Math.max(...bodies.map(({ length }) => length));
    const lines = Array.from({ length: height }, (_, line) =>
      beside(
        bodies.map((body, place) =>
          index < (regions[place]?.zones.length ?? 0)
            ? within(body[line] ?? "", canvas)
            : blank(canvas),
        ),
      ),
    );
    return index === 0 ? lines : [borderAbove(index), ...lines];
  });
  return [
    beside(regions.map(({ name }) => title(name, canvas))),
    ...zones.flat(),
    borderAbove(zoneCount),
  ];
}

/** The line above a zone, by its index: a divider, the end of the box, or nothing below that. */
function border(index: number, zoneCount: number, canvas: Canvas): string {
  if (index > zoneCount) return blank(canvas);
  return rule(index < zoneCount ? "├┤" : "╰╯", canvas);
}

function blank({ width }: Canvas): string {
  return " ".repeat(width + FRAME);
}

function title(name: string, { width, colors }: Canvas): string {
  const text = shorten(name, width - 1);
  const line = "─".repeat(width - 1 - widthOf(text));
  return `${colors.dim("╭─")} ${colors.bold(text)} ${colors.dim(`${line}╮`)}`;
}

function rule(ends: string, { width, colors }: Canvas): string {
  const [left, right] = ends;
  return colors.dim(`${left}${"─".repeat(width + FRAME - 2)}${right}`);
}

function within(line: string, { width, colors }: Canvas): string {
  return `${colors.dim("│")} ${pad(line, width)} ${colors.dim("│")}`;
}

function renderZone(zone: ZoneBox | undefined, canvas: Canvas): string[] {
  if (!zone) return [];
  const name = canvas.colors.cyan(shorten(zone.name, canvas.width));
  return [name, ...zone.nodes.flatMap((node) => renderNode(node, canvas))];
}

function renderNode(node: NodeBox, { width, colors }: Canvas): string[] {
  const room = width - INDENT.length;
  const tags = node.tags.map((text) => ({ text, paint: colors.dim }));
  const marks = node.streams.map(({ stream, role, misplaced }) => ({
    text: `${ROLE_SIGNS[role]} ${stream}`,
    paint: misplaced ? colors.red : role === "replica behind" ? colors.yellow : colors.green,
  }));
  return [
    renderHead(node, width, colors),
    ...[...wrap(tags, room, TAG_LINES), ...wrap(marks, room, STREAM_LINES)].map(
      (line) => INDENT + line,
    ),
  ];
}

function renderHead(node: NodeBox, width: number, colors: Canvas["colors"]): string {
  const paint = {
    up: colors.green,
    unwell: colors.yellow,
    down: colors.red,
    planned: colors.dim,
  }[node.state];
  const right = rightOf(node);
  const name = shorten(node.name, Math.max(1, width - INDENT.length - 1 - right.length));
  const left = `${STATE_SIGNS[node.state]} ${name}`;
  const room = Math.max(1, width - widthOf(left) - right.length);
  const uptime = ` ${shortUptime(node)} `;
  const middle = uptime.length <= room ? colors.dim(uptime.padStart(room)) : " ".repeat(room);
  return `${paint(left)}${middle}${node.state === "up" ? right : paint(right)}`;
}

/** The two largest units, e.g. `12d3h`. */
function shortUptime({ uptime = "" }: NodeStatus): string {
  return /^(\d+[a-z]+){0,2}/.exec(uptime)?.[0] ?? "";
}

function plainHead(node: NodeBox): string {
  return `${INDENT}${node.name} ${rightOf(node)}`;
}

/** The client port, whether it is a witness, and the state unless the node is up. */
function rightOf({ state, witness, clientUrl }: NodeStatus): string {
  const port = clientUrl === undefined ? "" : new URL(clientUrl).port;
  return [
    ...(witness ? ["witness"] : []),
    ...(state === "up" ? [] : [state]),
    ...(port === "" ? [] : [port]),
  ].join(" ");
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
