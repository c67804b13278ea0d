/** Where the time of an `up`, a preview or a `destroy` goes, by what the CLI writes meanwhile. */
import type { Timing } from "./stopwatch.ts";

interface Phase {
  readonly name: string;
  /** The phase ends with the first or the last line that matches. */
  readonly ends: "first" | "last";
  readonly line: RegExp;
}

const PHASES: readonly Phase[] = [
  { name: "CLI", ends: "first", line: /^(Updating|Previewing|Destroying) / },
  {
    name: "program and SDK",
    ends: "first",
    line: /pulumi:pulumi:Stack \S+ (creating|running)/,
  },
  {
    name: "checks",
    ends: "first",
    line: /(command:|docker:|pulumi-nodejs:dynamic)\S+ (?!identity )\S+ (creating|updating|replacing|deleting)/,
  },
  { name: "volumes", ends: "last", line: /:Volume \S+ (created|deleted)/ },
  {
    name: "nodes",
    ends: "last",
    line: /-(configured|container) (created|updated|replaced|deleted)/,
  },
  { name: "gates", ends: "last", line: /-wave-\d+ (created|updated|replaced)/ },
  { name: "streams", ends: "last", line: /:Stream \S+ (created|updated|replaced|deleted)/ },
  { name: "rest", ends: "first", line: /^(Diagnostics|Outputs|Resources):/ },
];

const LAST_PHASE = "state and exit";

export const PHASE_NAMES: readonly string[] = [...PHASES.map(({ name }) => name), LAST_PHASE];

/**
 * Seconds of each phase that a command had, which add up to its duration. Phases end in the order of their lines, which
 * isn't the same for all commands: a `destroy` takes the streams away first.
 */
export function phasesOf({
  lines,
  seconds,
}: Pick<Timing, "lines" | "seconds">): Readonly<Record<string, number>> {
  const ends = PHASES.flatMap(({ name, ends, line }) => {
    const matching = lines.filter(({ text }) => line.test(text));
    const end = ends === "first" ? matching[0] : matching.at(-1);
    return end === undefined ? [] : [{ name, at: end.at }];
  }).toSorted((a, b) => a.at - b.at);
  let began = 0;
  return Object.fromEntries(
    [...ends, { name: LAST_PHASE, at: seconds }].map(({ name, at }) => {
      const took = at - began;
      began = at;
      return [name, took];
    }),
  );
}
