import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa, execaSync } from "execa";
import { expect, test } from "vitest";
import { pulumiEnvironment } from "../../../../cli/pulumi/project.mjs";

const require = createRequire(import.meta.url);

/** The environment of a command of the CLI. @param own what the user has set. */
function environment(args: readonly string[] = ["up"], own: NodeJS.ProcessEnv = {}) {
  const given = { ...process.env, PULUMI_BACKEND_URL: "s3://state", ...own };
  return pulumiEnvironment(args, given).env;
}

/** Runs a program as a command of the CLI would, with what is preloaded into it. */
function run(program: string, args?: readonly string[], own?: NodeJS.ProcessEnv) {
  return execaSync({ env: environment(args, own), reject: false })`node -e ${program}`;
}

const SDK = 'const pulumi = require("@pulumi/pulumi");';
const DEBUGGABLE = `${SDK} const { debuggablePromise } = require("@pulumi/pulumi/runtime/debuggable");`;
const LEAK = `${DEBUGGABLE} debuggablePromise(new Promise(() => {}), "never");`;
const TRACE = `${DEBUGGABLE} console.log((() => { const promise = Promise.resolve(); debuggablePromise(promise, "done"); return promise._debugStackTrace.includes(" at "); })());`;

test("What the SDK needs for nothing here is loaded when it is asked for, and works", () => {
  const { stdout } = run(`${SDK}
    const isLoaded = (name) => Object.keys(require.cache).some((file) => file.includes(name));
    const [before] = [["/automation/", "/typescript.js", "/js-yaml/"].filter(isLoaded)];
    console.log(JSON.stringify([before, typeof pulumi.automation.LocalWorkspace, isLoaded("/automation/")]));`);
  expect(JSON.parse(stdout)).toEqual([[], "function", true]);
});

test("Of zod's languages, English alone is loaded", () => {
  const { stdout } = run(`import("zod").then(({ z }) =>
    console.log(JSON.stringify([Object.keys(z.locales), z.string().safeParse(1).error.issues[0].message])));`);
  expect(JSON.parse(stdout)).toEqual([[], "Invalid input: expected string, received number"]);
});

test("An older node that a Command starts has no hooks for modules, and starts all the same", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  try {
    const older = path.join(folder, "older.cjs");
    writeFileSync(older, 'delete require("node:module").registerHooks;');
    const own = { NODE_OPTIONS: `--require ${older}` };
    expect(run('console.log("started")', ["up"], own).stdout).toBe("started");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("Monitoring pages are read without node's WebSocket", () => {
  const { stdout } = run(`require("./live/monitoring/monitoring-page.ts");
    console.log(process.moduleLoadList.filter((name) => /undici/.test(name)).length);`);
  expect(stdout).toBe("0");
});

test("A dynamic provider leaves what it has compiled to the next one", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
  try {
    const options = {
      env: environment(["up"], { NODE_COMPILE_CACHE: folder }),
      reject: false,
    } as const;
    const provider = execa(
      process.execPath,
      [require.resolve("@pulumi/pulumi/cmd/dynamic-provider"), "127.0.0.1:1"],
      options,
    );
    // It says its port once it is ready; the CLI ends it like this.
    for await (const _ of provider.iterable()) provider.kill("SIGINT");
    const { exitCode, signal } = await provider;
    expect([exitCode, signal]).toEqual([130, undefined]);
    expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(100);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("A program with a promise that never ends fails", () => {
  const { exitCode, stderr } = run(LEAK);
  expect(stderr).toContain("1 promise was still active");
  expect(exitCode).toBe(1);
});

test("Promises have a stack trace where somebody looks for those that never end", () => {
  expect(run(TRACE).stdout).toContain("false");
  const { stdout } = run(TRACE, ["up"], { PULUMI_DEBUG_PROMISE_LEAKS: "1" });
  expect(stdout).toContain("true");
});

test.each([
  [["up"], false],
  [["preview", "--diff"], false],
  [["up", "--debug"], true],
  [["up", "-yd"], true],
  [["up", "-v=9"], true],
])("The SDK tells what it does by %j: %s", (args, isTold) => {
  const { stdout } = run(`${SDK} console.log(pulumi.log.debug.toString());`, args);
  expect(stdout.includes("engine")).toBe(isTold);
});

test("A dynamic provider ends once its CLI is gone", async () => {
  const cli = createServer().listen(0, "127.0.0.1");
  await once(cli, "listening");
  const { port } = cli.address() as AddressInfo;
  const provider = execa(
    process.execPath,
    [require.resolve("@pulumi/pulumi/cmd/dynamic-provider"), `127.0.0.1:${port}`],
    { env: environment(), reject: false },
  );
  await once(cli, "connection");
  cli.close();
  expect((await provider).exitCode).toBe(1);
});
