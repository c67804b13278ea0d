import { PlanError, type Problem } from "../../lib/base/errors.ts";

/** The problems of some settings, each as `path | message | fix`. */
export function problemsOf(check: () => readonly Problem[]): string[] {
  try {
    return check().map(show);
  } catch (error) {
    if (error instanceof PlanError) return error.problems.map(show);
    throw error;
  }
}

function show({ path, message, fix }: Problem): string {
  return [path, message, fix].filter(Boolean).join(" | ");
}

/** The problems for which something is refused, in the same form; none if it isn't. */
export function refusalsOf(work: () => unknown): string[] {
  return problemsOf(() => {
    work();
    return [];
  });
}
