import { describe, expect, test, vi } from "vitest";
import { describeVerbs, runLine } from "../../../tools/commands/machines-prompt.ts";
import type { Machines } from "../../support/machines/machines.ts";

/** Notes what it is asked for. */
function recorder() {
  const m1 = { name: "m1", kill: vi.fn(), boot: vi.fn() };
  const machines = {
    machine: vi.fn(() => m1),
    setDelays: vi.fn(),
    setLosses: vi.fn(),
    partition: vi.fn(),
    isolate: vi.fn(),
    heal: vi.fn(),
  };
  return {
    m1,
    ...machines,
    type: (line: string) => runLine(machines as unknown as Machines, line),
  };
}

describe("a line of the machines' prompt", () => {
  test("sets delays and losses", async () => {
    const { type, setDelays, setLosses } = recorder();
    await type("delay m1-m2 15");
    await type("  loss  m1>m2 0.01 ");
    await type("");
    expect(setDelays.mock.calls).toEqual([[{ "m1-m2": 15 }]]);
    expect(setLosses.mock.calls).toEqual([[{ "m1>m2": 0.01 }]]);
  });

  test("cuts", async () => {
    const { type, partition, isolate } = recorder();
    await type("cut m1>m2");
    await type("cut operator-m1");
    await type("isolate m1");
    expect(partition.mock.calls).toEqual([
      ["m1", "m2", { oneWay: true }],
      ["operator", "m1", { oneWay: false }],
    ]);
    expect(isolate).toHaveBeenCalledWith("m1");
  });

  test("is for a machine", async () => {
    const { type, machine, m1 } = recorder();
    await type("kill m1");
    expect(machine).toHaveBeenCalledWith("m1");
    expect(m1.kill).toHaveBeenCalledOnce();
    expect(m1.boot).not.toHaveBeenCalled();
  });

  test.each([
    ["halt m1", `There is no halt. There are:\n${describeVerbs()}`],
    ["toString", "There is no toString."],
    ["delay m1-m2", "Write it like this: delay m1-m2 15"],
    ["heal m1", "Write it like this: heal"],
    ["cut m1 m2", "Write it like this: cut m1-m2"],
    ["cut m1", "m1 is no pair"],
  ])("%s is refused", async (line, message) => {
    await expect(recorder().type(line)).rejects.toThrow(message);
  });
});
