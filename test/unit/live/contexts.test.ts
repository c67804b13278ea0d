import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { EngineRefuses } from "../../../live/engine/answering-engines.ts";
import { resolveContext } from "../../../live/engine/contexts.ts";

/** Like docker 28, which has written what is in the file for the one context that there is. */
const DOCKER = `#!/bin/sh
[ "$1 $2 $3" = "context inspect far" ] && exec cat "$0-far"
echo 'context "$3": context not found: open meta.json: no such file or directory' >&2
exit 1
`;
const FILES = ["ca.pem", "cert.pem", "key.pem"];

describe("a docker context", () => {
  let folder: string;

  const leadsTo = (host: string, files: readonly string[] | null = null, isUnverified = false) =>
    writeFileSync(
      path.join(folder, "docker-far"),
      JSON.stringify({ host, files, folder: "/tls/c0ffee", isUnverified }),
    );
  const resolve = (host = "far") =>
    resolveContext({ key: "rg2", host, address: "10.0.2.5", ssh: [] });

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "contexts-"));
    writeFileSync(path.join(folder, "docker"), DOCKER, { mode: 0o755 });
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test.each(["ssh://nats@10.0.2.5", "unix:///run/docker.sock", "tcp://127.0.0.1:2375"])(
    "is taken by its host: %s",
    async (host) => {
      leadsTo(host);
      expect(await resolve()).toEqual({ key: "rg2", host, address: "10.0.2.5", ssh: [] });
    },
  );

  test("by tcp comes with its certificates", async () => {
    leadsTo("tcp://10.0.2.5:2376", FILES);
    expect(await resolve()).toMatchObject({
      host: "tcp://10.0.2.5:2376",
      certPath: "/tls/c0ffee/docker",
    });
  });

  test.each<[string, readonly string[] | null, boolean]>([
    ["none", null, false],
    ["no authority", ["cert.pem", "key.pem"], false],
    ["any authority", FILES, true],
  ])("by tcp is refused with certificates of %s", async (_, files, isUnverified) => {
    leadsTo("tcp://10.0.2.5:2376", files, isUnverified);
    await expect(resolve()).rejects.toThrow(EngineRefuses);
    await expect(resolve()).rejects.toThrow(
      /^engines\.rg2: docker context far .*docker context update far/,
    );
  });

  test("that isn't there is refused", async () => {
    await expect(resolve("near")).rejects.toThrow(EngineRefuses);
    await expect(resolve("near")).rejects.toThrow("engines.rg2: there is no docker context near");
  });

  test("isn't asked for where the settings have a URL", async () => {
    expect((await resolve("ssh://m2")).host).toBe("ssh://m2");
  });
});
