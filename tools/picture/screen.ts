/** The screen of a terminal after something was written to it. */
import xterm from "@xterm/headless";

/** Text of one style, without surrounding blanks. */
export interface Run {
  /** Column of its first character, from 0. */
  readonly column: number;
  readonly text: string;
  /** 0 to 15 of the terminal's palette; absent for the default colour. */
  readonly color?: number;
  readonly bold: boolean;
  readonly dim: boolean;
}

/** A line of the screen or of its scrollback. */
export type Line = readonly Run[];

/** Colours of the palette that have names, including the bright ones. */
const NAMED_COLORS = 16;
const LONGEST = 100_000;

/**
 * Interprets output as a terminal does, so that overwritten progress lines disappear.
 *
 * @param columns width of the terminal that it was written to.
 */
export async function readScreen(
  written: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Promise<readonly Line[]> {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: LONGEST,
    allowProposedApi: true,
  });
  await new Promise<void>((resolve) => terminal.write(written, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, index) =>
    readLine(active.getLine(index), columns),
  );
  terminal.dispose();
  return lines.slice(0, lines.findLastIndex((line) => line.length > 0) + 1);
}

/** The text of a line. */
export function textOf(line: Line): string {
  return line.reduce((text, run) => text.padEnd(run.column) + run.text, "");
}

type BufferLine = NonNullable<ReturnType<xterm.Terminal["buffer"]["active"]["getLine"]>>;

function readLine(line: BufferLine | undefined, columns: number): Line {
  const cells = Array.from({ length: columns }, (_, column) => {
    const cell = line?.getCell(column);
    const color = cell?.isFgPalette() ? cell.getFgColor() : NAMED_COLORS;
    return {
      column,
      text: cell?.getChars() || " ",
      ...(color < NAMED_COLORS ? { color } : {}),
      bold: Boolean(cell?.isBold()),
      dim: Boolean(cell?.isDim()),
    };
  });
  const runs: Run[] = [];
  for (const cell of cells) {
    const last = runs.at(-1);
    if (last && hasStyleOf(last, cell))
      runs.splice(-1, 1, { ...last, text: last.text + cell.text });
    else runs.push(cell);
  }
  return runs.flatMap(wordsOf);
}

function hasStyleOf(one: Run, other: Run): boolean {
  return one.color === other.color && one.bold === other.bold && one.dim === other.dim;
}

/**
 * Splits a run at two or more blanks, and between ASCII and other characters: those may come from another font, in
 * which they are wider.
 */
function wordsOf(run: Run): readonly Run[] {
  return Array.from(run.text.matchAll(/[!-~]+(?: [!-~]+)*|[^ -~]+/g), ({ 0: text, index }) => ({
    ...run,
    column: run.column + index,
    text,
  }));
}
