import { stripVTControlCharacters } from "node:util";
import type { Colors } from "picocolors/types.js";

/** The output medium: its width and colours. */
export interface Canvas {
  /** Width in columns. */
  readonly width: number;
  readonly colors: Colors;
}

/** Number of columns of a text, without its colour codes. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Pads a text with blanks. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Shortens a text without colour codes to a width. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

/** A word and its colour. */
export interface Word {
  readonly text: string;
  readonly paint: (text: string) => string;
}

/** Wraps words into at most `lines` lines; words that don't fit are counted at the end. */
export function wrap(words: readonly Word[], width: number, lines: number): string[] {
  for (let shown = words.length; ; shown--) {
    const rest = { text: `+${words.length - shown}`, paint: String };
    const set = breakLines(
      shown === words.length ? words : [...words.slice(0, shown), rest],
      width,
    );
    if (set.length <= lines || shown === 0) return set.map(paintLine);
  }
}

/** Wraps plain text into lines. */
export function wrapText(text: string, width: number): string[] {
  const words = text.split(" ").map((word) => ({ text: word, paint: String }));
  return wrap(words, width, Number.POSITIVE_INFINITY);
}

/** On a terminal that is narrower than this, lines overflow. */
const NARROWEST_TEXT = 24;

/** Puts text to the right of a label, as a hanging block. */
export function hang(left: string, text: string, { width }: Canvas): string {
  const indent = widthOf(left);
  const lines = wrapText(text, Math.max(NARROWEST_TEXT, width - indent));
  return left + lines.join(`\n${" ".repeat(indent)}`);
}

function breakLines(words: readonly Word[], width: number): Word[][] {
  const lines: Word[][] = [];
  let room = 0;
  for (const { text, paint } of words) {
    const word = { text: shorten(text, width), paint };
    const length = widthOf(word.text) + 1;
    if (length > room) {
      lines.push([word]);
      room = width - length + 1;
    } else {
      lines.at(-1)?.push(word);
      room -= length;
    }
  }
  return lines;
}

function paintLine(words: readonly Word[]): string {
  return words.map(({ text, paint }) => paint(text)).join(" ");
}
