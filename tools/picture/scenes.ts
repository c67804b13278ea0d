/** The scenes of the picture: commands and excerpts of their output. */
import { type Line, textOf } from "./screen.ts";

/** A command, and the parts of its output to show. */
export interface Script {
  readonly command: string;
  /** Ranges of lines in their order, first and last line included. */
  readonly shown: readonly (readonly [from: RegExp, to: RegExp])[];
}

/** A command with its output. */
export interface Scene {
  readonly command: string;
  /** Groups of lines that appear at once. */
  readonly parts: readonly (readonly Line[])[];
}

/** Replaces omitted lines. */
const LEFT_OUT: Line = [{ column: 0, text: "…", bold: false, dim: true }];

/** The commands in the README's section "Start". */
export const SCRIPTS: readonly Script[] = [
  {
    command: "npm start",
    shown: [
      [/^✓ Set-up /, /^✓ Stack dev /],
      [/^✓ stack dev · /, /^ORDERS /],
    ],
  },
  {
    command: "npx pulumi config set --path 'streams.ORDERS.placement.tags[0]' rg:3",
    shown: [],
  },
  {
    command: "npm run preview",
    shown: [
      [/^ +~ placement +: \{/, /^ {12}\}/],
      [/^ +~ hosts +: \[/, /^ {8}\]/],
      [/^In short:/, /^ +ORDERS: from /],
    ],
  },
];

/** Extracts the lines to show from a command's output. @throws Error if a range isn't found. */
export function excerpt({ command, shown }: Script, output: readonly Line[]): Scene {
  let rest = output;
  const parts = shown.map(([from, to]) => {
    const begin = findLine(rest, from, command);
    const end = begin + findLine(rest.slice(begin), to, command) + 1;
    const part = [...leftOut(rest.slice(0, begin)), ...rest.slice(begin, end)];
    rest = rest.slice(end);
    return part;
  });
  const last = leftOut(rest);
  return { command, parts: last.length > 0 ? [...parts, last] : parts };
}

function leftOut(lines: readonly Line[]): readonly Line[] {
  return lines.some((line) => line.length > 0) ? [LEFT_OUT] : [];
}

function findLine(lines: readonly Line[], sign: RegExp, command: string): number {
  const found = lines.findIndex((line) => sign.test(textOf(line)));
  if (found >= 0) return found;
  throw new Error(`${command} shows no line ${sign}:\n${lines.map(textOf).join("\n")}`);
}
