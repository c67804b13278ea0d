import { isMatched, nodesNamedIn } from "./globs.mjs";

/**
 * The values of a command line's options that take one each, given as `--option value` or `--option=value`.
 *
 * @param {readonly string[]} args
 * @param {readonly string[]} options
 * @returns {string[]}
 */
export function valuesOf(args, options) {
  return args.flatMap((arg, index) => {
    const [option = "", ...rest] = arg.split("=");
    if (!options.includes(option)) return [];
    return rest.length > 0 ? rest.join("=") : (args[index + 1] ?? "");
  });
}

const COMMANDS = new Set([
  "up",
  "update",
  "preview",
  "pre",
  "refresh",
  "destroy",
  "import",
  "watch",
  "stack",
  "state",
]);

/**
 * Which command a command line is, e.g. `up`: the first argument may be an option, and the next one its value.
 *
 * @param {readonly string[]} args
 */
export function commandOf(args) {
  return args.find((arg) => COMMANDS.has(arg)) ?? args.find((arg) => !arg.startsWith("-"));
}

/**
 * What has an update restart nodes without the steps around them, which wait until no majority is lost by it: containers
 * that are to be updated alone, or steps that are left out. A preview of such an update would promise what `up` refuses.
 *
 * @param {readonly string[]} args of the command line, without `pulumi`
 * @returns what names them; undefined where nothing does
 */
export function findUnguarded(args) {
  if (!["up", "update", "preview", "pre"].includes(commandOf(args) ?? "")) return undefined;
  const targets = valuesOf(args, ["--target", "-t", "--target-replace"]);
  const alone = nodesNamedIn(targets).find(
    ({ container, steps: [configured = ""] }) =>
      isMatched(container, targets) && !isMatched(configured, targets),
  );
  if (alone) return targets.find((target) => isMatched(alone.container, [target]));
  const excluded = valuesOf(args, ["--exclude", "-x"]);
  return excluded.find((glob) =>
    nodesNamedIn([glob]).some(
      ({ container, steps }) =>
        steps.some((step) => isMatched(step, [glob])) && !isMatched(container, excluded),
    ),
  );
}
