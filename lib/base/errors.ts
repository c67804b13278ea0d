import type { SettingsPlace } from "./settings-place.ts";

/** One error in the settings: where it is, what was found there, and how to fix it. */
export interface Problem {
  /** Path of the setting, as users write it, e.g. `streams.ORDERS.replicas`. */
  readonly path: string;
  /** What is wrong, with the invalid value, e.g. `7 is more than the 5 replicas a stream can have`. */
  readonly message: string;
  /** How to fix it, as an instruction, e.g. `use 1, 3 or 5`. */
  readonly fix?: string;
}

/** Thrown where settings can't be turned into a plan. It has all problems, not only the first. */
export class PlanError extends Error {
  override readonly name = "PlanError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(formatProblems(problems));
    this.problems = problems;
  }
}

/** Renders problems for the terminal: a heading, then one line for each, in the given order. */
export function formatProblems(
  problems: readonly Problem[],
  place: SettingsPlace = "config",
): string {
  const heading = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const where = place === "config" ? "the settings" : "its args";
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  return [`${heading} in ${where}, nothing was changed:`, ...lines].join("\n");
}

/** The settings whose members a program may declare as resources of their own, and what those are called. */
const RESOURCES = { streams: "Stream", buckets: "Bucket", objectStores: "ObjectStore" } as const;

/** The keys of what a program declares beside its cluster's args, by setting. */
export type Beside = Readonly<Record<keyof typeof RESOURCES, readonly string[]>>;

/**
 * Rewrites the paths of problems of what a program declares as resources of their own: `streams.ORDERS.maxAge` becomes
 * `Stream ORDERS: maxAge`, `buckets.CONFIG.ttl` becomes `Bucket CONFIG: ttl`.
 */
export function nameResources(problems: readonly Problem[], beside: Beside): readonly Problem[] {
  return problems.map((problem) => {
    const named = Object.entries(RESOURCES).flatMap(([setting, resource]) => {
      const key = beside[setting as keyof Beside].find((each) =>
        `${problem.path}.`.startsWith(`${setting}.${each}.`),
      );
      if (key === undefined) return [];
      const field = problem.path.slice(`${setting}.${key}.`.length);
      return [`${resource} ${key}${field === "" ? "" : `: ${field}`}`];
    });
    return { ...problem, path: named[0] ?? problem.path };
  });
}

/** Renders one problem as one line: path, message, fix. */
export function formatProblem({ path, message, fix }: Problem): string {
  return `${path}: ${message}${fix ? `; ${fix}` : ""}`;
}
