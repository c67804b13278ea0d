import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";

const FOLDER = path.resolve(import.meta.dirname, "../../../../cli/pulumi");
const EXEC = path.join(FOLDER, "exec.mjs");

/** Runs a shell's command by `exec` in a node of its own. */
function run(command: string, afterwards = "undefined") {
  const script = `
    import { exec } from ${JSON.stringify(EXEC)};
    const env = { ...process.env, GIVEN: "given", ABSENT: undefined };
    await exec("/bin/sh", ["-c", ${JSON.stringify(command)}], env, ${afterwards});`;
  return execa({ reject: false })(process.execPath, ["--input-type=module", "--eval", script]);
}

test("A program has its environment, and its end is that of the process", async () => {
  const { exitCode, stdout, stderr } = await run("echo $GIVEN $" + "{ABSENT-absent}; exit 3");
  expect(stdout).toBe("given absent");
  expect(stderr).toBe("");
  expect(exitCode).toBe(3);
});

test("A program that is interrupted is waited for, and something may be said after it", async () => {
  // A shell may lose an interrupt that comes between its own command and a program that it turns into.
  const program = 'console.log("begun"); setTimeout(() => {}, 20_000)';
  const command = `exec '${process.execPath}' --eval '${program}'`;
  const running = run(command, '() => console.log("interrupted")');
  for await (const line of running.iterable()) {
    if (line === "interrupted") break;
    running.kill("SIGINT");
  }
  expect((await running).signal).toBe("SIGINT");
});

test("A CLI that can't be started is named, with the way out", async () => {
  const home = mkdtempSync(path.join(tmpdir(), "nats-regions-home-"));
  try {
    const cli = path.join(home, "pulumi");
    writeFileSync(cli, "#!/nowhere/interpreter\n", { mode: 0o755 });
    const env = {
      PATH: `${home}:${process.env.PATH}`,
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: "s3://state",
    };
    const wrapper = path.join(FOLDER, "pulumi.mjs");
    const { exitCode, stderr } = await execa(process.execPath, [wrapper, "version"], {
      env,
      reject: false,
    });
    expect(stderr).toBe(
      `${cli} can't be started: spawn ${cli} ENOENT. Remove it, and run \`npm run setup\`.`,
    );
    expect(exitCode).toBe(126);
  } finally {
    rmSync(home, { recursive: true });
  }
});
