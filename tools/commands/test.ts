import { existsSync, readFileSync, rmSync } from "node:fs";
import { execa } from "execa";
import { createLog, duration } from "../../cli/terminal/steps.mjs";
import { setUp } from "../setup/set-up.ts";
import { CpuGroup } from "./cpu-group.ts";
import { slowestFiles } from "./slowest.ts";

const STATIC_CHECKS = [
  { what: "Format and lint", command: ["biome", "check", "."] },
  { what: "Types", command: ["tsc"] },
] as const;

const REPORT = "test-results/vitest.json";
const VITEST = [
  "vitest",
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${REPORT}`,
];

async function runCheck(
  { what, command: [file, ...options] }: (typeof STATIC_CHECKS)[number],
  log: ReturnType<typeof createLog>,
): Promise<number> {
  const began = performance.now();
  const { exitCode = 1 } = await execa(file, options, { stdio: "inherit", reject: false });
  if (exitCode === 0) log.step(what).done("in order", performance.now() - began);
  return exitCode;
}

async function runTests(args: readonly string[]): Promise<number> {
  using _group = CpuGroup.enter();
  const [file = "", ...options] = VITEST;
  const { exitCode = 1 } = await execa(file, [...options, ...args], {
    stdio: "inherit",
    reject: false,
  });
  return exitCode;
}

export async function run(args: readonly string[]): Promise<number> {
  const log = createLog();
  await setUp({ log, want: ["stack", "nats-server", "nats"] });
  if (args.length === 0) {
    const exitCodes = await Promise.all(STATIC_CHECKS.map((check) => runCheck(check, log)));
    const failed = exitCodes.find((exitCode) => exitCode !== 0);
    if (failed !== undefined) return failed;
  }
  // So that an interrupted run doesn't print the report of the run before it.
  rmSync(REPORT, { force: true });
  const began = performance.now();
  const exitCode = await runTests(args);
  if (existsSync(REPORT)) {
    const slowest = slowestFiles(JSON.parse(readFileSync(REPORT, "utf8")), process.cwd());
    console.log(["Slowest:", ...slowest].join("\n  "));
  }
  console.log(`Tests ended after ${duration(performance.now() - began)}.`);
  return exitCode;
}
