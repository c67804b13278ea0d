import { cpus } from "node:os";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { commit } from "../../../tools/bench/committed.ts";
import { byStep, figuresOf } from "../../../tools/bench/figures.ts";
import { benchCycle } from "../../../tools/commands/bench.ts";

/** What is found and measured in the place of real tools and stacks. */
const machine = vi.hoisted(() => ({ missing: undefined as string | undefined, seconds: 2 }));

const timing = (seconds: number) => ({ seconds, lines: [] });

vi.mock("node:fs", async (original) => ({
  ...(await original<typeof import("node:fs")>()),
  mkdirSync: vi.fn(),
  writeFileSync: vi.fn(),
}));
vi.mock("../../../tools/setup/set-up.ts", () => ({ setUp: async () => ({}) }));
vi.mock("../../../tools/bench/example.ts", () => ({ timeExample: async () => 10 }));
vi.mock("../../../tools/bench/opentofu.ts", () => ({
  whyNoOpenTofu: async () => machine.missing,
  runPeerRound: async () => ({ destroy: timing(4) }),
}));
vi.mock("../../../tools/bench/cycle.ts", async (original) => ({
  ...(await original<typeof import("../../../tools/bench/cycle.ts")>()),
  runRound: async () => byStep(() => timing(machine.seconds)),
}));
vi.mock("../../../tools/bench/committed.ts", () => ({
  commit: vi.fn(),
  readCommitted: () =>
    figuresOf({
      machine: { cpus: cpus().length, memoryGiB: 1 },
      example: [10],
      rounds: [byStep(() => timing(2))],
      watched: byStep(() => timing(2)),
      peer: { rounds: [{ destroy: timing(4) }], watched: {} },
    }),
}));

let printed = "";

beforeEach(() => {
  printed = "";
  Object.assign(machine, { missing: undefined, seconds: 2 });
  vi.spyOn(console, "log").mockImplementation((text) => {
    printed += `${text}\n`;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.mocked(commit).mockClear();
});

test("a bench says that nothing is worse, and saves nothing unless it is to", async () => {
  expect(await benchCycle({ runs: 2, strict: true })).toBe(0);
  expect(printed).toContain("Nothing is worse than the committed figures.");
  expect(commit).not.toHaveBeenCalled();
});

test("a strict bench fails if a step is slower", async () => {
  machine.seconds = 3;
  expect(await benchCycle({ runs: 2 })).toBe(0);
  expect(await benchCycle({ runs: 2, strict: true })).toBe(1);
  expect(printed).toContain("Worse: destroy, ratio to the example's flow: 0.30, was 0.20");
  expect(printed).toContain("Worse: destroy, ratio to OpenTofu: 0.75, was 0.50");
});

test("figures are saved with OpenTofu's, and don't lose them where it is missing", async () => {
  await benchCycle({ runs: 1, save: true });
  const saved = vi.mocked(commit).mock.calls[0]?.[0].steps.destroy;
  expect(saved).toMatchObject({ seconds: [2], openTofu: { seconds: [4] } });
  machine.missing = "there is no tofu on the PATH";
  await expect(benchCycle({ runs: 1, save: true })).rejects.toThrow("--save needs it");
  expect(await benchCycle({ runs: 1 })).toBe(0);
});
