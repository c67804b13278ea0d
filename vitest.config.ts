import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Test files at a time: vitest would run one on two cores, and most wait for servers. */
const maxWorkers = Math.max(2, availableParallelism() - 1);

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
  // Pauses come from `node:timers/promises`.
  fakeTimers: { fakeNodeBuiltins: true },
};

export default defineConfig({
  test: {
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
          // Alone on the machine: they measure how long nobody was served.
          name: "traffic",
          include: ["test/traffic/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
