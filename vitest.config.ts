import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { isInGroup } from "./tools/commands/cpu-group.ts";

/**
 * Test files at a time, of all projects: more than there are cores, as they often wait for servers, and no more than get
 * ports of their own (`test/support/own-ports.ts`). With two more, servers wait so long for a core that elections come late,
 * unless tests let them go first.
 */
const maxWorkers = Math.min(8, availableParallelism() + (isInGroup() ? 2 : 1));

/** Short files that take long: files that didn't run before are sorted by their size. */
const LONGER_THAN_THEY_LOOK = /\/(stopped|interrupted|kept-volumes|gates)\.test\.ts$/;

/**
 * Users' programs and traffic begin, as their files take longest and none should be left alone at the end. Servers wait a
 * lot and need little time of a core: they run beside the others, spread evenly. Unit tests end, which are short.
 */
class ByProject extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const of = (...names: string[]) => sorted.filter(({ project }) => names.includes(project.name));
    const longer = of("stack").filter(({ moduleId }) => LONGER_THAN_THEY_LOOK.test(moduleId));
    const stacks = [...of("programs"), ...of("traffic"), ...new Set([...longer, ...of("stack")])];
    const spread = [stacks, of("server")].flatMap((group) =>
      group.map((file, index) => ({ file, place: index / group.length })),
    );
    spread.sort((a, b) => a.place - b.place);
    return [...spread.map(({ file }) => file), ...of("unit-isolated", "unit")];
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

/** For tests that leave nothing behind in their process: files one after the other load its modules once. */
const shared = { maxWorkers, isolate: false };

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
          ...shared,
        },
      },
      { test: { ...unit, name: "unit-isolated", include: ISOLATED } },
      {
        test: {
          name: "server",
          ...shared,
          include: ["test/server/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "programs",
          ...shared,
          include: ["test/programs/**/*.test.ts"],
          globalSetup: ["test/support/installed-package.ts", "test/support/vault.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "stack",
          ...shared,
          include: ["test/stack/**/*.test.ts"],
          globalSetup: "test/support/vault.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "traffic",
          ...shared,
          include: ["test/traffic/**/*.test.ts"],
          globalSetup: "test/support/vault.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
