import path from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";

const EXEC = path.resolve(import.meta.dirname, "../../../../cli/pulumi/exec.mjs");

/** Runs a shell's command by `exec` in a node of its own. */
function run(command: string, afterwards = "undefined") {
  const script = `
    import { exec } from ${JSON.stringify(EXEC)};
    const env = { ...process.env, GIVEN: "given", ABSENT: undefined };
    await exec("/bin/sh", ["-c", ${JSON.stringify(command)}], env, ${afterwards});`;
  return execa({ reject: false })(process.execPath, ["--input-type=module", "--eval", script]);
}

test("A program takes over the process, with its environment and its end", async () => {
  const running = run("echo $$ $GIVEN $" + "{ABSENT-absent}; exit 3");
  const { exitCode, stdout, stderr } = await running;
  expect(stdout).toBe(`${running.pid} given absent`);
  expect(stderr).toBe("");
  expect(exitCode).toBe(3);
});

test("A program after which there may be something to say is waited for, and interrupted", async () => {
  const running = run("echo $$; exec sleep 20", '() => console.log("interrupted")');
  for await (const line of running.iterable()) {
    if (line === "interrupted") break;
    expect(line).not.toBe(`${running.pid}`);
    running.kill("SIGINT");
  }
  expect((await running).signal).toBe("SIGINT");
});
