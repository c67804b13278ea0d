import { statSync } from "node:fs";
import path from "node:path";
import { SaxesParser } from "saxes";
import { describe, expect, test } from "vitest";
import { excerpt, SCRIPTS } from "../../../tools/picture/scenes.ts";
import { type Line, readScreen, textOf } from "../../../tools/picture/screen.ts";
import { renderSvg } from "../../../tools/picture/svg.ts";
import { blocksOf, commandsIn, readDocument } from "../../support/documents.ts";
import { PROJECT } from "../../support/stack.ts";

const TERMINAL = { columns: 20, rows: 5 };
const screen = (written: string) => readScreen(written, TERMINAL);
const plain = { bold: false, dim: false };

describe("a terminal's screen", () => {
  test("has text in its colours, at its columns", async () => {
    const [line] = await screen("\x1b[32m✓\x1b[39m \x1b[1mok\x1b[22m  \x1b[2;38;5;9mlate\x1b[0m");
    expect(line).toEqual([
      { column: 0, text: "✓", color: 2, ...plain },
      { column: 2, text: "ok", bold: true, dim: false },
      { column: 6, text: "late", color: 9, bold: false, dim: true },
    ]);
  });

  test("has nothing of what was drawn over", async () => {
    const lines = await screen("\x1b[36m⠋\x1b[0m 1 of 2\r\n\x1b[1A\x1b[J✓ done\r\n");
    expect(lines.map(textOf)).toEqual(["✓ done"]);
  });

  test("keeps what has gone above it, and breaks what is too wide", async () => {
    const written = Array.from({ length: 30 }, (_, index) => `${index}\r\n`).join("");
    const lines = await screen(`${written}${"x".repeat(25)}`);
    expect(lines.map(textOf)).toEqual([
      ...Array.from({ length: 30 }, (_, index) => `${index}`),
      "x".repeat(20),
      "x".repeat(5),
    ]);
  });

  test("parts what may come from another font, and what stands apart", async () => {
    const [line = []] = await screen("│ a b   c│");
    expect(line.map(({ column, text }) => `${column} ${text}`)).toEqual([
      "0 │",
      "2 a b",
      "8 c",
      "9 │",
    ]);
    expect(textOf(line)).toBe("│ a b   c│");
  });
});

describe("what is shown of an output", () => {
  const script = { command: "go", shown: [[/^b/, /^c/] as const, [/^e/, /^e/] as const] };
  const textsOf = (lines: readonly Line[]) => lines.map(textOf);

  test("tells where something is left out", async () => {
    const { parts } = excerpt(script, await screen("a\r\nb\r\nc\r\nd\r\ne\r\nf"));
    expect(parts.map(textsOf)).toEqual([["…", "b", "c"], ["…", "e"], ["…"]]);
  });

  test("leaves out empty lines without a word", async () => {
    const { parts } = excerpt(script, await screen("b\r\n\r\nc\r\n\r\ne\r\n"));
    expect(parts.map(textsOf)).toEqual([["b", "", "c"], ["e"]]);
  });

  test("has to be there", async () => {
    const output = await screen("b\r\nd\r\ne");
    expect(() => excerpt(script, output)).toThrow("go shows no line /^c/");
  });
});

describe("the SVG", () => {
  const scenes = async (written: string) => [
    { command: "a <b> && c", parts: [await screen(written)] },
  ];

  test("has text as it is, whatever XML means by it", async () => {
    const { texts } = read(renderSvg(await scenes("<&> \x1b[31m'\"]]>")));
    expect(texts.map(({ text }) => text)).toEqual(["$", "a <b> && c", "<&>", "'\"]]>"]);
  });

  test("gives each text its colour and the width of its cells", async () => {
    const { texts } = read(renderSvg(await scenes("  ok \x1b[1;92mgood")));
    const [ok, good] = texts.slice(2);
    expect(ok?.attributes.class).toBeUndefined();
    expect(good?.attributes.class).toBe("f2 b");
    expect(ok?.attributes.textLength).toBe("16.8");
    expect(good?.attributes.textLength).toBe("33.6");
    expect(Number(good?.attributes.x) - Number(ok?.attributes.x)).toBeCloseTo(3 * 8.4);
  });

  test("is as wide and as high as what it shows", async () => {
    const sizeOf = async (written: string) => {
      const { width, height } = read(renderSvg(await scenes(written))).svg;
      return { width: Number(width), height: Number(height) };
    };
    const small = await sizeOf("x".repeat(15));
    const large = await sizeOf(`${"x".repeat(20)}\r\n2\r\n3`);
    expect(large.width - small.width).toBe(5 * 8.4);
    expect(large.height - small.height).toBe(2 * 17);
  });

  test("moves only where motion is welcome", async () => {
    const { style } = read(renderSvg(await scenes("1")));
    const [still = "", moving = ""] = style.split("@media (prefers-reduced-motion: no-preference)");
    expect(still).not.toContain("animation");
    expect(moving).toContain("animation");
  });
});

describe("docs/terminal.svg", () => {
  const file = "docs/terminal.svg";
  const { texts, style } = read(readDocument(file));
  const shown = texts.map(({ text }) => text);

  test("is below 100 KB and takes nothing from elsewhere", () => {
    expect(statSync(path.join(PROJECT, file)).size).toBeLessThan(100_000);
    expect(style).not.toMatch(/url\(|@import/);
  });

  test("shows the commands of the README, in their order", () => {
    const commands = blocksOf(readDocument("README.md"))
      .filter(({ language }) => language === "console")
      .flatMap(commandsIn)
      .map((command) => command.text);
    expect(commands).toEqual(SCRIPTS.map(({ command }) => command));
    expect(shown.filter((_, index) => shown[index - 1] === "$")).toEqual(commands);
  });

  test("shows stack dev with all its nodes, and where ORDERS goes", () => {
    expect(shown).toContain("stack dev");
    expect(shown).toContain("9 of 9 nodes up");
    expect(shown.filter((text) => /^rg\d-az\d$/.test(text)).length).toBeGreaterThanOrEqual(9);
    expect(shown).toContain("ORDERS: from rg2-az1, rg2-az2, rg2-az3 to rg3-az1, rg3-az2, rg3-az3");
  });

  test("tells nothing of the machine where it was made", () => {
    expect(shown.filter((text) => /(^|[\s"'=:])~?\/\w/.test(text))).toEqual([]);
  });
});

/** Reads an SVG. @throws Error where it isn't well-formed. */
function read(svg: string) {
  const elements: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: typeof elements = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element = { name, attributes, text: "" };
    elements.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    const element = open.at(-1);
    if (element) element.text += text;
  });
  parser.on("closetag", () => open.pop());
  parser.write(svg).close();
  const named = (name: string) => elements.filter((element) => element.name === name);
  return {
    svg: named("svg")[0]?.attributes ?? {},
    style: named("style")[0]?.text ?? "",
    texts: named("text"),
  };
}
