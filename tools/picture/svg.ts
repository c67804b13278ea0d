/** Scenes of a terminal as an SVG. It is animated unless the viewer prefers reduced motion; then it shows the end. */
import type { Scene } from "./scenes.ts";
import { type Line, type Run, textOf } from "./screen.ts";

/** Pixels; the cell has the width of most monospace fonts of this height. */
const FONT = 14;
const CELL = 8.4;
const LINE = 17;
const PADDING = 18;
const TITLE_BAR = 30;

const BACKGROUND = "#161b22";
const TEXT = "#e6edf3";
/** The eight colours of a terminal. Bright ones look the same. */
const COLORS = [
  "#484f58",
  "#ff7b72",
  "#3fb950",
  "#d29922",
  "#58a6ff",
  "#bc8cff",
  "#39c5cf",
  "#e6edf3",
];

const PROMPT: Run = { column: 0, text: "$", color: 2, bold: true, dim: false };

/** Seconds. The whole text comes first, because some viewers show the first moment only. */
const WHOLE = 6;
const BLANK = 0.6;
const KEY = 0.045;
const BEFORE_KEYS = 0.7;
const BEFORE_PART = 0.6;
const END = 0.4;

/** Lines that appear at once: a typed command, or a part of its output. */
interface Group {
  readonly lines: readonly Line[];
  /** Number of typed characters, after the prompt. */
  readonly typed: number;
}

/** Renders scenes to an SVG that is as wide as its longest line. */
export function renderSvg(scenes: readonly Scene[]): string {
  const groups = scenes.flatMap(groupsOf);
  const lines = groups.flatMap((group) => group.lines);
  const columns = Math.max(...lines.map((line) => textOf(line).length));
  const width = Math.ceil(columns * CELL + 2 * PADDING);
  const height = TITLE_BAR + lines.length * LINE + PADDING;
  const { begins, total } = timesOf(groups);

  let row = 0;
  const drawn = groups.map((group, index) => {
    const top = row;
    row += group.lines.length;
    const texts = group.lines.flatMap((line, below) =>
      line.map((run) => drawRun(run, top + below)),
    );
    const cover = group.typed > 0 ? [drawCover(index, group, top)] : [];
    return `<g class="g${index}">\n${[...texts, ...cover].join("\n")}\n</g>`;
  });
  const moves = groups.flatMap(({ typed }, index) => {
    const begin = begins[index] ?? 0;
    return [
      appearance(`g${index}`, begin, total),
      ...(typed > 0 ? [typing(`c${index}`, begin, typed, total)] : []),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(scenes.map(({ command }) => command).join("; "))}</title>`,
    `<style>\n${[...styles(), "@media (prefers-reduced-motion: no-preference) {", ...moves, "}"].join("\n")}\n</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${BACKGROUND}" stroke="#30363d"/>`,
    ...[1, 3, 2].map(
      (color, index) =>
        `<circle cx="${PADDING + 4 + index * 18}" cy="${TITLE_BAR / 2}" r="5" fill="${COLORS[color]}"/>`,
    ),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function groupsOf({ command, parts }: Scene, index: number): readonly Group[] {
  const typed: Run = { column: 2, text: command, bold: true, dim: false };
  const above: readonly Line[] = index === 0 ? [] : [[]];
  return [
    { lines: [...above, [PROMPT, typed]], typed: [...command].length },
    ...parts.map((lines) => ({ lines, typed: 0 })),
  ];
}

/** When each group appears, and when the animation restarts. */
function timesOf(groups: readonly Group[]) {
  let now = WHOLE + BLANK;
  const begins = groups.map(({ typed }) => {
    const begin = typed > 0 ? now : now + BEFORE_PART;
    now = typed > 0 ? begin + BEFORE_KEYS + typed * KEY + END : begin;
    return begin;
  });
  return { begins, total: now + END };
}

function styles(): readonly string[] {
  return [
    `text { font: ${FONT}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: ${TEXT}; }`,
    ".b { font-weight: bold; }",
    ".d { opacity: 0.6; }",
    ...COLORS.map((color, index) => `.f${index} { fill: ${color}; }`),
    ".cover { opacity: 0; }",
  ];
}

function drawRun({ column, text, color, bold, dim }: Run, row: number): string {
  const classes = [
    ...(color === undefined ? [] : [`f${color % COLORS.length}`]),
    ...(bold ? ["b"] : []),
    ...(dim ? ["d"] : []),
  ];
  const style = classes.length > 0 ? ` class="${classes.join(" ")}"` : "";
  const length = round([...text].length * CELL);
  const place = `x="${xOf(column)}" y="${yOf(row) + FONT}"`;
  // With any font, each character stays in its column.
  return `<text ${place} textLength="${length}" lengthAdjust="spacingAndGlyphs"${style}>${escapeXml(text)}</text>`;
}

/** Covers a command, with the cursor at the left edge, and moves to the right as the command is typed. */
function drawCover(index: number, { lines, typed }: Group, top: number): string {
  const size = `width="${round((typed + 1) * CELL)}" height="${LINE}"`;
  const rest = `<rect ${size} fill="${BACKGROUND}"/>`;
  const cursor = `<rect y="1" width="${CELL}" height="${LINE - 2}" fill="${TEXT}"/>`;
  const place = `x="${xOf(2)}" y="${yOf(top + lines.length - 1)}"`;
  return `<svg ${place} ${size}><g class="cover c${index}">${rest}${cursor}</g></svg>`;
}

function appearance(name: string, begin: number, total: number): string {
  const at = (seconds: number) => percent(seconds, total);
  const frames = `0% { opacity: 1; } ${at(WHOLE)} { opacity: 0; } ${at(begin)} { opacity: 1; } 100% { opacity: 1; }`;
  return `.${name} { animation: ${name} ${round(total)}s step-end infinite; }\n@keyframes ${name} { ${frames} }`;
}

function typing(name: string, begin: number, typed: number, total: number): string {
  const at = (seconds: number) => percent(seconds, total);
  const keys = begin + BEFORE_KEYS;
  const end = keys + typed * KEY;
  const frames = [
    "0% { opacity: 0; transform: none; animation-timing-function: step-end; }",
    `${at(begin)} { opacity: 1; transform: none; animation-timing-function: step-end; }`,
    `${at(keys)} { opacity: 1; transform: none; animation-timing-function: steps(${typed}, end); }`,
    `${at(end)} { opacity: 1; transform: translateX(${round(typed * CELL)}px); animation-timing-function: step-end; }`,
    `${at(end + END)} { opacity: 0; transform: none; }`,
    "100% { opacity: 0; transform: none; }",
  ];
  return `.${name} { animation: ${name} ${round(total)}s infinite; }\n@keyframes ${name} { ${frames.join(" ")} }`;
}

function percent(seconds: number, total: number): string {
  return `${round((seconds / total) * 100)}%`;
}

function xOf(column: number): number {
  return round(PADDING + column * CELL);
}

/** Top of a row. */
function yOf(row: number): number {
  return TITLE_BAR + row * LINE;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
