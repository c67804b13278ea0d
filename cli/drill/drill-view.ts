import { formatDuration } from "../../lib/base/quantities.ts";
import { countOf, formatCount, listSome } from "../../lib/base/wording.ts";
import type { Loss, Outcome } from "../../lib/placement/survivability.ts";
import { streamNamer } from "../../lib/streams/stream-name.ts";
import { renderTable } from "../layout/table.ts";
import { type Canvas, hang, pad, widthOf } from "../layout/text.ts";
import type { DrillPlan } from "./drill-plan.ts";
import type { DrillReport } from "./drill-report.ts";
import type { Finding, Forecast } from "./forecast.ts";

const VERBS = { kill: "kills", stop: "stops", pause: "pauses" } as const;
const PARTICIPLES = { kill: "killed", stop: "stopped", pause: "paused" } as const;

/** The announcement of a drill, with its expected results. */
export function renderDrillPlan(plan: DrillPlan, canvas: Canvas): string {
  const { stack, loss, how, duration, metaGroup, streams } = plan;
  const down = `${metaGroup.hosts.length - metaGroup.failing.length} of its ${countOf(metaGroup.hosts.length, "server")} stay`;
  const keeps = metaGroup.expected === "survives" ? "keeps its majority" : "loses its majority";
  const facts: readonly Fact[] = [
    ["nodes", loss.nodes.join(", ")],
    ["stay writable", namesOf(streams, "survives")],
    ["lost meanwhile", namesOf(streams, "lost")],
    ["meta group", `${keeps}: ${down}`],
  ];
  const what = `${VERBS[how]} ${describeLoss(loss)} of stack ${stack} for ${lengthOf(duration)}`;
  return [
    hang("", `This ${what}, and brings it back. Expected:`, canvas),
    ...facts.map((fact) => renderFact(fact, canvas)),
  ].join("\n");
}

/** The result of a drill: a summary line, the results by group, the problems. */
export function renderDrill(report: DrillReport, canvas: Canvas): string {
  const { colors } = canvas;
  const problems = report.problems.map((text) => hang(`${colors.red("✗")} `, text, canvas));
  const notices = report.notices.map((text) => hang(`${colors.yellow("!")} `, text, canvas));
  const remarks = [...problems, ...notices];
  return [
    renderHeadline(report, canvas),
    renderFindings(report, canvas),
    ...(remarks.length > 0 ? [remarks.join("\n")] : []),
  ].join("\n\n");
}

function renderHeadline(
  { ok, stack, loss, how, duration, wellAfter }: DrillReport,
  canvas: Canvas,
) {
  const { colors } = canvas;
  const end =
    wellAfter === undefined ? "not all is well" : `all well ${seconds(wellAfter)} after restoring`;
  const verdict = ok ? "as expected" : "not as expected";
  const facts = `${describeLoss(loss)} ${PARTICIPLES[how]} for ${lengthOf(duration)} · ${verdict} · ${end}`;
  const sign = ok ? colors.green("✓") : colors.red("✗");
  return hang(`${sign} ${colors.bold(`stack ${stack}`)} · `, facts, canvas);
}

/** `back after` and `current after` count from the start of the restore. */
const HEADINGS = [
  "group",
  "down",
  "expected",
  "seen",
  "longest gap",
  "back after",
  "current after",
] as const;
const TO_THE_RIGHT: readonly string[] = ["longest gap", "back after", "current after"];
/** With more streams than this, those without a replica on the failing nodes are only counted. */
const MOST_ROWS = 30;

function renderFindings({ streams, metaGroup }: DrillReport, canvas: Canvas): string {
  const isPlain = ({ failing, expected, observed }: Finding) =>
    failing.length === 0 && expected === observed;
  const shown = streams.length > MOST_ROWS ? streams.filter((each) => !isPlain(each)) : streams;
  const nameOf = streamNamer(streams);
  const rows = [...shown, metaGroup].map((finding) => toCells(finding, nameOf(finding), canvas));
  const columns = HEADINGS.map((heading, column) => ({
    heading,
    width: Math.max(heading.length, ...rows.map((row) => widthOf(row[column] ?? ""))),
    right: TO_THE_RIGHT.includes(heading),
  }));
  const rest = streams.length - shown.length;
  return [
    renderTable(columns, rows, canvas),
    ...(rest > 0
      ? [`${countOf(rest, "stream")} without a replica there stayed writable, as expected.`]
      : []),
  ].join("\n");
}

function toCells(finding: Finding, name: string, { colors }: Canvas): string[] {
  const { hosts, failing, expected, observed, writableAfter, currentAfter } = finding;
  const paint = expected === observed ? String : colors.red;
  return [
    colors.bold(name),
    `${formatCount(failing.length)} of ${formatCount(hosts.length)}`,
    WORDS[expected],
    paint(WORDS[observed]),
    gapOf(finding),
    observed === "lost" ? (writableAfter === undefined ? "never" : seconds(writableAfter)) : "",
    failing.length > 0 ? (currentAfter === undefined ? "never" : seconds(currentAfter)) : "",
  ];
}

const WORDS: Readonly<Record<Outcome, string>> = {
  survives: "writable",
  lost: "lost",
  depends: "may be lost",
};

/** A gap that isn't longer than two samples may be no gap at all. */
function gapOf({ longestGap, interval }: Finding): string {
  const finest = 2 * interval;
  return longestGap > finest ? seconds(longestGap) : `< ${seconds(finest)}`;
}

function describeLoss({ kind, name }: Loss): string {
  return kind === "zoneEverywhere" ? `zone ${name} in all regions` : `${kind} ${name}`;
}

function namesOf(streams: readonly Forecast[], fate: Outcome): string {
  const fated = streams.filter(({ expected }) => expected === fate);
  return listSome(fated.map(streamNamer(streams))) || "none";
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}

function lengthOf(milliseconds: number): string {
  return formatDuration(milliseconds * 1e6);
}

type Fact = readonly [label: string, text: string];
const LABEL_WIDTH = 14;

function renderFact([label, text]: Fact, canvas: Canvas): string {
  return hang(`  ${canvas.colors.dim(pad(label, LABEL_WIDTH))}  `, text, canvas);
}
