import { execa } from "execa";
import { parseCount, parseOptions } from "../options.ts";
import { setUp } from "../setup/set-up.ts";
import { createLog, duration } from "../steps.mjs";

export const usage = `Usage: npm run chaos [-- --kills N]

The long form of the tests that break things while clients publish and consume, some half an hour: nodes
reloaded, replaced, added; rollouts and moves of streams killed at random moments, N times each (20); twenty
cold starts; 20,000 placements; TLS turned off and on, certificates that come due. It says what was
acknowledged and stored, and how long streams were away. A run is repeated by KILL_SEED and PLACEMENT_SEED,
which it prints. Uses stacks of its own.`;

const FILES = [
  "stack/rollout",
  "stack/killed-rollout",
  "stack/gates",
  "stack/interrupted",
  "stack/cold-start",
  "stack/tls",
  "server/under-load",
  "server/recreate",
  "server/placement",
];

export async function run(args: readonly string[]): Promise<number> {
  const { kills } = parseOptions(args, { kills: { type: "string", default: "20" } });
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
      COLD_STARTS: "20",
      PLACEMENT_CASES: "20000",
      EVERY_TLS_CHANGE: "yes",
    },
  });
  console.log(`Ended after ${duration(performance.now() - began)}.`);
  return exitCode;
}
