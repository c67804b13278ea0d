import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import path from "node:path";
import Table from "cli-table3";
import { createLog } from "../../cli/terminal/steps.mjs";
import { compareWith } from "../bench/against.ts";
import { phasesOf, type Round, runRound, STEPS } from "../bench/cycle.ts";
import { timeExample } from "../bench/example.ts";
import { runStreams } from "../bench/many-streams.ts";
import { type ProcessCosts, runProcesses } from "../bench/processes.ts";
import type { Timing } from "../bench/stopwatch.ts";
import { setUp } from "../setup/set-up.ts";

export async function benchAgainst(ref: string, { runs }: { runs: number }): Promise<number> {
  const log = createLog();
  await setUp({ log });
  const step = log.step("Two versions");
  const rounds = await compareWith(ref, runs, (doing) => step.doing(doing));
  step.done("measured");
  const steps = STEPS.map((step) => {
    const secondsOf = (each: readonly Round[]) => spread(each.map((round) => round[step].seconds));
    const [there, here] = [secondsOf(rounds.there), secondsOf(rounds.here)];
    return { step, there, here, ratio: here.median / there.median };
  });
  const table = new Table({
    head: ["step", `${ref}: median s`, "range s", "this version: median s", "range s", "ratio"],
    style: { head: [] },
  });
  for (const { step, there, here, ratio } of steps) {
    table.push([step, ...cells(there), ...cells(here), ratio.toFixed(2)]);
  }
  console.log(`${table}`);
  save({ machine: machine(), against: ref, steps });
  return 0;
}

export async function benchStreams(options: {
  readonly counts: readonly number[];
  readonly skipCheckpoints?: boolean | undefined;
}): Promise<number> {
  const log = createLog();
  await setUp({ log });
  const step = log.step("Streams");
  const { costs, destroy } = await runStreams(
    options.counts,
    options.skipCheckpoints ?? false,
    (doing) => step.doing(doing),
    ({ streams, up, noOpPreview }) =>
      log.line(
        `${streams} streams: up in ${up.seconds.toFixed(1)} s, no-op preview in ${noOpPreview.seconds.toFixed(1)} s`,
      ),
  );
  step.done("measured");
  const table = new Table({
    head: ["streams", "up s", "ms a stream", "no-op preview s", "ms a stream", "peak MiB"],
    style: { head: [] },
  });
  for (const [index, { streams, up, noOpPreview }] of costs.entries()) {
    const added = streams - (costs[index - 1]?.streams ?? 0);
    table.push([
      streams,
      up.seconds.toFixed(1),
      ((up.seconds / added) * 1_000).toFixed(0),
      noOpPreview.seconds.toFixed(1),
      ((noOpPreview.seconds / streams) * 1_000).toFixed(1),
      Math.max(up.peakMiB, noOpPreview.peakMiB).toFixed(0),
    ]);
  }
  console.log(`${table}`);
  console.log(`Destroyed in ${destroy.seconds.toFixed(1)} s.`);
  save({
    machine: machine(),
    costs: costs.map(({ streams, up, noOpPreview }) => ({
      streams,
      up: brief(up),
      noOpPreview: brief(noOpPreview),
    })),
    destroy: brief(destroy),
  });
  return 0;
}

export async function benchProcesses({ runs }: { readonly runs: number }): Promise<number> {
  const log = createLog();
  await setUp({ log });
  const step = log.step("Processes");
  const measured = await runProcesses(runs, (doing) => step.doing(doing));
  step.done("measured");
  for (const [command, costs] of Object.entries(measured)) {
    const kinds = [...Map.groupBy(costs.flat(), ({ name }) => name)];
    const medianOf = (each: readonly ProcessCosts[], key: Exclude<keyof ProcessCosts, "name">) =>
      spread(each.map((costs) => costs[key])).median;
    const table = new Table({
      head: [command, "CPU s", "peak MiB", "from s", "to s"],
      style: { head: [] },
    });
    for (const [name, each] of kinds) {
      const [cpu, from, to] = (["cpuSeconds", "from", "to"] as const).map((key) =>
        medianOf(each, key).toFixed(2),
      );
      table.push([name, cpu, medianOf(each, "peakMiB").toFixed(0), from, to]);
    }
    const total = costs.map((run) => run.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0));
    table.push(["all", spread(total).median.toFixed(2), "", "", ""]);
    console.log(`${table}`);
  }
  save({ machine: machine(), measured });
  return 0;
}

function brief({ seconds, peakMiB }: Timing) {
  return { seconds, peakMiB };
}

function machine() {
  return { cpus: cpus().length, memoryGiB: Math.round(totalmem() / 1024 ** 3) };
}

function save(results: object): void {
  const folder = "bench-results";
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${new Date().toISOString().replaceAll(":", "-")}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  console.log(`Every figure: ${file}`);
}

export async function benchCycle({ runs }: { runs: number }): Promise<number> {
  const log = createLog();
  const tools = await setUp({ log, want: ["stack", "nats-server", "nats"] });

  const rounds: Round[] = [];
  const example: (number | undefined)[] = [];
  for (let round = 1; round <= runs; round++) {
    const step = log.step(`Round ${round} of ${runs}`);
    step.doing("the example's flow, then ours");
    example.push(await timeExample(tools));
    rounds.push(await runRound());
    step.done("measured");
  }
  const step = log.step("Memory");
  step.doing("once more, watching memory");
  const memory = await runRound({ watchMemory: true });
  step.done("measured");

  const results = summarize(rounds, example, memory);
  console.log(render(results));
  save(results);
  return 0;
}

type Results = ReturnType<typeof summarize>;

function summarize(
  rounds: readonly Round[],
  example: readonly (number | undefined)[],
  memory: Round,
) {
  const yardstick = spread(example.filter((seconds) => seconds !== undefined));
  const coldUps = rounds.map((round) => phasesOf(round["cold up"]));
  const phaseNames = Object.keys(coldUps[0] ?? {});
  return {
    machine: machine(),
    example: { ...yardstick, failed: example.filter((seconds) => seconds === undefined).length },
    steps: STEPS.map((step) => {
      const seconds = spread(rounds.map((round) => round[step].seconds));
      return {
        step,
        ...seconds,
        ratioToExample: seconds.median / yardstick.median,
        peakMiB: memory[step].peakMiB,
      };
    }),
    coldUpPhases: phaseNames.map((phase) => ({
      phase,
      ...spread(coldUps.map((phases) => phases[phase] ?? 0)),
    })),
  };
}

interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly all: readonly number[];
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return {
    median: middle.reduce((sum, value) => sum + value, 0) / middle.length,
    lowest: sorted[0] ?? Number.NaN,
    highest: sorted.at(-1) ?? Number.NaN,
    all: values,
  };
}

function render({ example, steps, coldUpPhases }: Results): string {
  const style = { style: { head: [] } };
  const table = new Table({
    head: ["step", "median s", "range s", "ratio", "peak MiB"],
    ...style,
  });
  const failed = example.failed > 0 ? ` (failed ${example.failed} times)` : "";
  table.push([`the example's own flow${failed}`, ...cells(example), "1.00", ""]);
  for (const step of steps) {
    const name = `  ${step.step}`;
    table.push([name, ...cells(step), step.ratioToExample.toFixed(2), step.peakMiB.toFixed(0)]);
  }
  const phases = new Table({ head: ["phase of a cold up", "median s", "range s"], ...style });
  for (const phase of coldUpPhases) phases.push([phase.phase, ...cells(phase)]);
  return `${table}\n${phases}`;
}

function cells({ median, lowest, highest }: Spread): [string, string] {
  return [median.toFixed(2), `${lowest.toFixed(2)} to ${highest.toFixed(2)}`];
}
