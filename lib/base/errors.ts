import type { SettingsPlace } from "./settings-place.ts";

/** One thing wrong with the settings: where, what was found there, and what to do about it. */
export interface Problem {
  /** Path of the setting as people write it, e.g. `streams.ORDERS.replicas`. */
  readonly path: string;
  /** What is wrong, naming the offending value, e.g. `7 is more than the 5 replicas a stream can have`. */
  readonly message: string;
  /** The way out, as an instruction, e.g. `use 1, 3 or 5`. */
  readonly fix?: string;
}

/** The settings can't be turned into a plan. Carries every problem, not only the first. */
export class PlanError extends Error {
  override readonly name = "PlanError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(formatProblems(problems));
    this.problems = problems;
  }
}

/** Renders problems for the terminal, one line each, in the order in which they were found. */
export function formatProblems(
  problems: readonly Problem[],
  place: SettingsPlace = "config",
): string {
  const heading = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const where = place === "config" ? "the settings" : "its args";
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  return [`${heading} in ${where}, nothing was changed:`, ...lines].join("\n");
}

/** The same problems, where paths of streams that are declared beside their cluster begin with what their program says. */
export function nameStreams(
  problems: readonly Problem[],
  beside: ReadonlySet<string>,
): readonly Problem[] {
  return problems.map((problem) => {
    const [, rest = ""] = /^streams\.(.*)$/s.exec(problem.path) ?? [];
    const stream = [...beside].find((key) => rest === key || rest.startsWith(`${key}.`));
    if (stream === undefined) return problem;
    const field = rest.slice(stream.length + 1);
    return { ...problem, path: `Stream ${stream}${field === "" ? "" : `: ${field}`}` };
  });
}

/** Where, what, and the way out, in one line. */
export function formatProblem({ path, message, fix }: Problem): string {
  return `${path}: ${message}${fix ? `; ${fix}` : ""}`;
}
