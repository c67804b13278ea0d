import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { crampedFolder, mendStates } from "../../../../cli/pulumi/full-disk.mjs";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nats regions#"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const backend = () => pathToFileURL(folder).href;
const place = (area: string, name: string) => {
  const file = path.join(folder, ".pulumi", area, name);
  mkdirSync(path.dirname(file), { recursive: true });
  return file;
};
const state = () => place("stacks/nats-regions", "dev.json");
const copy = () => `${state()}.whole`;
const lock = (pid: number) =>
  writeFileSync(
    place("locks/organization/nats-regions/dev", "1.json"),
    JSON.stringify({ pid, hostname: hostname() }),
  );

const WHOLE = '{"version":3,"checkpoint":{}}';
const TORN = WHOLE.slice(0, 20);

describe("mendStates", () => {
  test.each([TORN, ""])("puts back the state that there was before it became %j", (torn) => {
    writeFileSync(state(), WHOLE);
    expect(mendStates(backend())).toEqual([]);
    writeFileSync(state(), torn);
    writeFileSync(`${state()}.bak`, torn);
    expect(mendStates(backend())).toEqual(["dev"]);
    expect(readFileSync(state(), "utf8")).toBe(WHOLE);
    expect(mendStates(backend())).toEqual([]);
  });

  test("goes along with what Pulumi writes", () => {
    writeFileSync(state(), WHOLE);
    mendStates(backend());
    const later = WHOLE.replace("3", "4");
    writeFileSync(state(), later);
    mendStates(backend());
    writeFileSync(state(), TORN);
    mendStates(backend());
    expect(readFileSync(state(), "utf8")).toBe(later);
  });

  test("leaves a state to the command that is at work on it, and not to one that was killed", () => {
    writeFileSync(state(), WHOLE);
    mendStates(backend());
    writeFileSync(state(), TORN);
    lock(process.pid);
    expect(mendStates(backend())).toEqual([]);
    expect(readFileSync(state(), "utf8")).toBe(TORN);
    lock(2 ** 30);
    expect(mendStates(backend())).toEqual(["dev"]);
  });

  test("removes the copy of a state that is gone, but not while a command is at work on it", () => {
    writeFileSync(state(), WHOLE);
    mendStates(backend());
    rmSync(state());
    lock(process.pid);
    mendStates(backend());
    expect(existsSync(copy())).toBe(true);
    lock(2 ** 30);
    expect(mendStates(backend())).toEqual([]);
    expect(existsSync(copy())).toBe(false);
  });

  test("knows what it has a copy of by size and time, and reads anything else", () => {
    const now = Date.now();
    const later = WHOLE.replace("3", "4");
    const copyAfter = (text: string, age: number) => {
      writeFileSync(state(), text);
      utimesSync(state(), new Date(), new Date(now - age));
      mendStates(backend());
      return readFileSync(copy(), "utf8");
    };
    expect(copyAfter(WHOLE, 60_000)).toBe(WHOLE);
    // As nothing is, but this shows that it was not read.
    expect(copyAfter(later, 60_000)).toBe(WHOLE);
    expect(copyAfter(later, 59_990)).toBe(later);
    expect(copyAfter(`${WHOLE} `, 59_990)).toBe(`${WHOLE} `);
  });

  test("reads what was written just now, as it may be written once more at the same time", () => {
    const later = WHOLE.replace("3", "4");
    writeFileSync(state(), WHOLE);
    mendStates(backend());
    const { mtime } = statSync(state());
    writeFileSync(state(), later);
    utimesSync(state(), mtime, mtime);
    mendStates(backend());
    expect(readFileSync(copy(), "utf8")).toBe(later);
  });

  test("leaves to Pulumi what it can't look at", () => {
    writeFileSync(state(), WHOLE);
    symlinkSync(copy(), copy());
    expect(mendStates(backend())).toEqual([]);
  });

  test("leaves a torn state where there was never another", () => {
    writeFileSync(state(), TORN);
    expect(mendStates(backend())).toEqual([]);
    expect(existsSync(copy())).toBe(false);
  });

  test.each([undefined, "https://api.example", "file://~", "file:///nonexistent/folder"])(
    "has nothing to do in %s",
    (url) => {
      expect(mendStates(url)).toEqual([]);
    },
  );
});

describe("crampedFolder", () => {
  const free = (bavail: number) => () => ({ bavail, bsize: 4_096 });

  test("names the folder where there is no room for the state", () => {
    expect(crampedFolder(backend(), free(100))).toBe(folder);
    expect(crampedFolder(backend(), free(100_000))).toBeUndefined();
  });

  test.each([undefined, "https://api.example", "file:///nonexistent/folder"])(
    "has nothing to say of %s",
    (url) => {
      expect(crampedFolder(url)).toBeUndefined();
    },
  );
});
