import { COLUMN_GAP, renderTable } from "./table.ts";
import { type Canvas, widthOf } from "./text.ts";

const NARROWEST = 12;

export interface FittedColumn {
  readonly heading: string;
  /** Whether to align right, as for numbers. */
  readonly right?: boolean;
  /** Its turn to be wrapped if the terminal is narrow, from 1. Absent: never. */
  readonly breaks?: number;
}

/** A table as wide as its cells, or as the terminal; entries of several lines if the terminal is too narrow for it. */
export function renderFitted(
  columns: readonly FittedColumn[],
  rows: readonly string[][],
  canvas: Canvas,
): string {
  const widths = fitColumns(columns, rows, canvas.width);
  if (!widths) return rows.map((cells) => renderEntry(columns, cells, canvas)).join("\n");
  const fitted = columns.map(({ heading, right = false }, index) => ({
    heading,
    width: widths[index] ?? 0,
    right,
  }));
  return renderTable(fitted, rows, canvas);
}

function renderEntry(
  columns: readonly FittedColumn[],
  [name = "", ...cells]: readonly string[],
  { colors }: Canvas,
): string {
  const facts = cells.map(
    (cell, index) => `  ${colors.dim(`${columns[index + 1]?.heading}:`)} ${cell}`,
  );
  return [name, ...facts].join("\n");
}

/**
 * Makes every column as wide as its widest cell, and shrinks those that may be wrapped to the terminal's width.
 * Undefined if that isn't enough.
 */
function fitColumns(
  columns: readonly FittedColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] | undefined {
  const widths = columns.map(({ heading }, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? "")].map(widthOf)),
  );
  let excess = widths.reduce((sum, column) => sum + column + COLUMN_GAP, -COLUMN_GAP) - width;
  const breakable = columns
    .flatMap(({ breaks }, column) => (breaks === undefined ? [] : [{ breaks, column }]))
    .sort((a, b) => a.breaks - b.breaks);
  for (const { column } of breakable) {
    const wished = widths[column] ?? 0;
    const kept = Math.max(Math.min(wished, NARROWEST), wished - Math.max(0, excess));
    widths[column] = kept;
    excess -= wished - kept;
  }
  return excess > 0 ? undefined : widths;
}
