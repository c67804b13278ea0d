import { enableCompileCache } from "node:module";
import { PlanError } from "../lib/base/errors.ts";
import { SetUpError } from "../tools/setup/set-up-errors.ts";
import { UserError } from "./terminal/user-error.ts";

// Halves the time that the modules imported below take to load, including the stripping of their types.
enableCompileCache();
const { CommanderError } = await import("commander");
const { runCommand } = await import("./commands.ts");
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    return await runCommand(args);
  } catch (error) {
    // Commander has printed the error or the help already.
    if (error instanceof CommanderError) {
      return error.code === "commander.unknownCommand" ? 2 : error.exitCode;
    }
    console.error(explain(error));
    return 1;
  }
}

/** Errors that the user can fix are shown by their message; anything else is a bug and shown with its stack. */
function explain(error: unknown): string {
  const known = [UserError, PlanError, SetUpError].some((kind) => error instanceof kind);
  if (error instanceof Error) return known ? error.message : (error.stack ?? error.message);
  return String(error);
}
