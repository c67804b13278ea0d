import Table from "cli-table3";
import type { Canvas } from "./text.ts";

/** Blanks between two columns. */
export const COLUMN_GAP = 2;

export interface Column {
  readonly heading: string;
  /** Columns; longer cells are wrapped between words. */
  readonly width: number;
  /** Whether to align right, as for numbers. */
  readonly right?: boolean;
}

/** A table without ruling lines, so that it can be copied and searched. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly string[][],
  { colors }: Canvas,
): string {
  const table = new Table({
    head: columns.map(({ heading }) => colors.dim(heading)),
    colWidths: columns.map(({ width }) => width + COLUMN_GAP),
    colAligns: columns.map(({ right }) => (right ? "right" : "left")),
    wordWrap: true,
    chars: NO_LINES,
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": COLUMN_GAP },
  });
  table.push(...rows);
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const NO_LINES = Object.fromEntries(
  ["top", "bottom", "mid"]
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`])
    .concat("left", "left-mid", "right", "right-mid", "middle")
    .map((name) => [name, ""]),
);
