import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { isTeardown } from "../../../live/pulumi-cli/command.ts";

const COMMAND = path.resolve(import.meta.dirname, "../../../live/pulumi-cli/command.ts");
const ASK = `import("${COMMAND}").then(async (m) => console.log(JSON.stringify(await m.findPulumiCommand() ?? null)))`;
/** As a plugin starts what a Command says: by a shell. */
const START = `require("node:child_process").spawnSync("sh", ["-c", 'exec "$NODE" -e "$ASK"'], { stdio: "inherit" })`;

test("the command of Pulumi's CLI is found beyond the processes between", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "pulumi-command-"));
  try {
    const cli = path.join(folder, "pulumi");
    symlinkSync(process.execPath, cli);
    const env = { NODE: process.execPath, ASK };
    const { stdout } = await execa(cli, ["-e", START, "up", "--yes"], { env });
    expect(JSON.parse(stdout)).toEqual(["-e", START, "up", "--yes"]);
    const without = await execa(process.execPath, ["-e", START], { env });
    expect(without.stdout).toBe("null");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [["destroy", "--yes"], true],
  [["-s", "dev", "down"], true],
  [["up", "--yes"], false],
  [["update", "--stack", "dev"], false],
])("%j takes a stack down: %s", (args, expected) => {
  expect(isTeardown(args)).toBe(expected);
});
