/** What the picture shows: commands, and what of their output. */
import { type Line, textOf } from "./screen.ts";

/** A command, and what of its output is shown. */
export interface Script {
  readonly command: string;
  /** From a line to a line, both shown; in the order in which they come. */
  readonly shown: readonly (readonly [from: RegExp, to: RegExp])[];
}

/** A command with its output. */
export interface Scene {
  readonly command: string;
  /** What comes at once. */
  readonly parts: readonly (readonly Line[])[];
}

/** Stands where something is left out. */
const LEFT_OUT: Line = [{ column: 0, text: "…", bold: false, dim: true }];

/** The commands of the README's section "Start", as they stand there. */
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

/** Takes out of a command's output what is shown. @throws Error where it isn't there. */
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
