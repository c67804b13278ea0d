import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  AlreadyExists,
  DockerError,
  Engine,
  engineAt,
  engineFromEnvironment,
  formerEngineAt,
  labelField,
  NotFound,
  noEngine,
  nothing,
  textField,
  timeField,
} from "../../../live/engine/engine.ts";

/** A command of that name that does as its first argument says. */
const DOCKER = `#!/bin/sh
case "$1" in
version) echo "host $DOCKER_HOST context $DOCKER_CONTEXT" ;;
ps) for last; do :; done; echo "$last" | sed 's/^--format=//; s/{{json (.Names)}}/"x"/; s/{{json ([^}]*}}/"of it"/g' ;;
inspect) printf '{"memory":1}\\n{"memory":2}\\n' ;;
cp) head -c 3000000 /dev/zero ;;
logs) head -c 3000000 /dev/zero | tr '\\0' x ;;
info) sleep 5 ;;
top) ps -o pgid= -p $$; echo $$ ;;
say) echo "$2" >&2; exit 1 ;;
*) echo "Error response from daemon: no such thing" >&2; exit 1 ;;
esac
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "engine-"));
  mkdirSync(path.join(folder, "bin"));
  writeFileSync(path.join(folder, "bin/docker"), DOCKER, { mode: 0o755 });
  vi.stubEnv("PATH", `${path.join(folder, "bin")}:${process.env.PATH}`);
  vi.stubEnv("DOCKER_HOST", undefined);
  vi.stubEnv("DOCKER_CONTEXT", undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const failureOf = async (action: Promise<unknown>): Promise<unknown> =>
  await action.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("an engine", () => {
  test("gives what a command wrote, or what it complained about", async () => {
    const engine = engineFromEnvironment();
    expect(await engine.run("version")).toBe("host  context");
    const failure = await failureOf(engine.run("rm", "x"));
    expect(failure).toBeInstanceOf(DockerError);
    expect(failure).toMatchObject({ message: "docker rm: no such thing", reason: "no such thing" });
    await expect(engine.read("rm", "x")).rejects.toThrow("docker rm: no such thing");
  });

  test("gives megabytes: logs, or a config with thousands of users", async () => {
    const engine = engineFromEnvironment();
    expect(await engine.lastLog("x")).toHaveLength(3_000_000);
    expect(await engine.read("cp", "x:/etc/nats", "-")).toHaveLength(3_000_000);
  });

  test.each([
    ["2026-11-30 11:30:18 +0000 UTC", "2026-11-30T11:30:18.000Z"],
    ["2026-11-30 17:00:18 +0530 IST", "2026-11-30T11:30:18.000Z"],
    ["2026-11-30 08:30:18 -0300 -03", "2026-11-30T11:30:18.000Z"],
  ])("reads the time %s", (text, iso) => {
    const [, schema] = timeField(".CreatedAt");
    expect(schema.parse(text).toISOString()).toBe(iso);
    expect(() => schema.parse("2 hours ago")).toThrow("not a time: 2 hours ago");
  });

  test("lists things field by field", async () => {
    const engine = engineFromEnvironment();
    const fields = { name: textField(".Names"), owner: labelField("owner") };
    expect(await engine.list(fields, "ps", "--all")).toEqual([{ name: "x", owner: "of it" }]);
    const sizes = { memory: [".HostConfig.Memory", z.number()] } as const;
    expect(await engine.list(sizes, "inspect", "a", "b")).toEqual([{ memory: 1 }, { memory: 2 }]);
    const names = { memory: textField(".HostConfig.Memory") };
    expect(await failureOf(engine.list(names, "inspect", "a"))).toBeInstanceOf(z.ZodError);
  });

  test.each([
    "Error: No such object: x",
    "Error response from daemon: No such container: x",
    "Error response from daemon: network x not found",
    "Error response from daemon: get x: no such volume",
    "Error response from daemon: no such image: x: No such image: x:latest",
    "Error response from daemon: Could not find the file /etc/nats/ca.pem in container x",
  ])("has not found what it says so of: %s", async (words) => {
    expect(await failureOf(engineFromEnvironment().run("say", words))).toBeInstanceOf(NotFound);
  });

  test.each([
    "Error response from daemon: network with name x already exists",
    'Error response from daemon: Conflict. The container name "/x" is already in use by container "21ed". You have to remove (or rename) that container to be able to reuse that name.',
  ])("has already what it says so of: %s", async (words) => {
    expect(await failureOf(engineFromEnvironment().run("say", words))).toBeInstanceOf(
      AlreadyExists,
    );
  });

  test.each([
    "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
    'error during connect: Get "http://x:1/v1.50/containers/json": dial tcp: lookup x: no such host',
    'unable to resolve docker endpoint: context "x": context not found: open /x: no such file or directory',
  ])("that isn't reached hasn't looked: %s", async (words) => {
    const failure = await failureOf(engineFromEnvironment().run("say", words));
    expect(failure).toMatchObject({ name: "DockerError", reason: words });
    expect(noEngine(failure as DockerError)).toContain(`No Docker engine to work with: ${words}\n`);
  });

  test("has nothing where that is asked for, but hides no other mistake", async () => {
    const engine = engineFromEnvironment();
    expect(await engine.list({ name: textField(".Name") }, "volume", "ls").catch(nothing)).toEqual(
      [],
    );
    const mistake = new TypeError("x");
    expect(() => nothing(mistake)).toThrow(mistake);
  });

  test("is given up where it hangs, and is named with the command, whoever holds its pipes", async () => {
    vi.stubEnv("DOCKER_HOST", "ssh://nowhere");
    vi.stubEnv("NATS_REGIONS_DOCKER_SECONDS", "0.5");
    const began = performance.now();
    await expect(engineFromEnvironment().run("info", "--format={{.ID}}")).rejects.toThrow(
      "docker info: the engine (DOCKER_HOST ssh://nowhere) didn't answer `docker info` within 0.5 s",
    );
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  test("says where there is no such command", async () => {
    vi.stubEnv("PATH", folder);
    await expect(engineFromEnvironment().run("ps")).rejects.toThrow("there is no docker command");
  });

  test("is the one that was chosen when the program started, beside others", async () => {
    vi.stubEnv("DOCKER_HOST", "ssh://first");
    const first = engineFromEnvironment();
    vi.stubEnv("DOCKER_HOST", "ssh://second");
    vi.stubEnv("DOCKER_CONTEXT", "far");
    const third = new Engine({ variables: { DOCKER_CONTEXT: "third" } });
    expect(await Promise.all([first.run("version"), third.run("version")])).toEqual([
      "host ssh://first context",
      "host  context third",
    ]);
    expect(first.environment()).toMatchObject({ DOCKER_HOST: "ssh://first" });
    expect(first.environment()).not.toHaveProperty("DOCKER_CONTEXT");
    expect([first.host, first.isLocal, third.host, third.isLocal]).toEqual([
      "ssh://first",
      false,
      undefined,
      true,
    ]);
  });

  test("can be shielded from the signals that the terminal sends", async () => {
    vi.stubEnv("DOCKER_HOST", "ssh://box");
    const shielded = engineFromEnvironment().shielded();
    const [group, own] = (await shielded.run("top")).split("\n").map(Number);
    expect(group).toBe(own);
    expect(shielded.host).toBe("ssh://box");
    const [usual, other] = (await engineFromEnvironment().run("top")).split("\n").map(Number);
    expect(usual).not.toBe(other);
  });
});

describe("an engine of the settings", () => {
  const PLACE = { key: "rg1", host: "ssh://m1", address: "10.0.1.5", ssh: ["Port=2222", "A=b c"] };

  beforeEach(() => {
    vi.stubEnv("DOCKER_HOST", "ssh://elsewhere");
    vi.stubEnv("DOCKER_CONTEXT", "far");
    vi.stubEnv("DOCKER_CERT_PATH", "/certificates");
  });

  test("is where it says, whatever the environment chooses", async () => {
    const engine = engineAt(PLACE);
    expect(await engine.run("version")).toBe("host ssh://m1 context");
    expect(engine.environment()).not.toHaveProperty("DOCKER_CERT_PATH");
    expect(await engineAt({ ...PLACE, host: "far" }).run("version")).toBe("host  context far");
    expect(engine).toMatchObject({ key: "rg1", address: "10.0.1.5", isLocal: false });
    expect(engine.place).toEqual(PLACE);
  });

  test("is reached by our ssh, which is told of its options, and of no other's", () => {
    const before = process.env.PATH;
    const { PATH, NATS_REGIONS_SSH_OPTIONS: options } = engineAt(PLACE).environment();
    expect(PATH).toMatch(/^\/.*\/live\/engine\/ssh:/);
    expect(PATH?.endsWith(`:${before}`)).toBe(true);
    expect(options).toBe("Port=2222\nA=b c");
    vi.stubEnv("NATS_REGIONS_SSH_OPTIONS", options);
    expect(engineAt({ ...PLACE, ssh: [] }).environment().NATS_REGIONS_SSH_OPTIONS).toBe("");
    expect(engineFromEnvironment().environment().PATH).toBe(PATH);
  });

  test("shares a connection through a context as well, which may lead to ssh", () => {
    const { PATH } = engineAt({ ...PLACE, host: "far", ssh: [] }).environment();
    expect(PATH).toMatch(/^\/.*\/live\/engine\/ssh:/);
  });

  test.each(["unix:///x", "tcp://10.0.1.5:2376"])("has no ssh at %s", (host) => {
    const { PATH, NATS_REGIONS_SSH_OPTIONS: options } = engineAt({ ...PLACE, host }).environment();
    expect([PATH, options]).toEqual([process.env.PATH, undefined]);
  });

  test("stays what it is with commands that Ctrl-C leaves alone", () => {
    expect(engineAt(PLACE).shielded()).toMatchObject({ key: "rg1", address: "10.0.1.5" });
    expect(formerEngineAt(PLACE).shielded().isFormer).toBe(true);
  });
});
