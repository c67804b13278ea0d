/** The tables of a run of the bench, for the terminal and for the documents. */
import { STEPS, type Step } from "./cycle.ts";
import { type Figures, ownCpuSeconds, type StepFigures } from "./figures.ts";
import { PHASE_NAMES } from "./phases.ts";
import { spread } from "./spread.ts";
import { type Kind, OWN, SHARED } from "./watch.ts";

/** A head and rows of text. */
export interface TextTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** How long each step takes, beside the example's own flow and beside OpenTofu if that was measured. */
export function stepsTable({ example, steps }: Figures): TextTable {
  const hasPeer = STEPS.some((step) => steps[step].openTofu);
  const yardstick = spread(example).median;
  const peerHead = hasPeer ? ["OpenTofu, s", "range", "ratio to it"] : [];
  const rows = STEPS.map((step) => {
    const { seconds, openTofu, costs } = steps[step];
    const { median } = spread(seconds);
    const ratio = (median / yardstick).toFixed(2);
    const peer = openTofu
      ? [...timeCells(openTofu.seconds), (median / spread(openTofu.seconds).median).toFixed(2)]
      : ["", "", ""];
    return [step, ...timeCells(seconds), ratio, ...(hasPeer ? peer : []), `${costs.peakMiB}`];
  });
  const flow = ["the example's own flow", ...timeCells(example), "1.00", ...peerHead.map(() => "")];
  return {
    head: ["step", "median, s", "range", "ratio to the example", ...peerHead, "peak memory, MiB"],
    rows: [[...flow, ""], ...rows],
  };
}

/** CPU seconds of each kind of process in each step. */
export function processesTable({
  steps,
}: {
  readonly steps: Readonly<Record<Step, Pick<StepFigures, "costs" | "openTofu">>>;
}): TextTable {
  const isUsed = (kind: Kind) => STEPS.some((step) => steps[step].costs.cpuSeconds[kind]);
  const [own, shared] = [OWN.filter(isUsed), SHARED.filter(isUsed)];
  const hasPeer = STEPS.some((step) => steps[step].openTofu);
  return {
    head: ["step", ...own, "all of these", ...shared, ...(hasPeer ? ["OpenTofu, all"] : [])],
    rows: STEPS.map((step) => {
      const { costs, openTofu } = steps[step];
      const cells = (kinds: readonly Kind[]) =>
        kinds.map((kind) => costs.cpuSeconds[kind]?.toFixed(2) ?? "");
      const peer = openTofu ? ownCpuSeconds(openTofu.costs).toFixed(2) : "";
      const total = ownCpuSeconds(costs).toFixed(2);
      return [step, ...cells(own), total, ...cells(shared), ...(hasPeer ? [peer] : [])];
    }),
  };
}

/** Median seconds of each phase of each step. */
export function phasesTable({ steps }: Figures): TextTable {
  const used = PHASE_NAMES.filter((name) => STEPS.some((step) => steps[step].phases[name]));
  return {
    head: ["step", ...used],
    rows: STEPS.map((step) => [
      step,
      ...used.map((name) => steps[step].phases[name]?.toFixed(2) ?? ""),
    ]),
  };
}

export function timeCells(seconds: readonly number[]): [string, string] {
  const { median, lowest, highest } = spread(seconds);
  return [median.toFixed(2), `${lowest.toFixed(2)} to ${highest.toFixed(2)}`];
}
