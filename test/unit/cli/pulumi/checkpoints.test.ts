import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import {
  type Digests,
  digestSettings,
  type Files,
  filesOf,
  noteBegin,
  noteEnd,
  planSteps,
  wasDestroyKilled,
} from "../../../../cli/pulumi/checkpoints.mjs";

let folder: string;
let files: Files;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nats regions#"));
  const states = path.join(folder, ".pulumi/stacks/nats-regions");
  mkdirSync(states, { recursive: true });
  writeFileSync(path.join(states, "dev.json"), "{}");
  const found = filesOf(pathToFileURL(folder).href, "nats-regions", "dev");
  if (!found) throw new Error("there is a state");
  files = found;
});
afterEach(() => rmSync(folder, { recursive: true }));

const UP = ["up", "--yes", "--skip-preview", "--stack", "dev"];
const ONCE = { PULUMI_SKIP_CHECKPOINTS: "true" };

async function settings(streams: number, changes: object = {}, program = "1"): Promise<Digests> {
  const all = Array.from({ length: streams }, (_, index) => [`S${index}`, { replicas: 3 }]);
  const config = { "nats-regions:streams": Object.fromEntries(all), ...changes };
  const digests = await digestSettings(stringify({ config }), () => [program]);
  if (!digests) throw new Error("these are settings");
  return digests;
}

function putStreams(count: number): void {
  const type = "pulumi-nodejs:dynamic/nats:Stream";
  const resources = Array.from({ length: count }, () => ({ type }));
  writeFileSync(files.state, JSON.stringify({ resources }));
}

const variablesOf = (args: readonly string[], wanted?: Digests) =>
  planSteps(args, files, wanted).map(({ set }) => set);

describe("an up of many streams", () => {
  beforeEach(async () => {
    noteEnd(UP, 0, files, await settings(100));
    putStreams(100);
  });

  test("writes the state once if nothing but streams changes", async () => {
    expect(variablesOf(UP, await settings(120))).toEqual([ONCE]);
    expect(variablesOf(UP, await settings(80))).toEqual([ONCE]);
  });

  test("keeps the checkpoints for few streams", async () => {
    expect(variablesOf(UP, await settings(119))).toEqual([{}]);
    expect(variablesOf(UP, await settings(100))).toEqual([{}]);
  });

  test.each<[string, readonly string[], object, string]>([
    ["another setting changes", UP, { "nats-regions:memory": "1GiB" }, "1"],
    ["the program changes", UP, {}, "2"],
    ["some resources are named", [...UP, "--target", "urn"], {}, "1"],
    ["resources are to be replaced", [...UP, "--replace=urn"], {}, "1"],
    ["what runs is looked at first", [...UP, "--refresh"], {}, "1"],
    ["settings are given with it", [...UP, "--config", "memory=1GiB"], {}, "1"],
    ["it goes by a plan", [...UP, "--plan", "file"], {}, "1"],
    ["it is a preview", ["preview"], {}, "1"],
  ])("keeps the checkpoints if %s", async (_, args, changes, program) => {
    expect(variablesOf(args, await settings(300, changes, program))).toEqual([{}]);
  });

  test.each<[string, readonly string[], number]>([
    ["an update of some resources", [...UP, "--target", "urn"], 0],
    ["a refresh", ["refresh", "--yes"], 0],
    ["a change of the state by hand", ["state", "delete", "urn"], 0],
    ["another state", ["stack", "import", "--file", "x"], 0],
    ["a destroy", ["destroy", "--yes"], 1],
  ])("keeps the checkpoints after %s", async (_, args, status) => {
    noteEnd(args, status, files, undefined);
    expect(variablesOf(UP, await settings(300))).toEqual([{}]);
  });

  test("goes by what was applied last, not by what failed", async () => {
    noteEnd(UP, 1, files, await settings(100, { "nats-regions:memory": "1GiB" }));
    noteEnd(UP, null, files, await settings(300));
    expect(variablesOf(UP, await settings(300))).toEqual([ONCE]);
  });
});

describe("the first up of many streams", () => {
  test("makes the nodes first, with checkpoints", async () => {
    const [nodes, streams, ...others] = planSteps(UP, files, await settings(100));
    expect(nodes).toMatchObject({ args: UP, set: { NATS_REGIONS_NODES_FIRST: "true" } });
    expect(nodes?.set).not.toHaveProperty("PULUMI_SKIP_CHECKPOINTS");
    expect(streams?.set).toEqual(ONCE);
    expect([...(streams?.args ?? [])].sort()).toEqual([...UP].sort());
    expect(others).toEqual([]);
  });

  test("is one with few streams, and where the state has some already", async () => {
    expect(variablesOf(UP, await settings(2))).toEqual([{}]);
    putStreams(1);
    expect(variablesOf(UP, await settings(100))).toEqual([{}]);
  });
});

describe("a destroy of many streams", () => {
  const DESTROY = ["destroy", "--yes"];
  beforeEach(() => putStreams(100));

  test("writes the state once", () => {
    expect(variablesOf(DESTROY)).toEqual([ONCE]);
    expect(variablesOf([...DESTROY, "--target", "urn"])).toEqual([{}]);
    putStreams(2);
    expect(variablesOf(DESTROY)).toEqual([{}]);
  });

  test("that was killed is known by the state that it didn't write", () => {
    expect(wasDestroyKilled(files)).toBe(false);
    noteBegin("destroy", files);
    expect(wasDestroyKilled(files)).toBe(true);
    putStreams(0);
    expect(wasDestroyKilled(files)).toBe(false);
    putStreams(100);
    expect(wasDestroyKilled(files)).toBe(false);
  });

  test("leaves no note of its streams", () => {
    writeFileSync(files.rosterNote, "{}");
    noteEnd(DESTROY, 1, files, undefined);
    expect(readFileSync(files.rosterNote, "utf8")).toBe("{}");
    noteEnd(DESTROY, 0, files, undefined);
    expect(existsSync(files.rosterNote)).toBe(false);
  });
});

test.each([["s3://bucket"], ["https://api.pulumi.com"], [undefined], ["file://~"]])(
  "Another backend than files here is left as it is: %s",
  (backend) => {
    expect(filesOf(backend, "nats-regions", "dev")).toBe(undefined);
  },
);
