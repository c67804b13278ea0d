import { stripVTControlCharacters } from "node:util";
import type { Colors } from "picocolors/types.js";

/** What there is to render on. */
export interface Canvas {
  /** Columns. */
  readonly width: number;
  readonly colors: Colors;
}

/** How many columns a text takes, colours left out. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Fills a text up with blanks. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** Cuts a text without colours to what fits. */
export function shorten(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

/** A word, and how it is to be coloured. */
export interface Word {
  readonly text: string;
  readonly paint: (text: string) => string;
}

/** Sets words in lines; those that don't fit in as many lines as there may be are counted at the end. */
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

/** Sets plain text in as many lines as it takes. */
export function wrapText(text: string, width: number): string[] {
  const words = text.split(" ").map((word) => ({ text: word, paint: String }));
  return wrap(words, width, Number.POSITIVE_INFINITY);
}

/** On a terminal that is narrower than this, lines overflow. */
const NARROWEST_TEXT = 24;

/** Sets text beside what is on its left, all of its lines below each other. */
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
