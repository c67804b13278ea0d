import { PROJECT, SEED_SETTINGS, TestStack } from "../../test/support/stack.ts";
import { type Timing, time } from "./stopwatch.ts";

/** The measured steps, in their order. */
export const STEPS = [
  "cold up",
  "no-op preview",
  "no-op up",
  "tag change: preview",
  "tag change: up, move complete",
  "all nodes reloaded: up",
  "all nodes replaced, zone by zone: up",
  "destroy",
] as const;

export type Step = (typeof STEPS)[number];
export type Round = Readonly<Record<Step, Timing>>;

const MOVED = {
  streams: {
    ...SEED_SETTINGS.streams,
    ORDERS: { ...SEED_SETTINGS.streams.ORDERS, placement: { tags: ["rg:3"] } },
  },
};

/** A change of the servers' accounts only, for which nodes reload. */
const RELOADED = { ...MOVED, systemUser: "operator" };
const REPLACED = { ...RELOADED, memory: "256MiB" };

/**
 * Runs the life cycle of a stack with the seed's nine nodes and two streams once. Previews are measured separately, so
 * each `up` runs without one.
 *
 * @param options `folder`: the program's folder. Default: this repository. `watchMemory`: see {@link time}.
 */
export async function runRound({ folder = PROJECT, watchMemory = false } = {}): Promise<Round> {
  const stack = await TestStack.create();
  const pulumi = (...words: string[]) => {
    const { file, args, options } = stack.command(words);
    return time(file, args, { ...options, cwd: folder }, watchMemory);
  };
  try {
    const coldUp = await pulumi("up", "--yes", "--skip-preview");
    const noOpPreview = await pulumi("preview", "--expect-no-changes");
    const noOpUp = await pulumi("up", "--yes", "--skip-preview");
    stack.configure(MOVED);
    const movePreview = await pulumi("preview");
    const moveUp = await pulumi("up", "--yes", "--skip-preview");
    stack.configure(RELOADED);
    const reloadUp = await pulumi("up", "--yes", "--skip-preview");
    stack.configure(REPLACED);
    const replaceUp = await pulumi("up", "--yes", "--skip-preview");
    const destroy = await pulumi("destroy", "--yes", "--skip-preview");
    return {
      "cold up": coldUp,
      "no-op preview": noOpPreview,
      "no-op up": noOpUp,
      "tag change: preview": movePreview,
      "tag change: up, move complete": moveUp,
      "all nodes reloaded: up": reloadUp,
      "all nodes replaced, zone by zone: up": replaceUp,
      destroy,
    };
  } finally {
    await stack.remove();
  }
}

/** A phase of a cold `up`, from one sign in the CLI's output to the next. */
export interface Phase {
  readonly name: string;
  readonly until: RegExp;
}

/** Each phase ends with the last line that matches its sign. */
export const PHASES: readonly Phase[] = [
  { name: "CLI, program and SDK", until: /Command \S+-network creating/ },
  { name: "network and volumes", until: /Volume \S+ created/ },
  { name: "nodes, wave by wave", until: /-container created/ },
  { name: "meta group complete", until: /-wave-\d+ created/ },
  { name: "streams placed", until: /:Stream \S+ created/ },
  { name: "state and exit", until: /^/ },
];

/** Seconds that each phase of a cold up took. */
export function phasesOf({ lines, seconds }: Timing): Readonly<Record<string, number>> {
  let began = 0;
  return Object.fromEntries(
    PHASES.map(({ name, until }, index) => {
      const last = index === PHASES.length - 1;
      const ended = last ? seconds : (lines.findLast(({ text }) => until.test(text))?.at ?? began);
      const took = ended - began;
      began = ended;
      return [name, took];
    }),
  );
}
