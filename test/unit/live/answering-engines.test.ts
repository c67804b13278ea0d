import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { askWhoAnswers, EngineRefuses } from "../../../live/engine/answering-engines.ts";
import { engineAt } from "../../../live/engine/engine.ts";
import { noteSilence } from "../../../live/engine/known-silence.ts";

const engineOn = (machine: string) =>
  engineAt({ key: machine, host: `ssh://${machine}`, address: `${machine}.example.com`, ssh: [] });

/** Ends like `docker` where ssh has said what is in the file of its host; without one the engine answers. */
const DOCKER = `#!/bin/sh
said="$0-$(basename "$DOCKER_HOST")"
[ -f "$said" ] || { cat "$said-version" 2>/dev/null || echo 28.0.0; exit; }
{ printf 'error during connect: command [ssh -- m docker system dial-stdio] has exited with exit status 255, stderr='
  cat "$said"; } >&2
exit 1
`;

describe("who answers", () => {
  let folder: string;
  const says = (machine: string, ...lines: string[]) =>
    writeFileSync(path.join(folder, `docker-${machine}`), lines.join("\n"));

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "answers-"));
    writeFileSync(path.join(folder, "docker"), DOCKER, { mode: 0o755 });
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test.each(["20.10.24+dfsg1", "29.1.0", "dev"])("is an engine of version %s", async (version) => {
    says("m1-version", version);
    expect((await askWhoAnswers([engineOn("m1")])).answering).toHaveLength(1);
  });

  test.each(["19.03.15", "20.9.1"])("is none of version %s", async (version) => {
    says("m1-version", version);
    const asked = askWhoAnswers([engineOn("m1")]);
    await expect(asked).rejects.toThrow(
      `engines.m1: its Docker is ${version}, and nodes need 20.10 or newer: upgrade it.`,
    );
  });

  test("is told of each engine, and of the others why they don't", async () => {
    says("m2", "Welcome", "ssh: connect to host m2 port 22: Connection timed out");
    const { answering, silent } = await askWhoAnswers(["m1", "m2", "m3"].map(engineOn));
    expect(answering.map(({ key }) => key)).toEqual(["m1", "m3"]);
    expect([...silent]).toEqual([["m2", "ssh: connect to host m2 port 22: Connection timed out"]]);
  });

  test.each([
    [
      "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: permission denied",
      /group docker/,
    ],
    [
      "failed to open the raw stream connection: dial unix /run/docker.sock: connect: no such file or directory",
      undefined,
    ],
  ])(
    "asks the machine where docker's CLI says only that no engine is behind ssh: %j",
    async (words, way) => {
      says(
        "m2",
        "Cannot connect to the Docker daemon at http://docker.example.com. Is the docker daemon running?",
      );
      const ssh = `#!/bin/sh\necho '${words}' >&2\nexit 1\n`;
      writeFileSync(path.join(folder, "ssh"), ssh, { mode: 0o755 });
      const asked = askWhoAnswers([engineOn("m2")]);
      if (way) await expect(asked).rejects.toThrow(way);
      else expect([...(await asked).silent]).toEqual([["m2", words]]);
    },
  );

  test.each([
    [
      "@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@@@",
      /its host key .*ssh-keygen -R/,
    ],
    ["No ED25519 host key is known for m2.\nHost key verification failed.", /its host key .*known/],
    ["nats@m2: Permission denied (publickey).", /none of the keys .*authorized_keys/],
    [
      "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
      /group docker/,
    ],
    ["sh: 1: docker: not found", /has no docker/],
    ['Get "http://docker.example.com/version": malformed HTTP status code "to"', /isn't docker/],
    ['unable to resolve docker endpoint: context "far": context not found: open', /docker context/],
    ["unable to resolve docker endpoint: open certs/ca.pem: no such file", /folder with ca\.pem/],
    [
      "tls: failed to verify certificate: x509: certificate signed by unknown authority",
      /of one authority/,
    ],
    ["remote error: tls: certificate required", /of one authority/],
    ["Client sent an HTTP request to an HTTPS server.", /one side has TLS/],
  ])("is nobody's silence where a machine refuses: %j", async (words, way) => {
    says("m2", words);
    const asked = askWhoAnswers(["m1", "m2"].map(engineOn));
    await expect(asked).rejects.toThrow(EngineRefuses);
    await expect(asked).rejects.toThrow(/^engines\.m2: ssh:\/\/m2 lets nobody in: /);
    await expect(asked).rejects.toThrow(way);
  });

  test("isn't asked of those that this command has found silent", async () => {
    vi.stubEnv("NATS_REGIONS_SILENT", undefined);
    const engines = ["m1", "m2", "m3"].map(engineOn);
    says("m2", "Connection timed out");
    noteSilence(engines, (await askWhoAnswers(engines)).silent);
    rmSync(path.join(folder, "docker-m2"));
    says("m3", "Connection timed out");
    const { answering, silent } = await askWhoAnswers(engines);
    expect(answering.map(({ key }) => key)).toEqual(["m1"]);
    expect([...silent.keys()]).toEqual(["m2", "m3"]);
  });
});
