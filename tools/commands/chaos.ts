import { execa } from "execa";
import { createLog, duration } from "../../cli/terminal/steps.mjs";
import { setUp } from "../setup/set-up.ts";
import { CHAOS_FILES, partOf } from "./chaos-files.ts";

export async function run(
  parts: readonly string[],
  { kills, rounds }: { kills: number; rounds: number },
): Promise<number> {
  const files = CHAOS_FILES.filter((file) => parts.length === 0 || parts.includes(partOf(file)));
  const log = createLog();
  await setUp({ log, want: ["stack", "nats-server", "nats"] });
  const began = performance.now();
  // Alone on the machine, so that the times it prints are those of the cluster.
  const { exitCode = 1 } = await execa("vitest", ["run", "--no-file-parallelism", ...files], {
    stdio: "inherit",
    reject: false,
    env: {
      PUBLISH_INTERVAL: "20",
      LONGEST_GAP: "1000",
      ROLLOUT_KILLS: `${kills}`,
      MOVE_KILLS: `${kills}`,
      SHRINK_KILLS: "7",
      INTERRUPTS: `${kills}`,
      POWER_CUTS: `${kills}`,
      ENGINE_RESTARTS: "8",
      MACHINE_FAULTS: `${Math.ceil(kills * 1.5)}`,
      OPERATOR_KILLS: `${Math.ceil(kills / 5)}`,
      FAULT_ROUNDS: `${rounds}`,
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
