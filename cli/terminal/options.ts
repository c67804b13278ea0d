import { type ParseArgsConfig, parseArgs } from "node:util";
import { UserError } from "./user-error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Reads the options of a command that takes nothing else. @throws UserError naming what is unknown. */
export function parseOptions<Known extends Options>(args: readonly string[], options: Known) {
  return parse(args, options, false).values;
}

/** The same for a command that may be given a file. @throws UserError naming what is unknown or too much. */
export function parseOptionsAndFile<Known extends Options>(
  args: readonly string[],
  options: Known,
) {
  const { values, positionals } = parse(args, options, true);
  const [file, ...more] = positionals;
  if (more.length === 0) return { options: values, file };
  throw new UserError(`Only one file can be looked at, not ${positionals.join(" and ")}.`);
}

/** The same for a command that is told in words what to do. @throws UserError naming what is unknown. */
export function parseOptionsAndWords<Known extends Options>(
  args: readonly string[],
  options: Known,
) {
  const { values, positionals } = parse(args, options, true);
  return { options: values, words: positionals };
}

function parse<Known extends Options>(
  args: readonly string[],
  options: Known,
  allowPositionals: boolean,
) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals });
  } catch (cause) {
    const names = Object.keys(options).map((name) => `--${name}`);
    const known =
      names.length === 0 ? "This command has no options." : `Known: ${names.join(", ")}.`;
    // What node adds after the first sentence is for programmers.
    const reason = (cause as Error).message.split(". ")[0];
    throw new UserError(`${reason}. ${known}`, { cause });
  }
}

/** @throws UserError unless it is a whole number, 1 or more. */
export function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new UserError(`--${option}: ${text} is no number; use 1 or more.`);
}
