/** The figures of a run of the bench at several sites, and their table. */
import { z } from "zod";
import { STEPS } from "./cycle.ts";
import { byStep } from "./figures.ts";
import { SITES, type SiteName, type SiteRounds } from "./sites.ts";
import { spread } from "./spread.ts";
import type { TextTable } from "./tables.ts";

/** Seconds of each step in each round, by site. */
export const siteFiguresSchema = z.record(
  z.enum(SITES),
  z.record(z.enum(STEPS), z.array(z.number())),
);

export type SiteFigures = z.output<typeof siteFiguresSchema>;

export function siteFiguresOf(rounds: SiteRounds): SiteFigures {
  const figures = SITES.map((site) => [
    site,
    byStep((step) => rounds[site].map((round) => round1(round[step].seconds))),
  ]);
  return Object.fromEntries(figures) as SiteFigures;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Median seconds of each step at each site, and how many times as long that is as at the first one. */
export function sitesTable(figures: SiteFigures): TextTable {
  const [first, ...others] = SITES;
  const median = (site: SiteName, step: (typeof STEPS)[number]) =>
    spread(figures[site][step]).median;
  return {
    head: ["step", `${first}, s`, ...others.map((site) => `${site}, s (ratio)`)],
    rows: STEPS.map((step) => [
      step,
      median(first, step).toFixed(1),
      ...others.map((site) => {
        const ratio = median(site, step) / median(first, step);
        return `${median(site, step).toFixed(1)} (${ratio.toFixed(1)})`;
      }),
    ]),
  };
}
