import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { clearStaleLocks } from "../../cli/pulumi/locks.mjs";

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

test.each([undefined, "https://api.example", "file://~", "file:///nonexistent/folder"])(
  "has nothing to do in %s",
  (url) => {
    expect(clearStaleLocks(url, machine)).toEqual([]);
  },
);
