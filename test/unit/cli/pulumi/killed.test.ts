import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clearStaleLocks, clearTornAttributes, findLocks } from "../../../../cli/pulumi/killed.mjs";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nats regions#"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const machine = { hostname: "here", isAlive: (pid: number) => pid === 1 };

function lock(content: string): string {
  const locks = path.join(folder, ".pulumi/locks/organization/nats-regions/dev");
  mkdirSync(locks, { recursive: true });
  const file = path.join(locks, `${content.length}.json`);
  writeFileSync(file, content);
  return file;
}
const clear = () => clearStaleLocks(pathToFileURL(folder).href, machine);

test("takes away the lock of a process that is no more", () => {
  const file = lock('{"pid":4711,"hostname":"here"}');
  expect(clear()).toEqual([4711]);
  expect(existsSync(file)).toBe(false);
});

test.each([
  ["of a running process", '{"pid":1,"hostname":"here"}'],
  ["of another machine", '{"pid":4711,"hostname":"there"}'],
  ["that can't be read", "{"],
  ["without a process", '{"hostname":"here"}'],
])("leaves a lock %s", (_, content) => {
  const file = lock(content);
  expect(clear()).toEqual([]);
  expect(existsSync(file)).toBe(true);
});

test("finds who is at work on a stack, and nobody who was killed or is at another", () => {
  const found = (stack: string) =>
    findLocks(pathToFileURL(folder).href, `nats-regions/${stack}`, machine);
  lock('{"pid":4711,"hostname":"here"}');
  expect(found("dev")).toEqual([]);
  lock('{"pid":1,"hostname":"here"}');
  lock('{"pid":4711,"hostname":"elsewhere"}');
  expect(found("dev")).toEqual([
    { pid: 1, hostname: "here" },
    { pid: 4711, hostname: "elsewhere" },
  ]);
  expect(found("blue")).toEqual([]);
});

test.each([undefined, "https://api.example", "file://~", "file:///nonexistent/folder"])(
  "has nothing to do in %s",
  (url) => {
    expect(clearStaleLocks(url, machine)).toEqual([]);
  },
);

test("takes away the lock of a killed process that nobody asked for its end", async () => {
  // The shell becomes a program that never waits for the child it has inherited.
  const script = "sleep 0 & echo $!; exec sleep 60";
  const parent = spawn("sh", ["-c", script]);
  const [pid] = await once(parent.stdout, "data");
  const file = lock(JSON.stringify({ pid: Number(pid), hostname: hostname() }));
  try {
    await expect.poll(() => clearStaleLocks(pathToFileURL(folder).href)).toEqual([Number(pid)]);
    expect(existsSync(file)).toBe(false);
  } finally {
    parent.kill("SIGKILL");
  }
});

test("takes away attributes that were never written, and only those", () => {
  const stacks = path.join(folder, ".pulumi/stacks/nats-regions");
  mkdirSync(stacks, { recursive: true });
  const files = { "dev.json": "", "dev.json.attrs": "", "other.json.attrs": "{}" };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(stacks, name), content);
  }
  clearTornAttributes(pathToFileURL(folder).href);
  expect(readdirSync(stacks)).toEqual(["dev.json", "other.json.attrs"]);
});
