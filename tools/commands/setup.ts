import { parseOptions } from "../../cli/terminal/options.ts";
import { createLog } from "../../cli/terminal/steps.mjs";
import { setUp } from "../setup/set-up.ts";

export const usage = `Usage: npm run setup

Sets up what is missing: Pulumi, its plugins, a Docker engine, the server image. Changes nothing else.`;

export async function run(args: readonly string[]): Promise<number> {
  parseOptions(args, {});
  await setUp({ log: createLog(), showAll: true });
  return 0;
}
