import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DockerError, engineAt, formerEngineAt } from "../../../live/engine/engine.ts";
import {
  askEngines,
  findNodes,
  listOwnNodes,
  type OwnNode,
} from "../../../live/engine/own-nodes.ts";

const OWNER = "nats-regions.owner=0123456789abcdef";
const place = (key: string, host: string) => ({
  key,
  host,
  address: `${key}.example.com`,
  ssh: [],
});
const RG1 = engineAt(place("rg1", "ssh://m1"));
const RG2 = engineAt(place("rg2", "ssh://m2"));

/** Answers `ps` with the file of its host; there is no such engine without one, and no file in any container. */
const DOCKER = `#!/bin/sh
case "$1" in
ps) cat "$0-$(basename "$DOCKER_HOST")" 2>/dev/null || { echo "no route to $DOCKER_HOST" >&2; exit 1; } ;;
*) echo "Error response from daemon: Could not find the file" >&2; exit 1 ;;
esac
`;

const row = (name: string, more: object = {}) => ({
  id: `id-of-${name}`,
  container: `nats-regions-dev-${name}`,
  state: "running",
  ports: "0.0.0.0:5222->4222/tcp, 127.0.0.1:8222->8222/tcp",
  name,
  restartSettings: "{}",
  ...more,
});

let folder: string;
const has = (machine: string, ...rows: object[]) =>
  writeFileSync(
    path.join(folder, `docker-${machine}`),
    rows.map((each) => JSON.stringify(each)).join("\n"),
  );
const namesOf = (own: readonly OwnNode[]) => own.map(({ name, engine }) => [name, engine.key]);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "own-nodes-"));
  writeFileSync(path.join(folder, "docker"), DOCKER, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  has("m1", row("rg1-az1"), row("rg1-az2", { state: "exited", ports: "" }));
  has("m2", row("rg2-az1"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("a stack's nodes", () => {
  test("are those of all its engines, each at its machine's address", async () => {
    const own = await listOwnNodes([RG1, RG2], OWNER, { ca: "CA" });
    expect(own.map(({ name, address, state }) => [name, address, state])).toEqual([
      ["rg1-az1", "rg1.example.com:5222", "running"],
      ["rg1-az2", undefined, "down"],
      ["rg2-az1", "rg2.example.com:5222", "running"],
    ]);
    expect(namesOf(own).map(([, key]) => key)).toEqual(["rg1", "rg1", "rg2"]);
    expect(own.every(({ ca }) => ca === "CA")).toBe(true);
  });

  test("show no pages from here that are for another machine alone", async () => {
    const own = await listOwnNodes([RG1, RG2], OWNER, {});
    expect(own.some(({ url }) => url !== undefined)).toBe(false);
  });

  test("are there once where the settings call their engine something else than before", async () => {
    has("nats@m1", row("rg1-az1"), row("rg1-az2"), row("rg9-az1"));
    const former = formerEngineAt(place("rg1", "ssh://nats@m1"));
    expect(namesOf(await listOwnNodes([RG1, former], OWNER, {}))).toEqual([
      ["rg1-az1", "rg1"],
      ["rg1-az2", "rg1"],
      ["rg9-az1", "rg1 (former)"],
    ]);
  });

  test("aren't listed without those of an engine that doesn't answer, unless it is a former one", async () => {
    const gone = place("rg3", "ssh://m3");
    await expect(listOwnNodes([RG1, engineAt(gone)], OWNER, {})).rejects.toThrow(DockerError);
    const own = await listOwnNodes([RG2, formerEngineAt(gone)], OWNER, {});
    expect(namesOf(own)).toEqual([["rg2-az1", "rg2"]]);
  });

  test("are listed for those who wait, with the engines that don't answer", async () => {
    const { own, silence } = await askEngines([engineAt(place("rg3", "ssh://m3")), RG2], OWNER, {});
    expect(namesOf(own)).toEqual([["rg2-az1", "rg2"]]);
    expect(silence).toBe(
      "the Docker engine of rg3 doesn't answer (docker ps: no route to ssh://m3)",
    );
    expect(await askEngines([RG2], OWNER, {})).not.toHaveProperty("silence");
  });

  test("are found by name while they run; of others there is the name alone", async () => {
    const own = await listOwnNodes([RG1, RG2], OWNER, {});
    const found = findNodes(["rg2-az1", "rg1-az2", "rg9-az9"], own);
    expect(found.map(({ name, address }) => [name, address])).toEqual([
      ["rg2-az1", "rg2.example.com:5222"],
      ["rg1-az2", undefined],
      ["rg9-az9", undefined],
    ]);
    expect(found.slice(1)).toEqual([{ name: "rg1-az2" }, { name: "rg9-az9" }]);
  });
});
