/** Destinations of subject mappings, as nats-server 2.15 reads them (server/subject_transform.go). */
import { isValidSubject } from "./subjects.ts";

/** The functions, e.g. `{{wildcard(1)}}`. Only the letters that begin a word of the name may have another case. */
const FUNCTION =
  /\{\{\s*([wW]ildcard|[pP]artition|[sS]plit[fF]rom[lL]eft|[sS]plit[fF]rom[rR]ight|[sS]lice[fF]rom[lL]eft|[sS]lice[fF]rom[rR]ight|[sS]plit|[lL]eft|[rR]ight|[rR]andom)\s*\((.*)\)\s*\}\}/;

/**
 * Why messages of a subject can't be mapped to another; undefined if they can.
 *
 * @param source a valid subject, may have wildcards.
 * @param destination may have `$1` and functions for the source's wildcards, and ends in `>` if the source does.
 */
export function whyNoTransform(source: string, destination: string): string | undefined {
  const sourceTokens = source.split(".");
  const tokens = destination.split(".");
  const wildcards = sourceTokens.filter((token) => token === "*").length;
  const isOpen = sourceTokens.at(-1) === ">";
  const invalid = tokens.find((token) => !isFunction(token) && !isValidSubject(token));
  if (invalid !== undefined || tokens.slice(0, -1).includes(">")) return "is not a subject";
  if (tokens.includes("*")) return "has a *; write $1, $2 and so on for those of the source";
  if (isOpen !== (tokens.at(-1) === ">")) return "must end in > exactly where the source does";
  return tokens
    .map((token) => whyNoToken(token, wildcards, wildcards > 0 || isOpen))
    .find((reason) => reason !== undefined);
}

function isFunction(token: string): boolean {
  return token.length > 4 && token.startsWith("{{") && token.endsWith("}}");
}

/** @param isWild whether the source has any wildcard. Without one, only `partition` and `random` have a meaning. */
function whyNoToken(token: string, wildcards: number, isWild: boolean): string | undefined {
  const [, number] = token.match(/^\$([+-]?\d+)$/) ?? [];
  if (number !== undefined) return whyNoIndexes([Number(number)], wildcards);
  if (!isFunction(token)) return undefined;
  const [, name = "", written = ""] = token.match(FUNCTION) ?? [];
  if (name === "") return `has no function that is known: ${token}`;
  const indexes = indexesOf(name.toLowerCase(), written.split(/,\s*/));
  if (indexes === undefined) return `has other arguments than its function takes: ${token}`;
  const isFree = ["partition", "random"].includes(name.toLowerCase());
  // The server then ignores indexes.
  if (!isWild && isFree) return undefined;
  return whyNoIndexes(indexes, wildcards);
}

function whyNoIndexes(indexes: readonly number[], wildcards: number): string | undefined {
  const wrong = indexes.find((index) => index < 1 || index > wildcards);
  if (wrong === undefined) return undefined;
  return `refers to wildcard ${wrong}, and the source has ${wildcards}`;
}

/** The wildcards that a function's arguments refer to; undefined if the arguments are wrong. */
function indexesOf(name: string, args: readonly string[]): readonly number[] | undefined {
  const [first = "", second = ""] = args;
  switch (name) {
    case "wildcard":
      return args.length === 1 ? integers(args) : undefined;
    case "random":
      return args.length === 1 && integers(args) ? [] : undefined;
    case "partition":
      return integers(args)?.slice(1);
    case "split":
      return args.length === 2 && !second.includes(" ") ? integers([first]) : undefined;
    default:
      return args.length === 2 ? integers(args)?.slice(0, 1) : undefined;
  }
}

const MAX_INT32 = 2 ** 31 - 1;

function integers(texts: readonly string[]): readonly number[] | undefined {
  const numbers = texts.map((text) => (/^ *[+-]?\d+ *$/.test(text) ? Number(text) : Number.NaN));
  return numbers.every((number) => Math.abs(number) <= MAX_INT32) ? numbers : undefined;
}
