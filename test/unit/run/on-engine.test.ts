import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { onEngine } from "../../../components/steps/script.ts";
import { type Engine, engineAt, engineFromEnvironment } from "../../../live/engine/engine.ts";
import { enginesVariable } from "../../../live/engine/told-engines.ts";

const place = (key: string, host: string) => ({ key, host, address: "10.0.1.5", ssh: [] });
const RG1 = engineAt(place("rg1", "ssh://m1"));
const RG2 = engineAt(place("rg2", "far"));

describe("a command that is run on an engine", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "on-engine-"));
    const docker = '#!/bin/sh\necho "$DOCKER_HOST,$DOCKER_CONTEXT: $*"; exit $ENDS\n';
    writeFileSync(path.join(folder, "docker"), docker, { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** As Pulumi runs it, where the environment names yet another engine. */
  const run = async (engine: Engine, command: string, env: Readonly<Record<string, string>> = {}) =>
    await execa("sh", ["-c", onEngine(engine, command)], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        DOCKER_HOST: "ssh://elsewhere",
        ...enginesVariable([RG1, RG2]),
        ...env,
      },
      reject: false,
    });

  test("has docker lead there, and its words as they are", async () => {
    const command = `docker ps "$NETWORK" 'a  b' "it's \\"so\\"" || echo no`;
    const env = { NETWORK: "net  1" };
    const words = `ps net  1 a  b it's "so"`;
    expect((await run(RG1, command, env)).stdout).toBe(`ssh://m1,: ${words}`);
    expect((await run(RG2, command, env)).stdout).toBe(`,far: ${words}`);
    const sole = engineFromEnvironment();
    expect((await run(sole, command, env)).stdout).toBe(`ssh://elsewhere,: ${words}`);
  });

  test("ends as the command ends", async () => {
    expect((await run(RG1, "docker network rm x", { ENDS: "3" })).exitCode).toBe(3);
    expect((await run(RG1, "docker network rm x")).exitCode).toBe(0);
  });

  test("isn't run where nobody tells of the engine", async () => {
    const { exitCode, stdout, stderr } = await run(RG1, "docker ps", enginesVariable([RG2]));
    expect([exitCode, stdout, stderr]).toEqual([1, "", "there is no engine rg1"]);
  });
});
