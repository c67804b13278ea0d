import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { PROJECT } from "./stack.ts";

/** The Markdown files of the repository, relative to it. */
export const DOCUMENTS: readonly string[] = globSync(["*.md", "docs/**/*.md", "examples/*/*.md"], {
  cwd: PROJECT,
}).sort();

/** A fenced block of a document. */
export interface Block {
  /** Number of its first line of text, from 1. */
  readonly line: number;
  /** E.g. `sh`; empty if the fence names none. */
  readonly language: string;
  readonly text: string;
}

/** A command line in a document, and the output that the document shows. */
export interface Command {
  readonly line: number;
  /** On one line, without a trailing comment. */
  readonly text: string;
  /** Empty if the document shows none. */
  readonly output: string;
}

export function readDocument(file: string): string {
  return readFileSync(path.join(PROJECT, file), "utf8");
}

/** The fenced blocks of a document, in order. @throws Error if a fence isn't closed. */
export function blocksOf(text: string): readonly Block[] {
  const lines = text.split("\n");
  const fences = lines.flatMap((line, index) => (line.startsWith("```") ? [index] : []));
  if (fences.length % 2 === 1) throw new Error("a fence isn't closed");
  return fences.flatMap((begin, index) => {
    if (index % 2 === 1) return [];
    const language = lines[begin]?.slice(3).trim() ?? "";
    const body = lines.slice(begin + 1, fences[index + 1]);
    return [{ line: begin + 2, language, text: body.join("\n") }];
  });
}

/** A document without its fenced blocks. */
export function proseOf(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** The commands of a block: with language `sh`, each on its own lines; with `console`, each after a `$`. */
export function commandsIn({ language, line, text }: Block): readonly Command[] {
  if (language !== "sh" && language !== "console") return [];
  const commands: { line: number; text: string; output: string[] }[] = [];
  let isOpen = false;
  for (const [index, written] of text.split("\n").entries()) {
    const begins = language === "sh" || written.startsWith("$ ");
    const last = commands.at(-1);
    if (isOpen && last) last.text = `${last.text.slice(0, -1).trimEnd()} ${written.trim()}`;
    else if (begins) {
      commands.push({ line: line + index, text: written.replace(/^\$ /, ""), output: [] });
    } else last?.output.push(written);
    isOpen = (isOpen || begins) && written.endsWith("\\");
  }
  return commands
    .map(({ text: typed, output, ...rest }) => ({
      ...rest,
      text: typed.replace(/(^|\s+)#.*$/, "").trim(),
      output: output.join("\n").trim(),
    }))
    .filter((command) => command.text !== "");
}

/** The steps of a document, in order: commands, and YAML for the stack's file or a file of its own. */
export type Step =
  | ({ readonly kind: "command" } & Command)
  | ({ readonly kind: "settings" } & Block)
  | ({ readonly kind: "file" } & Block);

/** @param text of a document. */
export function stepsOf(text: string): readonly Step[] {
  return blocksOf(text).flatMap((block): Step[] => {
    if (block.language === "yaml") {
      const kind = fileNameOf(block) === undefined ? "settings" : "file";
      return [{ kind, ...block }];
    }
    return commandsIn(block).map((command) => ({ kind: "command", ...command }));
  });
}

/** The name of the file that a block shows, if its first line has it: `# wish.yaml`. */
export function fileNameOf({ text }: Pick<Block, "text">): string | undefined {
  return /^# (\S+\.\w+)$/m.exec(text.split("\n")[0] ?? "")?.[1];
}

/** The anchors of a document's headings, as GitHub generates them. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const headings = proseOf(text).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    Array.from(headings, ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** The link targets of a document. */
export function linksOf(text: string): readonly string[] {
  return Array.from(proseOf(text).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target);
}

/** The inline code of a document. */
export function codeIn(text: string): readonly string[] {
  return Array.from(proseOf(text).matchAll(/`([^`]+)`/g), ([, code = ""]) =>
    code.replaceAll(/\s+/g, " "),
  );
}

/** The commands of a command line, as unquoted words: those joined by `&&`, and those in `$(…)`. */
export function simpleCommands(line: string): readonly (readonly string[])[] {
  const inner = Array.from(line.matchAll(/\$\(([^()]*)\)/g), ([, text = ""]) => text);
  return [line.replaceAll(/\$\([^()]*\)/g, "x"), ...inner].flatMap((text) =>
    splitWords(text)
      .join("\0")
      .split(/\0(?:&&|\|\|?|;)\0/)
      .map((part) => part.split("\0")),
  );
}

function splitWords(line: string): readonly string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}
