/** Durations in a test run's JSON report (vitest, `--reporter=json`). */
import { z } from "zod";
import { duration } from "../../cli/terminal/steps.mjs";

const REPORT = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      startTime: z.number(),
      endTime: z.number(),
      assertionResults: z.array(z.object({ fullName: z.string(), duration: z.number().nullish() })),
    }),
  ),
});

/**
 * The slowest files, with set-up and tear-down, and each one's slowest test: one line for each file.
 *
 * @param report as vitest writes it.
 * @param root the folder to which file names are relative.
 */
export function slowestFiles(report: unknown, root: string, count = 10): string[] {
  const files = REPORT.parse(report).testResults.map(
    ({ name, startTime, endTime, assertionResults }) => {
      const slowest = assertionResults.toSorted((a, b) => (b.duration ?? 0) - (a.duration ?? 0))[0];
      return { name: name.replace(`${root}/`, ""), took: endTime - startTime, slowest };
    },
  );
  return files
    .toSorted((a, b) => b.took - a.took)
    .slice(0, count)
    .map(({ name, took, slowest }) => {
      const test = slowest
        ? `, of which ${duration(slowest.duration ?? 0)}: ${slowest.fullName}`
        : "";
      return `${duration(took)}  ${name}${test}`;
    });
}
