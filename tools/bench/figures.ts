/** The figures of a run of the bench, and what got worse since an earlier run. */
import { z } from "zod";
import { type Round, STEPS, type Step } from "./cycle.ts";
import type { PeerRound } from "./opentofu.ts";
import { phasesOf } from "./phases.ts";
import { spread } from "./spread.ts";
import type { Timing } from "./stopwatch.ts";
import { KINDS, OWN, type ProcessCosts } from "./watch.ts";

const seconds = z.array(z.number());

const costs = z.object({
  cpuSeconds: z.partialRecord(z.enum(KINDS), z.number()),
  peakMiB: z.number(),
}) satisfies z.ZodType<ProcessCosts>;

const stepFigures = z.object({
  /** Seconds of each round. */
  seconds,
  /** Median seconds. */
  phases: z.record(z.string(), z.number()),
  /** Of one more round, which was watched. */
  costs,
  /** The same work by OpenTofu; absent where it wasn't measured, or has no such step. */
  openTofu: z.object({ seconds, costs }).exactOptional(),
});

export const figuresSchema = z.object({
  machine: z.object({ cpus: z.number(), memoryGiB: z.number() }),
  /** Seconds of each run of the example's own flow that didn't fail. */
  example: seconds,
  steps: z.record(z.enum(STEPS), stepFigures),
});

export type StepFigures = z.output<typeof stepFigures>;
export type Figures = z.output<typeof figuresSchema>;

/** What the bench has measured. */
export interface Measured {
  readonly machine: Figures["machine"];
  readonly example: readonly number[];
  readonly rounds: readonly Round[];
  readonly watched: Round;
  /** Absent if OpenTofu wasn't measured. */
  readonly peer?: { readonly rounds: readonly PeerRound[]; readonly watched: PeerRound };
}

/** Figures of two decimals: more would be noise. */
export function figuresOf({ machine, example, rounds, watched, peer }: Measured): Figures {
  const figuresOfStep = (step: Step): StepFigures => {
    const figures = {
      seconds: rounds.map((round) => round2(round[step].seconds)),
      phases: medians(rounds.map((round) => phasesOf(round[step]))),
      costs: costsOf([watched[step]]),
    };
    const ofPeer = peer?.rounds.flatMap((round) => round[step] ?? []) ?? [];
    if (ofPeer.length === 0) return figures;
    const seconds = ofPeer.map((timing) => round2(timing.seconds));
    return { ...figures, openTofu: { seconds, costs: costsOf([peer?.watched[step] ?? {}]) } };
  };
  return { machine, example: example.map(round2), steps: byStep(figuresOfStep) };
}

export function byStep<Value>(of: (step: Step) => Value): Record<Step, Value> {
  return Object.fromEntries(STEPS.map((step) => [step, of(step)])) as Record<Step, Value>;
}

/** Medians of watched runs. */
export function costsOf(timings: readonly Pick<Timing, "costs">[]): ProcessCosts {
  const costs = timings.flatMap((timing) => timing.costs ?? []);
  return {
    cpuSeconds: medians(costs.map(({ cpuSeconds }) => cpuSeconds)),
    peakMiB: Math.round(spread(costs.map(({ peakMiB }) => peakMiB)).median),
  };
}

/** Of each name; one that is missing in some counts as 0 there. */
function medians(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(all.flatMap((each) => Object.keys(each)));
  return Object.fromEntries(
    [...names].map((name) => [name, round2(spread(all.map((each) => each[name] ?? 0)).median)]),
  );
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

/** CPU seconds of the processes of a command; the engine's and the servers' aren't counted. */
export function ownCpuSeconds({ cpuSeconds }: ProcessCosts): number {
  return OWN.reduce((sum, kind) => sum + (cpuSeconds[kind] ?? 0), 0);
}

/** A value of one step that machines of one kind have in common. */
export interface Measure {
  readonly name: string;
  /** One value for each round. */
  readonly values: readonly number[];
}

/** The values of a step that are compared with those of other runs: ratios rather than seconds. */
export function measuresOf({ example, steps }: Figures, step: Step): readonly Measure[] {
  const figures = steps[step];
  const ratio = (name: string, yardstick: readonly number[]): Measure => {
    const { median } = spread(yardstick);
    return { name, values: figures.seconds.map((each) => each / median) };
  };
  return [
    ratio("ratio to the example's flow", example),
    ...(figures.openTofu ? [ratio("ratio to OpenTofu", figures.openTofu.seconds)] : []),
    { name: "CPU s", values: [ownCpuSeconds(figures.costs)] },
    { name: "peak MiB", values: [figures.costs.peakMiB] },
  ];
}

/** A measure that got worse. */
export interface Worsening {
  readonly step: Step;
  readonly measure: string;
  /** Medians. */
  readonly before: number;
  readonly now: number;
}

/** Medians of the same code differ by less on a quiet machine. */
const NOISE = 0.15;

/** What got worse: beyond the noise, and with no round as good as the worst before. */
export function worsenings(before: Figures, now: Figures): readonly Worsening[] {
  return STEPS.flatMap((step) => {
    const earlier = new Map(measuresOf(before, step).map(({ name, values }) => [name, values]));
    return measuresOf(now, step).flatMap(({ name, values }) => {
      const [then, here] = [spread(earlier.get(name) ?? []), spread(values)];
      const isWorse = here.median > then.median * (1 + NOISE) && here.lowest > then.highest;
      return isWorse ? [{ step, measure: name, before: then.median, now: here.median }] : [];
    });
  });
}
