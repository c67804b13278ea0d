import { execa } from "execa";
import { parseCount, parseOptions } from "../options.ts";
import { setUp } from "../setup/set-up.ts";
import { createLog, duration } from "../steps.mjs";

export const usage = `Usage: npm run chaos [-- --kills N] [--rounds N]

The long form of the tests that break things while clients publish and consume, some hour and a half: nodes
reloaded, replaced, added; rollouts and moves of streams killed at random moments, N times each (20); nodes,
zones and regions killed, paused, cut off, N rounds (3); power cuts, as often as kills; twenty cold starts;
20,000 placements. It says what was acknowledged and stored, and how long streams were away. A run is repeated
by KILL_SEED and PLACEMENT_SEED, which it prints. Uses stacks of its own. Power cuts and partitions need root.`;

const FILES = [
  "stack/rollout",
  "stack/killed-rollout",
  "stack/faults",
  "stack/power-loss",
  "stack/gates",
  "stack/interrupted",
  "stack/cold-start",
  "server/under-load",
  "server/recreate",
  "server/placement",
];

export async function run(args: readonly string[]): Promise<number> {
  const { kills, rounds } = parseOptions(args, {
    kills: { type: "string", default: "20" },
    rounds: { type: "string", default: "3" },
  });
  const count = `${parseCount("kills", kills)}`;
  const log = createLog();
  await setUp({ log, want: ["stack", "nats-server", "nats"] });
  const began = performance.now();
  const { exitCode = 1 } = await execa("vitest", ["run", ...FILES], {
    stdio: "inherit",
    reject: false,
    env: {
      ROLLOUT_KILLS: count,
      MOVE_KILLS: count,
      POWER_CUTS: count,
      FAULT_ROUNDS: `${parseCount("rounds", rounds)}`,
      COLD_STARTS: "20",
      PLACEMENT_CASES: "20000",
    },
  });
  console.log(`Ended after ${duration(performance.now() - began)}.`);
  return exitCode;
}
