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

interface RoundOptions {
  readonly folder?: string;
  readonly lookMs?: number;
  readonly settings?: object;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs the life cycle of a stack with the seed's nine nodes and two streams once. Previews are measured separately, so
 * each `up` runs without one.
 *
 * @param options `folder`: the program's folder. Default: this repository. `lookMs`: see {@link time}. `settings`,
 * `env`: in addition to the seed's settings, and to the environment of this process.
 */
export async function runRound({
  folder = PROJECT,
  lookMs,
  settings = {},
  env = {},
}: RoundOptions = {}): Promise<Round> {
  const stack = await TestStack.create({ ...SEED_SETTINGS, ...settings });
  Object.assign(stack.env, env);
  const pulumi = (...words: string[]) => {
    const { file, args, options } = stack.command(words);
    return time(file, args, { ...options, cwd: folder }, lookMs);
  };
  try {
    const coldUp = await pulumi("up", "--yes", "--skip-preview");
    const noOpPreview = await pulumi("preview", "--expect-no-changes");
    const noOpUp = await pulumi("up", "--yes", "--skip-preview");
    stack.configure({ ...MOVED, ...settings });
    const movePreview = await pulumi("preview");
    const moveUp = await pulumi("up", "--yes", "--skip-preview");
    stack.configure({ ...RELOADED, ...settings });
    const reloadUp = await pulumi("up", "--yes", "--skip-preview");
    stack.configure({ ...REPLACED, ...settings });
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
