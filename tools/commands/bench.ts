import type { Log } from "../../cli/terminal/log.ts";
import { createLog } from "../../cli/terminal/steps.mjs";
import { UserError } from "../../cli/terminal/user-error.ts";
import { whyNoMachines } from "../../test/support/machines/machines.ts";
import { compareWith } from "../bench/against.ts";
import { commit, commitSites, commitStreams, readCommitted } from "../bench/committed.ts";
import { type Round, runRound, STEPS } from "../bench/cycle.ts";
import { timeExample } from "../bench/example.ts";
import { byStep, costsOf, type Figures, figuresOf, worsenings } from "../bench/figures.ts";
import { runStreams, type StreamBench } from "../bench/many-streams.ts";
import { type PeerRound, runPeerRound, whyNoOpenTofu } from "../bench/opentofu.ts";
import { keep, machine, show } from "../bench/report.ts";
import { siteFiguresOf, sitesTable } from "../bench/site-figures.ts";
import { runSites } from "../bench/sites.ts";
import { spread } from "../bench/spread.ts";
import { streamFiguresOf, streamsTable } from "../bench/stream-figures.ts";
import { phasesTable, processesTable, stepsTable, timeCells } from "../bench/tables.ts";
import { CLOSELY_MS } from "../bench/watch.ts";
import { PINNED_IMAGE } from "../setup/nats.ts";
import { setUp } from "../setup/set-up.ts";

interface CycleOptions {
  readonly runs: number;
  /** Keeps the figures, as those that later runs are compared with. */
  readonly save?: boolean | undefined;
  /** Fails if anything got worse. */
  readonly strict?: boolean | undefined;
}

interface StreamsOptions {
  readonly counts: readonly number[];
  /** Measures only what `npx pulumi` does by itself. */
  readonly asIs?: boolean | undefined;
  readonly save?: boolean | undefined;
}

interface SitesOptions {
  readonly runs: number;
  readonly save?: boolean | undefined;
}

export async function benchCycle({ runs, save, strict }: CycleOptions): Promise<number> {
  const log = createLog();
  const committed = readCommitted();
  const missing = await whyNoOpenTofu();
  if (missing !== undefined) {
    log.line(`OpenTofu isn't measured: ${missing}. docs/faults-and-speed.md tells how to get it.`);
    const hasPeer = STEPS.some((step) => committed.steps[step].openTofu);
    if (save && hasPeer) {
      throw new UserError("The committed figures have OpenTofu's, so --save needs it.");
    }
  }
  const figures = await measureCycle(runs, missing === undefined, log);
  for (const { head, rows } of [stepsTable, phasesTable, processesTable].map((of) => of(figures))) {
    show(head, rows);
  }
  keep(figures);
  const isWorse = tellWhatGotWorse(committed, figures);
  if (save) {
    commit(figures);
    console.log("Saved in tools/bench/figures.json and docs/faults-and-speed.md.");
  }
  return isWorse && strict ? 1 : 0;
}

async function measureCycle(runs: number, hasPeer: boolean, log: Log): Promise<Figures> {
  const tools = await setUp({ log, want: ["stack", "nats-server", "nats"] });
  const example: number[] = [];
  const rounds: Round[] = [];
  const peerRounds: PeerRound[] = [];
  for (let round = 1; round <= runs; round++) {
    const step = log.step(`Round ${round} of ${runs}`);
    step.doing("the example's own flow");
    const seconds = await timeExample(tools);
    if (seconds === undefined) log.line("The example's own flow failed to create its streams.");
    else example.push(seconds);
    step.doing("this program");
    rounds.push(await runRound());
    if (hasPeer) {
      step.doing("OpenTofu");
      peerRounds.push(await runPeerRound());
    }
    step.done("measured");
  }
  if (example.length === 0) throw new UserError("The example's own flow, the yardstick, failed.");
  const step = log.step("Processes");
  step.doing("once more, watching CPU time and memory");
  const watched = await runRound({ lookMs: CLOSELY_MS });
  const peer = hasPeer && {
    rounds: peerRounds,
    watched: await runPeerRound(CLOSELY_MS),
  };
  step.done("measured");
  return figuresOf({ machine: machine(), example, rounds, watched, ...(peer && { peer }) });
}

/** @returns whether anything did. */
function tellWhatGotWorse(committed: Figures, figures: Figures): boolean {
  if (committed.machine.cpus !== figures.machine.cpus) {
    console.log(
      `Not compared: the committed figures are of a machine with ${committed.machine.cpus} cores.`,
    );
    return false;
  }
  const worse = worsenings(committed, figures);
  if (worse.length === 0) console.log("Nothing is worse than the committed figures.");
  for (const { step, measure, before, now } of worse) {
    console.log(`Worse: ${step}, ${measure}: ${now.toFixed(2)}, was ${before.toFixed(2)}`);
  }
  return worse.length > 0;
}

export async function benchProcesses({ runs }: { readonly runs: number }): Promise<number> {
  const log = createLog();
  await setUp({ log });
  const step = log.step("Processes");
  const rounds: Round[] = [];
  for (let round = 1; round <= runs; round++) {
    step.doing(`round ${round} of ${runs}`);
    rounds.push(await runRound({ lookMs: CLOSELY_MS }));
  }
  step.done("measured");
  const steps = byStep((each) => ({ costs: costsOf(rounds.map((round) => round[each])) }));
  const { head, rows } = processesTable({ steps });
  show(
    [...head, "peak MiB"],
    STEPS.map((each, index) => [...(rows[index] ?? []), steps[each].costs.peakMiB]),
  );
  keep({ machine: machine(), steps });
  return 0;
}

export async function benchAgainst(ref: string, { runs }: { runs: number }): Promise<number> {
  const log = createLog();
  await setUp({ log });
  const step = log.step("Two versions");
  const rounds = await compareWith(ref, runs, (doing) => step.doing(doing));
  step.done("measured");
  const secondsOf = (each: readonly Round[], step: (typeof STEPS)[number]) =>
    each.map((round) => round[step].seconds);
  const steps = STEPS.map((step) => {
    const [there, here] = [secondsOf(rounds.there, step), secondsOf(rounds.here, step)];
    return { step, there, here, ratio: spread(here).median / spread(there).median };
  });
  show(
    ["step", `${ref}: median s`, "range s", "this version: median s", "range s", "ratio"],
    steps.map(({ step, there, here, ratio }) => [
      step,
      ...timeCells(there),
      ...timeCells(here),
      ratio.toFixed(2),
    ]),
  );
  keep({ machine: machine(), against: ref, steps });
  return 0;
}

export async function benchStreams({ counts, asIs, save }: StreamsOptions) {
  if (save && asIs) {
    throw new UserError("The saved figures are of both ways, so --save needs them both.");
  }
  const log = createLog();
  await setUp({ log });
  const measure = async (what: string, keepCheckpoints: boolean): Promise<StreamBench> => {
    const step = log.step(what);
    const measured = await runStreams(counts, keepCheckpoints, (doing) => step.doing(doing));
    step.done("measured");
    return measured;
  };
  const usual = asIs ? undefined : await measure("PULUMI_SKIP_CHECKPOINTS=false", true);
  const skipped = await measure("Streams", false);
  const figures = streamFiguresOf(usual, skipped);
  const { head, rows } = streamsTable(figures);
  show(head, rows);
  keep({ machine: machine(), ...figures });
  if (save) {
    commitStreams(figures);
    console.log("Saved in tools/bench/many-streams.json and docs/faults-and-speed.md.");
  }
  return 0;
}

export async function benchMachines({ runs, save }: SitesOptions): Promise<number> {
  const missing = await whyNoMachines();
  if (missing !== undefined) throw new UserError(`Machines can't be made here: ${missing}.`);
  const log = createLog();
  await setUp({ log });
  const step = log.step("Machines");
  const rounds = await runSites(runs, [PINNED_IMAGE], (doing) => step.doing(doing));
  step.done("measured");
  const figures = siteFiguresOf(rounds);
  const { head, rows } = sitesTable(figures);
  show(head, rows);
  keep({ machine: machine(), ...figures });
  if (save) {
    commitSites(figures);
    console.log("Saved in tools/bench/sites.json and docs/faults-and-speed.md.");
  }
  return 0;
}
