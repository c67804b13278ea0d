import { TestStack } from "../../test/support/stack.ts";
import { type Timing, time } from "./stopwatch.ts";
import { LOOSELY_MS } from "./watch.ts";

/** The cost of a number of streams on one cluster of nine nodes. */
export interface StreamCosts {
  readonly streams: number;
  /** An `up` that adds the streams which the previous row didn't have. */
  readonly up: Timing;
  readonly noOpPreview: Timing;
}

export interface StreamBench {
  /** One row for each number of streams. */
  readonly costs: readonly StreamCosts[];
  /** A `destroy` of the cluster with the last number of streams. */
  readonly destroy: Timing;
}

/** Streams of three replicas, spread over the regions. */
function settingsOf(count: number): object {
  const streams = Array.from({ length: count }, (_, index) => {
    const placement = { region: `rg${(index % 3) + 1}` };
    return [`S${index}`, { subjects: [`s${index}.>`], replicas: 3, placement }] as const;
  });
  return { streams: Object.fromEntries(streams) };
}

/**
 * Increases the number of streams of one stack, and measures each step.
 *
 * @param onStep called with the step that is measured next.
 */
export async function runStreams(
  counts: readonly number[],
  keepCheckpoints: boolean,
  onStep: (step: string) => void,
): Promise<StreamBench> {
  const stack = await TestStack.create({});
  if (keepCheckpoints) stack.env.PULUMI_SKIP_CHECKPOINTS = "false";
  const pulumi = (...words: string[]) => {
    const { file, args, options } = stack.command(words);
    return time(file, args, options, LOOSELY_MS);
  };
  try {
    await pulumi("up", "--yes", "--skip-preview");
    const costs: StreamCosts[] = [];
    for (const streams of counts) {
      onStep(`up to ${streams}`);
      stack.configure(settingsOf(streams));
      const up = await pulumi("up", "--yes", "--skip-preview");
      const noOpPreview = await pulumi("preview", "--expect-no-changes");
      costs.push({ streams, up, noOpPreview });
    }
    onStep("destroy");
    const destroy = await pulumi("destroy", "--yes", "--skip-preview");
    return { costs, destroy };
  } finally {
    await stack.remove();
  }
}
