/** Parts of documents that are written by commands. */

/** A Markdown table, from cells in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n");
}

/**
 * Fills parts in between their markers in a document.
 *
 * @param command the command that writes them, as the markers name it.
 * @throws Error if a marker is missing.
 */
export function fill(
  text: string,
  command: string,
  parts: Readonly<Record<string, string>>,
): string {
  return Object.entries(parts).reduce((filled, [name, part]) => {
    const [begin, end] = [`<!-- ${name}, written by ${command} -->`, `<!-- end of ${name} -->`];
    return replaceOnce(filled, new RegExp(`${begin}[^]*${end}`), `${begin}\n\n${part}\n${end}`);
  }, text);
}

/** @throws Error if there is no such place. */
export function replaceOnce(text: string, place: RegExp, replacement: string): string {
  if (!place.test(text)) throw new Error(`there is no place for it: ${place}`);
  return text.replace(place, () => replacement);
}
