/** The figures that are kept with the code, and the document that shows them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PROJECT } from "../../test/support/stack.ts";
import { fill, table } from "../documents/markdown.ts";
import { type Figures, figuresSchema } from "./figures.ts";
import { type SiteFigures, siteFiguresSchema, sitesTable } from "./site-figures.ts";
import { type StreamFigures, streamFiguresSchema, streamsTable } from "./stream-figures.ts";
import { phasesTable, processesTable, stepsTable, type TextTable } from "./tables.ts";

const FIGURES = path.join(import.meta.dirname, "figures.json");
const STREAM_FIGURES = path.join(import.meta.dirname, "many-streams.json");
const SITE_FIGURES = path.join(import.meta.dirname, "sites.json");
const NOT_YET = "`npm run bench -- machines --save` writes the table.\n";
const DOCUMENT = path.join(PROJECT, "docs/faults-and-speed.md");

/** The figures of the last `npm run bench -- --save`. */
export function readCommitted(): Figures {
  return figuresSchema.parse(JSON.parse(readFileSync(FIGURES, "utf8")));
}

/** The figures of the last `npm run bench -- streams --save`. */
function readCommittedStreams(): StreamFigures {
  return streamFiguresSchema.parse(JSON.parse(readFileSync(STREAM_FIGURES, "utf8")));
}

/** The figures of the last `npm run bench -- machines --save`; undefined before the first one. */
function readCommittedSites(): SiteFigures | undefined {
  if (!existsSync(SITE_FIGURES)) return undefined;
  return siteFiguresSchema.parse(JSON.parse(readFileSync(SITE_FIGURES, "utf8")));
}

/** Keeps figures, and writes them into the document. */
export function commit(figures: Figures): void {
  writeFileSync(FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
  document();
}

/** The same for figures of many streams. */
export function commitStreams(figures: StreamFigures): void {
  writeFileSync(STREAM_FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
  document();
}

/** The same for figures of machines. */
export function commitSites(figures: SiteFigures): void {
  writeFileSync(SITE_FIGURES, `${JSON.stringify(figures, null, 2)}\n`);
  document();
}

function document(): void {
  writeFileSync(DOCUMENT, documented(readFileSync(DOCUMENT, "utf8")));
}

/** The document with the tables of the committed figures. */
export function documented(text: string): string {
  const figures = readCommitted();
  const sites = readCommittedSites();
  const markdown = ({ head, rows }: TextTable) => table(head, rows);
  return fill(text, "npm run bench", {
    steps: `${conditions(figures)}\n\n${markdown(stepsTable(figures))}`,
    phases: markdown(phasesTable(figures)),
    processes: markdown(processesTable(figures)),
    streams: markdown(streamsTable(readCommittedStreams())),
    machines: sites === undefined ? NOT_YET : markdown(sitesTable(sites)),
  });
}

function conditions({ machine, example, steps }: Figures): string {
  const rounds = steps["cold up"].seconds.length;
  return `${machine.cpus} cores, ${machine.memoryGiB} GiB; ${rounds} rounds, ${example.length} of the example's own flow.`;
}
