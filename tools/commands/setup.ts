import { createLog } from "../../cli/terminal/steps.mjs";
import { setUp } from "../setup/set-up.ts";

export async function run(): Promise<number> {
  await setUp({ log: createLog(), showAll: true });
  return 0;
}
