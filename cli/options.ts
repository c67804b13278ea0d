import { type ParseArgsConfig, parseArgs } from "node:util";
import { UserError } from "./user-error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Reads the options of a command that takes nothing else. @throws UserError naming what is unknown. */
export function parseOptions<Known extends Options>(args: readonly string[], options: Known) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const names = Object.keys(options).map((name) => `--${name}`);
    const known =
      names.length === 0 ? "This command has no options." : `Known: ${names.join(", ")}.`;
    // What node adds after the first sentence is for programmers.
    const reason = (cause as Error).message.split(". ")[0];
    throw new UserError(`${reason}. ${known}`, { cause });
  }
}
