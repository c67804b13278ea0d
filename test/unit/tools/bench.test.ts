import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { documented } from "../../../tools/bench/committed.ts";
import type { Round, Step } from "../../../tools/bench/cycle.ts";
import {
  byStep,
  type Figures,
  figuresOf,
  type StepFigures,
  worsenings,
} from "../../../tools/bench/figures.ts";
import { phasesOf } from "../../../tools/bench/phases.ts";
import { siteFiguresOf, sitesTable } from "../../../tools/bench/site-figures.ts";
import { SITES, type SiteRounds } from "../../../tools/bench/sites.ts";
import { spread } from "../../../tools/bench/spread.ts";
import { time } from "../../../tools/bench/stopwatch.ts";
import { streamFiguresOf, streamsTable } from "../../../tools/bench/stream-figures.ts";
import { phasesTable, processesTable, stepsTable } from "../../../tools/bench/tables.ts";
import { kindOf } from "../../../tools/bench/watch.ts";
import { PROJECT } from "../../support/stack.ts";

const MACHINE = { cpus: 2, memoryGiB: 24 };

/** All steps alike, except for changes of some. */
function figures(
  changes: Readonly<Partial<Record<Step, Partial<StepFigures>>>> = {},
  example: readonly number[] = [10, 10, 10],
): Figures {
  const usual: StepFigures = {
    seconds: [2, 2.1, 2.2],
    phases: { CLI: 0.5, rest: 1.5, "state and exit": 0.1 },
    costs: { cpuSeconds: { CLI: 0.5, program: 1, "nats-server": 3 }, peakMiB: 400 },
  };
  return {
    machine: MACHINE,
    example: [...example],
    steps: byStep((step) => ({ ...usual, ...changes[step] })),
  };
}

test("the document has the tables of the committed figures", () => {
  const text = readFileSync(path.join(PROJECT, "docs/faults-and-speed.md"), "utf8");
  expect(documented(text)).toBe(text);
});

describe("what got worse", () => {
  test("is nothing in the same figures", () => {
    expect(worsenings(figures(), figures())).toEqual([]);
  });

  test("is a step with more than 15 % above, and no round among those before", () => {
    const slow = figures({ destroy: { seconds: [2.5, 2.6, 2.7] } });
    expect(worsenings(figures(), slow)).toEqual([
      {
        step: "destroy",
        measure: "ratio to the example's flow",
        before: expect.closeTo(0.21),
        now: expect.closeTo(0.26),
      },
    ]);
    expect(worsenings(slow, figures())).toEqual([]);
  });

  test.each([
    ["one round is as good as before", [2.2, 2.6, 2.7]],
    ["the median is little above", [2.3, 2.4, 2.9]],
  ])("isn't what may be noise: %s", (_, seconds) => {
    expect(worsenings(figures(), figures({ destroy: { seconds } }))).toEqual([]);
  });

  test("isn't what the example's flow has in common", () => {
    const slow = figures({ destroy: { seconds: [4, 4.2, 4.4] } }, [20, 20]);
    expect(worsenings(figures({}, [10]), slow)).toEqual([]);
  });

  test("is compared with OpenTofu if both have it", () => {
    const costs = { cpuSeconds: {}, peakMiB: 0 };
    const beside = (seconds: number[]) => figures({ "cold up": { openTofu: { seconds, costs } } });
    expect(worsenings(beside([2]), beside([1]))).toEqual([
      { step: "cold up", measure: "ratio to OpenTofu", before: 1.05, now: 2.1 },
    ]);
    expect(worsenings(figures(), beside([1]))).toEqual([]);
    expect(worsenings(beside([2]), figures())).toEqual([]);
  });

  test("is CPU time of its own processes, and memory", () => {
    const costs = { cpuSeconds: { CLI: 0.5, program: 1.3, "nats-server": 3 }, peakMiB: 480 };
    expect(worsenings(figures(), figures({ "no-op up": { costs } }))).toEqual([
      { step: "no-op up", measure: "CPU s", before: 1.5, now: 1.8 },
      { step: "no-op up", measure: "peak MiB", before: 400, now: 480 },
    ]);
    const busy = { cpuSeconds: { CLI: 0.5, program: 1, "nats-server": 30 }, peakMiB: 400 };
    expect(worsenings(figures(), figures({ "no-op up": { costs: busy } }))).toEqual([]);
  });
});

describe("tables", () => {
  test("of steps have OpenTofu beside them where it was measured", () => {
    expect(stepsTable(figures()).head).toHaveLength(5);
    const costs = { cpuSeconds: { CLI: 0.25 }, peakMiB: 90 };
    const { head, rows } = stepsTable(
      figures({ destroy: { openTofu: { seconds: [4.1, 4.2, 4.3], costs } } }),
    );
    expect(head).toEqual([
      "step",
      "median, s",
      "range",
      "ratio to the example",
      "OpenTofu, s",
      "range",
      "ratio to it",
      "peak memory, MiB",
    ]);
    expect([rows[0], rows[1], rows.at(-1)]).toEqual([
      ["the example's own flow", "10.00", "10.00 to 10.00", "1.00", "", "", "", ""],
      ["cold up", "2.10", "2.00 to 2.20", "0.21", "", "", "", "400"],
      ["destroy", "2.10", "2.00 to 2.20", "0.21", "4.20", "4.10 to 4.30", "0.50", "400"],
    ]);
  });

  test("of processes have those that ran; the servers' don't count as the command's", () => {
    const costs = { cpuSeconds: { CLI: 0.25, others: 0.5 }, peakMiB: 90 };
    const { head, rows } = processesTable(
      figures({ destroy: { openTofu: { seconds: [4], costs } } }),
    );
    expect(head).toEqual([
      "step",
      "program",
      "CLI",
      "all of these",
      "nats-server",
      "OpenTofu, all",
    ]);
    expect(rows.at(-1)).toEqual(["destroy", "1.00", "0.50", "1.50", "3.00", "0.75"]);
    expect(rows[0]).toEqual(["cold up", "1.00", "0.50", "1.50", "3.00", ""]);
  });

  test("of phases have those that some step has, in their order", () => {
    const { head, rows } = phasesTable(figures({ destroy: { phases: { volumes: 2, CLI: 0.5 } } }));
    expect(head).toEqual(["step", "CLI", "volumes", "rest", "state and exit"]);
    expect(rows.at(-1)).toEqual(["destroy", "0.50", "2.00", "", ""]);
  });
});

test("the table of sites has each step's median, and its ratio to the first site", () => {
  const rounds = Object.fromEntries(
    SITES.map((site, index) => [
      site,
      [1, 9, 2].map((seconds) => byStep(() => ({ seconds: seconds * (index + 1), lines: [] }))),
    ]),
  ) as unknown as SiteRounds;
  const { head, rows } = sitesTable(siteFiguresOf(rounds));
  expect(head).toHaveLength(SITES.length + 1);
  expect(rows[0]).toEqual(["cold up", "2.0", "4.0 (2.0)", "6.0 (3.0)", "8.0 (4.0)", "10.0 (5.0)"]);
});

test("the table of many streams says what each added stream costs", () => {
  const run = (seconds: number) => ({
    seconds,
    lines: [],
    costs: { cpuSeconds: {}, peakMiB: 100 * seconds },
  });
  const bench = (factor: number) => ({
    costs: [
      { streams: 100, up: run(10 * factor), noOpPreview: run(4) },
      { streams: 300, up: run(30 * factor), noOpPreview: run(7) },
    ],
    destroy: run(40 * factor),
  });
  const { rows } = streamsTable(streamFiguresOf(bench(2), bench(1)));
  expect(rows).toEqual([
    ["up to 100", "20.0 (200 ms each)", "10.0 (100 ms each)", "4.0", "2000"],
    ["up to 300", "60.0 (300 ms each)", "30.0 (150 ms each)", "7.0", "6000"],
    ["destroy", "80.0", "40.0", "", ""],
  ]);
  expect(streamsTable(streamFiguresOf(undefined, bench(1))).rows[0]?.[1]).toBe("");
});

describe("phases", () => {
  const line = (at: number, text: string) => ({ at, text });

  test("of an up that makes a cluster", () => {
    const lines = [
      line(0.5, "Updating (dev):"),
      line(1, " +  pulumi:pulumi:Stack nats-regions-dev creating (0s)"),
      line(2, " +  command:local:Command identity creating (0s)"),
      line(3, " +  command:local:Command c1-network creating (0s)"),
      line(4, " +  docker:index:Volume c1-rg1-az1-data created (0.1s)"),
      line(5, " +  docker:index:Volume c1-rg1-az2-data created (0.1s)"),
      line(7, " +  docker:index:Container c1-rg1-az1-container created (1s)"),
      line(8.5, " +  command:local:Command c1-wave-1 created (1s)"),
      line(9, " +  pulumi-nodejs:dynamic/nats:Stream EVENTS created (0.3s)"),
      line(9.5, "Outputs:"),
    ];
    expect(phasesOf({ lines, seconds: 10 })).toEqual({
      CLI: 0.5,
      "program and SDK": 0.5,
      checks: 2,
      volumes: 2,
      nodes: 2,
      gates: 1.5,
      streams: 0.5,
      rest: 0.5,
      "state and exit": 0.5,
    });
  });

  test("of a destroy come in another order", () => {
    const lines = [
      line(1, "Destroying (dev):"),
      line(2, " -  pulumi-nodejs:dynamic/nats:Stream EVENTS deleting (0s)"),
      line(3, " -  pulumi-nodejs:dynamic/nats:Stream EVENTS deleted (0.3s)"),
      line(5, " -  docker:index:Container c1-rg1-az1-container deleted (1s)"),
      line(6, " -  command:local:Command c1-wave-1 deleted (1s)"),
      line(8, " -  docker:index:Volume c1-rg1-az2-data deleted (0.1s)"),
    ];
    expect(phasesOf({ lines, seconds: 9 })).toEqual({
      CLI: 1,
      checks: 1,
      streams: 1,
      nodes: 2,
      volumes: 3,
      "state and exit": 1,
    });
  });
});

test("figures are medians, and say what OpenTofu takes where it has the step", () => {
  const timing = (seconds: number) => ({ seconds, lines: [] });
  const rounds: Round[] = [4.004, 2, 3].map((seconds) => byStep(() => timing(seconds)));
  const costs = { cpuSeconds: { program: 1 }, peakMiB: 438.6 };
  const watched: Round = byStep(() => ({ ...timing(9), costs }));
  const peer = { rounds: [{ destroy: timing(5) }], watched: { destroy: { ...timing(9), costs } } };
  const { steps, example } = figuresOf({ machine: MACHINE, example: [10], rounds, watched, peer });
  const rounded = { cpuSeconds: { program: 1 }, peakMiB: 439 };
  const mine = { seconds: [4, 2, 3], phases: { "state and exit": 3 }, costs: rounded };
  expect(example).toEqual([10]);
  expect(steps["cold up"]).toEqual(mine);
  expect(steps.destroy).toEqual({ ...mine, openTofu: { seconds: [5], costs: rounded } });
});

test("a spread has the median of an even number in between", () => {
  expect(spread([4, 1, 3, 2])).toEqual({ median: 2.5, lowest: 1, highest: 4 });
});

test.each([
  ["/home/u/.pulumi/versions/3.259.0/bin/pulumi preview ", true, "CLI"],
  ["node /home/u/nats-regions/node_modules/.bin/pulumi preview ", true, "wrapper"],
  ["/x/node --y /x/node_modules/@pulumi/pulumi/cmd/run/index.js --monitor=z ", true, "program"],
  [
    "/x/node /x/node_modules/@pulumi/pulumi/cmd/dynamic-provider 127.0.0.1:1 ",
    true,
    "dynamic provider",
  ],
  ["/x/plugins/resource-docker-v5.2.0/pulumi-resource-docker 127.0.0.1:1 ", true, "docker plugin"],
  [`node -e import("nats-regions/run") await-cluster `, true, "scripts"],
  ["docker inspect x ", true, "docker CLI"],
  ["tofu plan -input=false ", true, "CLI"],
  ["sleep 1 ", true, "others"],
  ["sleep 1 ", false, undefined],
  ["/nats-server --config /etc/nats/nats.conf ", false, "nats-server"],
  ["/usr/sbin/containerd-shim-runc-v2 -namespace moby ", false, "engine"],
])("%s is a process of kind %s", (commandLine, isOwn, kind) => {
  expect(kindOf(commandLine, isOwn)).toBe(kind);
});

test.skipIf(process.platform !== "linux")(
  "a command that is watched tells the CPU time and memory of what it starts, too",
  async () => {
    const burn = "let sum = 0; for (let n = 0; n < 2e8; n++) sum += n % 7;";
    const script = `require("node:child_process").execFileSync(process.execPath, ["-e", ${JSON.stringify(burn)}])`;
    const { costs } = await time(process.execPath, ["-e", script], { cwd: ".", env: {} }, 50);
    expect(costs?.cpuSeconds.others).toBeGreaterThan(0.25);
    expect(costs?.peakMiB).toBeGreaterThan(20);
  },
);
