import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findReplacedVolume, keepReplacedVolumes } from "../../../../cli/pulumi/replaced.mjs";

const VOLUME = "docker:index/volume:Volume";
const URN = `urn:pulumi:dev::nats-regions::${VOLUME}::c1-rg1-az1-data`;

const volume = (more: object = {}) => ({ urn: URN, id: "data", type: VOLUME, ...more });
const container = (more: object = {}) => ({ ...volume(more), type: "docker:index/container" });

let folder: string;
const mend = () => keepReplacedVolumes(pathToFileURL(folder).href);
const place = (area: string, name: string, content: object) => {
  const file = path.join(folder, ".pulumi", area, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(content));
  return file;
};
const write = (resources: readonly object[]) =>
  place("stacks/nats-regions", "dev.json", { version: 4, checkpoint: { latest: { resources } } });
const read = (file: string) => JSON.parse(readFileSync(file, "utf8")).checkpoint.latest.resources;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nats-regions-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a volume that was replaced by hand", () => {
  test("is no longer to be deleted, as the new one is the same", () => {
    const file = write([volume(), container({ delete: true }), volume({ delete: true })]);
    expect(mend()).toEqual(["data"]);
    expect(read(file)).toEqual([volume(), container({ delete: true })]);
    expect(mend()).toEqual([]);
  });

  test("is no longer to be replaced by the next up", () => {
    const file = write([volume({ taint: true }), container({ taint: true })]);
    expect(mend()).toEqual(["data"]);
    expect(read(file)).toEqual([volume(), container({ taint: true })]);
  });

  test.each([
    ["its node left since", [volume({ delete: true })]],
    ["it had another name", [volume({ id: "other" }), volume({ delete: true })]],
    ["there is none", [volume(), container()]],
  ])("is Pulumi's own where %s", (_, resources) => {
    const file = write(resources);
    expect(mend()).toEqual([]);
    expect(read(file)).toEqual(resources);
  });

  test("is left to the command that is at work on the state", () => {
    const resources = [volume(), volume({ delete: true })];
    const file = write(resources);
    const lock = { pid: process.pid, hostname: hostname() };
    place("locks/organization/nats-regions/dev", "1.json", lock);
    expect(mend()).toEqual([]);
    expect(read(file)).toEqual(resources);
  });
});

test.each([
  [["up", "--replace", URN], URN],
  [["up", "--yes", `--target-replace=${URN}`], URN],
  [["up", "--replace", "**rg1-az1-data"], "**rg1-az1-data"],
  [["up", "--replace", "**:Volume::**"], "**:Volume::**"],
  [["up", "--replace", "**rg1-az1**"], "**rg1-az1**"],
  [["up", "--replace", "**rg1-az1-container"], undefined],
  [["up", "--replace", "**nats:Stream**"], undefined],
  [["up", "--replace"], undefined],
  [
    ["up", "--replace", "urn:pulumi:dev::nats-regions::command:local:Command::c1-wave-1"],
    undefined,
  ],
  [["up", "--target", URN], undefined],
])("a command line asks for a volume's replacement or doesn't: %j", (args, found) => {
  expect(findReplacedVolume(args)).toBe(found);
});
