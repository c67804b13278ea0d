import { execa } from "execa";
import { parseCount, parseOptionsAndWords } from "../../cli/terminal/options.ts";
import { createLog, duration } from "../../cli/terminal/steps.mjs";
import { UserError } from "../../cli/terminal/user-error.ts";
import { setUp } from "../setup/set-up.ts";

const FILES = [
  "traffic/rollout",
  "traffic/killed-rollout",
  "traffic/resize",
  "traffic/shrink",
  "traffic/killed-shrink",
  "traffic/upgrade",
  "traffic/faults",
  "traffic/power-loss",
  "traffic/engine-restart",
  "stack/gates",
  "stack/interrupted",
  "traffic/cold-start",
  "traffic/tls",
  "server/under-load",
  "server/recreate",
  "server/placement",
  "server/fuzzed-settings",
];
const PARTS = FILES.map((file) => file.split("/")[1]).join(", ");

export const usage = `Usage: npm run chaos [-- [--kills N] [--rounds N] [PART...]]

The long form of the tests that break things while clients publish and consume, some two hours: nodes reloaded,
replaced, upgraded, added, taken out, the latter killed at each of its steps; rollouts, moves of streams and first
starts killed or interrupted at random moments, N times each (20); nodes, zones and regions killed, paused, cut off,
N rounds (3); power cuts, as often as kills; a Docker engine of its own restarted during updates, eight times; TLS
turned off and on, certificates that come due; twenty cold starts; 20,000 placements, and as many settings. It says
what was acknowledged and stored, and how long streams were away. A run is repeated by KILL_SEED, PLACEMENT_SEED and
SETTINGS_SEED, which it prints. Uses stacks of its own. Power cuts, partitions and the engine of its own need root.

Parts, all unless some are named: ${PARTS}.`;

export async function run(args: readonly string[]): Promise<number> {
  const { options, words } = parseOptionsAndWords(args, {
    kills: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
  });
  const files = words.length === 0 ? FILES : words.map(fileOf);
  const count = `${parseCount("kills", options.kills)}`;
  const rounds = `${parseCount("rounds", options.rounds)}`;
  const log = createLog();
  await setUp({ log, want: ["stack", "nats-server", "nats"] });
  const began = performance.now();
  const { exitCode = 1 } = await execa("vitest", ["run", ...files], {
    stdio: "inherit",
    reject: false,
    env: {
      ROLLOUT_KILLS: count,
      MOVE_KILLS: count,
      SHRINK_KILLS: "7",
      INTERRUPTS: count,
      POWER_CUTS: count,
      ENGINE_RESTARTS: "8",
      FAULT_ROUNDS: rounds,
      RESIZE: "1",
      UPGRADE: "1",
      EVERY_TLS_CHANGE: "yes",
      COLD_STARTS: "20",
      PLACEMENT_CASES: "20000",
      SETTINGS_CASES: "20000",
    },
  });
  console.log(`Ended after ${duration(performance.now() - began)}.`);
  return exitCode;
}

function fileOf(part: string): string {
  const file = FILES.find((file) => file.endsWith(`/${part}`));
  if (file === undefined) throw new UserError(`There is no part ${part}. Known: ${PARTS}.`);
  return file;
}
