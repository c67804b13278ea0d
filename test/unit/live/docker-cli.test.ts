import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { docker, expectDocker, readDocker } from "../../../live/engine/docker-cli.ts";

/** A command of that name that does as its first argument says. */
const DOCKER = `#!/bin/sh
case "$1" in
ps) echo "row" ;;
cp) head -c 3000000 /dev/zero ;;
logs) head -c 3000000 /dev/zero | tr '\\0' x ;;
info) exec sleep 60 ;;
*) echo "Error response from daemon: no such thing" >&2; exit 1 ;;
esac
`;

describe("the docker CLI", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "docker-cli-"));
    mkdirSync(path.join(folder, "bin"));
    writeFileSync(path.join(folder, "bin/docker"), DOCKER, { mode: 0o755 });
    vi.stubEnv("PATH", `${path.join(folder, "bin")}:${process.env.PATH}`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test("gives what a command wrote, or what it complained about", async () => {
    expect(await docker("ps")).toMatchObject({ ok: true, stdout: "row" });
    expect(await docker("rm")).toMatchObject({ ok: false, error: "no such thing" });
    await expect(expectDocker("rm", "x")).rejects.toThrow("docker rm: no such thing");
    await expect(readDocker("rm", "x")).rejects.toThrow("docker rm: no such thing");
  });

  test("gives megabytes: logs, or a config with thousands of users", async () => {
    expect((await docker("logs", "x")).stdout).toHaveLength(3_000_000);
    expect(await readDocker("cp", "x:/etc/nats", "-")).toHaveLength(3_000_000);
  });

  test("gives up an engine that hangs, and names the command and the engine", async () => {
    vi.stubEnv("DOCKER_HOST", "ssh://nowhere");
    vi.stubEnv("NATS_REGIONS_DOCKER_SECONDS", "0.5");
    await expect(expectDocker("info", "--format={{.ID}}")).rejects.toThrow(
      "docker info: the engine (DOCKER_HOST ssh://nowhere) didn't answer `docker info` within 0.5 s",
    );
  });

  test("says where there is no such command", async () => {
    vi.stubEnv("PATH", folder);
    expect((await docker("ps")).error).toBe("there is no docker command");
  });
});
