/** How the bench shows what it has measured, and where it keeps it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import path from "node:path";
import Table, { type Cell } from "cli-table3";

/** Prints a table. */
export function show(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const table = new Table({ head: [...head], style: { head: [] } });
  table.push(...rows.map((row) => [...row]));
  console.log(`${table}`);
}

/** What figures depend on. */
export function machine() {
  return { cpus: cpus().length, memoryGiB: Math.round(totalmem() / 1024 ** 3) };
}

/** Writes figures into a file of their own. */
export function keep(results: object): void {
  const folder = "bench-results";
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${new Date().toISOString().replaceAll(":", "-")}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Every figure: ${file}`);
}
