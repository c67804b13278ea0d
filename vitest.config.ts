import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Test files at a time, of all projects: one more than there are cores, as most of the time they wait for servers, and
 * no more than get ports of their own (`test/support/own-ports.ts`).
 */
const maxWorkers = Math.min(8, availableParallelism() + 1);

/** Projects whose files take longest begin, so that no long file is left alone at the end. */
const LONGEST_FIRST = ["traffic", "stack", "programs", "server", "unit-isolated", "unit"];

class ByProject extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ project }: TestSpecification) => LONGEST_FIRST.indexOf(project.name);
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** Unit tests that leave something behind in their process: mocked modules, or the mocks of Pulumi's SDK. */
const ISOLATED = [
  "test/unit/components/**/*.test.ts",
  "test/unit/cli/commands.test.ts",
  "test/unit/tools/bench-command.test.ts",
];

const unit = {
  maxWorkers,
  // Those that try many cases, or start a process, take seconds on a machine with other work.
  testTimeout: 30_000,
  hookTimeout: 30_000,
  // Pauses come from `node:timers/promises`.
  fakeTimers: { fakeNodeBuiltins: true },
};

export default defineConfig({
  test: {
    sequence: { sequencer: ByProject },
    projects: [
      {
        test: {
          ...unit,
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: ISOLATED,
          // Half of their time would go into loading the same modules again for each file.
          isolate: false,
        },
      },
      { test: { ...unit, name: "unit-isolated", include: ISOLATED } },
      {
        test: {
          name: "server",
          maxWorkers,
          include: ["test/server/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "programs",
          maxWorkers,
          include: ["test/programs/**/*.test.ts"],
          globalSetup: "test/support/installed-package.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "stack",
          maxWorkers,
          include: ["test/stack/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "traffic",
          maxWorkers,
          include: ["test/traffic/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
