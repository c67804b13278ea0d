/** Where the nine nodes of a cluster can be, from one engine on this machine to three machines that are far away. */
import type { PerPair } from "../../test/support/machines/directions.ts";
import { Machines } from "../../test/support/machines/machines.ts";
import { type Round, runRound } from "./cycle.ts";

/** The names of all sites, in their order. */
export const SITES = [
  "engine of this machine",
  "one machine",
  "three machines",
  "three machines, 30, 60 and 80 ms apart",
  "the same, and 80 ms from here",
] as const;

export type SiteName = (typeof SITES)[number];

interface Site {
  /** How many machines have the three regions; 0 for the engine that the environment chooses. */
  readonly machines: 0 | 1 | 3;
  /** Milliseconds, one way. */
  readonly delays: PerPair;
}

const APART: PerPair = { "m1-m2": 15, "m2-m3": 30, "m1-m3": 40 };
const TOGETHER: PerPair = { "m1-m2": 0, "m2-m3": 0, "m1-m3": 0 };
const HERE: PerPair = { "operator-m1": 0, "operator-m2": 0, "operator-m3": 0 };
const AWAY: PerPair = { "operator-m1": 40, "operator-m2": 40, "operator-m3": 40 };

const BY_NAME: Readonly<Record<SiteName, Site>> = {
  "engine of this machine": { machines: 0, delays: {} },
  "one machine": { machines: 1, delays: { ...TOGETHER, ...HERE } },
  "three machines": { machines: 3, delays: { ...TOGETHER, ...HERE } },
  "three machines, 30, 60 and 80 ms apart": { machines: 3, delays: { ...APART, ...HERE } },
  "the same, and 80 ms from here": { machines: 3, delays: { ...APART, ...AWAY } },
};

/** Measured rounds, by site. */
export type SiteRounds = Readonly<Record<SiteName, readonly Round[]>>;

/**
 * Runs the life of a cluster at each site, in turns, so that whatever else the machine does is the same for all.
 *
 * @param runs rounds for each site.
 * @param images images of this machine's engine that the machines need.
 * @param onStep called with what is measured next.
 */
export async function runSites(
  runs: number,
  images: readonly string[],
  onStep: (step: string) => void,
): Promise<SiteRounds> {
  onStep("starting machines");
  await using machines = await Machines.start({ count: 3, images });
  const rounds = new Map<SiteName, Round[]>(SITES.map((name) => [name, []]));
  for (let run = 1; run <= runs; run += 1) {
    // The first of a round finds caches that nobody has filled, so the order alternates.
    for (const name of run % 2 === 1 ? SITES : SITES.toReversed()) {
      onStep(`round ${run} of ${runs}, ${name}`);
      rounds.get(name)?.push(await runAt(BY_NAME[name], machines));
    }
  }
  return Object.fromEntries(rounds) as unknown as SiteRounds;
}

async function runAt({ machines: count, delays }: Site, machines: Machines): Promise<Round> {
  if (count === 0) return await runRound();
  await machines.setDelays(delays);
  const hosts = ["rg1", "rg2", "rg3"].map((region, index) => {
    const machine = machines.all[count === 1 ? 0 : index];
    return [region, { host: machine?.host }] as const;
  });
  const settings = { engines: Object.fromEntries(hosts) };
  return await runRound({ settings, env: machines.environment });
}
