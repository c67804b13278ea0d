import { execa } from "execa";
import { expect, test } from "vitest";
import { z } from "zod";

/** Prints the groups of a process before, in and after a group, of one that it starts there, and of one that leaves. */
const SCRIPT = `
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { CpuGroup, isInGroup, leaveGroup } from "./tools/commands/cpu-group.ts";

const groupOf = (text) => text.match(/^\\d+:(?:[\\w,]*,)?cpu(?:,[\\w,]*)?:(.*)$/m)?.[1] ?? "";
const read = (process) => groupOf(readFileSync("/proc/" + process + "/cgroup", "utf8"));
const seen = { before: read("self"), hasGroup: false };
{
  using group = CpuGroup.enter("nats-regions-unit-" + process.pid);
  seen.hasGroup = group !== undefined && isInGroup();
  seen.inside = read("self");
  seen.started = groupOf(execFileSync("cat", ["/proc/self/cgroup"], { encoding: "utf8" }));
  const leaving = spawn("sleep", ["10"]);
  leaveGroup(leaving.pid);
  seen.left = read(leaving.pid);
  leaving.kill();
}
seen.after = read("self");
seen.hasLeft = !isInGroup();
console.log(JSON.stringify(seen));
`;

const groups = z.object({
  before: z.string(),
  hasGroup: z.boolean(),
  inside: z.string(),
  started: z.string(),
  left: z.string(),
  after: z.string(),
  hasLeft: z.boolean(),
});

test("a process and those that it starts are in a group until it is given up, except for one that leaves", async () => {
  const { NATS_REGIONS_TEST_OUTSIDE: _, ...env } = process.env;
  const options = { input: SCRIPT, env, extendEnv: false } as const;
  const { stdout } = await execa(process.execPath, ["--input-type=module", "-"], options);
  const { before, hasGroup, inside, started, left, after, hasLeft } = groups.parse(
    JSON.parse(stdout),
  );
  expect({ left, after, hasLeft }).toEqual({ left: before, after: before, hasLeft: true });
  expect(started).toBe(inside);
  const own = expect.stringMatching(/^\/nats-regions-unit-\d+$/);
  // Without the right to make a group, all goes on as before.
  expect(inside).toEqual(hasGroup ? own : before);
});
