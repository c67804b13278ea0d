import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compareClocks } from "../../../components/preflight/engine-clocks.ts";
import { planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { clockOffset } from "../../../live/engine/clock-offset.ts";
import { engineAt, engineFromEnvironment } from "../../../live/engine/engine.ts";
import { FakeCommands } from "../../support/fake-commands.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const MINUTE = 60_000;
/** What `docker info` says for its time (engine 20.10), with nanoseconds and the machine's zone. */
const saidAt = (time: number) =>
  `${new Date(time + 60 * MINUTE).toISOString().replace("Z", "")}456789+01:00`;

const ENGINE = engineAt({ key: "rg2", host: "ssh://m2", address: "10.0.2.5", ssh: [] });
const planOf = (settings: object) =>
  planCluster(parseSettings({ regions: ["rg1"], ...settings }, { project: "p", stack: "dev" }));

let fake: FakeCommands;
const warnings: string[] = [];
const log = { info: () => {}, warn: (line: string) => void warnings.push(line) };

beforeEach(() => {
  fake = new FakeCommands("docker");
  warnings.length = 0;
  vi.useFakeTimers({ now: NOW, toFake: ["Date"] });
});
afterEach(() => {
  fake[Symbol.dispose]();
  vi.useRealTimers();
});

/** @param minutes by which its clock is off; negative where it is behind. */
const compare = async (minutes: number, tls: string) => {
  fake.answer("docker", "info", saidAt(NOW + minutes * MINUTE));
  await compareClocks([ENGINE], planOf({ tls }), log);
  return warnings;
};

describe("the clock of a machine", () => {
  test.each([
    [-6.5, -6.5],
    [0, 0],
    [7, 7],
  ])("that is %s min off is found to be", async (minutes, found) => {
    fake.answer("docker", "info", saidAt(NOW + minutes * MINUTE));
    expect(await clockOffset(ENGINE)).toBe(found * MINUTE);
  });

  test.each(["", "no time"])("that doesn't tell is taken for right: %j", async (words) => {
    fake.answer("docker", "info", words);
    expect(await clockOffset(ENGINE)).toBe(0);
    fake.complain("docker", "no such engine");
    expect(await clockOffset(ENGINE)).toBe(0);
  });

  test("may be off by less than certificates bear", async () => {
    expect(await compare(-4.9, "stack")).toEqual([]);
    expect(await compare(4.9, "stack")).toEqual([]);
  });

  test("behind that is refused, with where, how far, and what to do", async () => {
    await expect(compare(-6.5, "stack")).rejects.toThrow(
      /engines\.rg2: 6 min 30 s behind\nSet them right, .* not yet valid\.$/,
    );
  });

  test("ahead, or where no certificates are made, is warned of", async () => {
    expect(await compare(61, "stack")).toHaveLength(1);
    expect(warnings[0]).toContain("engines.rg2: 61 min 0 s ahead");
    expect(await compare(-6, "none")).toHaveLength(2);
  });

  test("isn't asked for where the environment chooses the only engine", async () => {
    fake.answer("docker", "info", saidAt(0));
    await compareClocks([engineFromEnvironment()], planOf({}), log);
    expect(warnings).toEqual([]);
  });
});
