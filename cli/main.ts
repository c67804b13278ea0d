import { enableCompileCache } from "node:module";
import { PlanError } from "../lib/base/errors.ts";
import { SetUpError } from "../tools/setup/set-up-errors.ts";
import { UserError } from "./terminal/user-error.ts";

// Halves the time that it takes to load what comes from here on, types stripped and all.
enableCompileCache();
const { CommanderError } = await import("commander");
const { runCommand } = await import("./commands.ts");
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await runCommand(args);
  } catch (error) {
    // It has told what is wrong, or helped.
    if (error instanceof CommanderError) {
      return error.code === "commander.unknownCommand" ? 2 : error.exitCode;
    }
    console.error(explain(error));
    return 1;
  }
}

/** What the person can put right is told as it is; anything else is a bug and comes with its origin. */
function explain(error: unknown): string {
  const known = [UserError, PlanError, SetUpError].some((kind) => error instanceof kind);
  if (error instanceof Error) return known ? error.message : (error.stack ?? error.message);
  return String(error);
}
