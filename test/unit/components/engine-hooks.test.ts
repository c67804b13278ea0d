import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { ensureNetwork } from "../../../components/hooks/ensure-network.ts";
import { keepVolume } from "../../../components/hooks/keep-volume.ts";
import { makeRoomFor } from "../../../components/hooks/make-room.ts";
import { limitProcesses } from "../../../components/hooks/process-limit.ts";
import { ownershipOf } from "../../../components/ownership.ts";
import { engineFromEnvironment } from "../../../live/engine/engine.ts";
import { recordResources } from "../../support/mocks.ts";

const OWNER = "0123456789abcdef";
const OWNERSHIP = ownershipOf({ project: "nats-regions", stack: "dev", owner: OWNER });

/** Answers a command by the first of these cases of a shell that fits; else says nothing. */
const docker = (answers: string) => `#!/bin/sh
echo "$*" | sed 's/ --format=[^ ]*{.*}}//; s/ --label=[^ ]*//g' >> "$0-log"
case "$*" in
${answers}
esac
`;
const fails = (words: string) => `echo "Error response from daemon: ${words}" >&2; exit 1 ;;`;

describe("a hook", () => {
  let folder: string;
  const log = () => readFileSync(path.join(folder, "docker-log"), "utf8").trim().split("\n");
  const answer = (...answers: string[]) =>
    writeFileSync(path.join(folder, "docker"), docker(answers.join("\n")), { mode: 0o755 });
  const call = async (hook: pulumi.ResourceHook) =>
    await hook.callback({ urn: "urn", id: "c0ffee", name: "container", type: "type" });

  beforeAll(async () => {
    await recordResources();
  });

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "engine-hooks-"));
    vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test("makes the network that is gone, once for all containers", async () => {
    answer(`"network inspect"*) ${fails("network net not found")}`);
    const hook = ensureNetwork(engineFromEnvironment(), { name: "net" }, OWNERSHIP, "");
    await Promise.all([call(hook), call(hook)]);
    expect(log()).toEqual(["network inspect net", "network create net"]);
  });

  test("takes the network that somebody has made meanwhile, and no other failure", async () => {
    const gone = `"network inspect"*) ${fails("network net not found")}`;
    answer(gone, `"network create"*) ${fails("network with name net already exists")}`);
    await call(ensureNetwork(engineFromEnvironment(), { name: "net" }, OWNERSHIP, ""));
    answer(gone, `"network create"*) ${fails("no address pool is left")}`);
    await expect(
      call(ensureNetwork(engineFromEnvironment(), { name: "net" }, OWNERSHIP, "")),
    ).rejects.toThrow("docker network: no address pool is left");
  });

  test("makes no network on an engine that doesn't say whether there is one", async () => {
    answer(`*) ${fails("the engine is about to end")}`);
    await call(ensureNetwork(engineFromEnvironment(), { name: "net" }, OWNERSHIP, ""));
    expect(log()).toEqual(["network inspect net"]);
  });

  test("makes room where the stack's own container has the name", async () => {
    answer(`"container inspect"*) echo '{"owner":"${OWNER}"}' ;;`);
    await call(makeRoomFor(engineFromEnvironment(), "node", OWNERSHIP));
    expect(log()).toEqual([
      "container inspect node",
      "container stop node",
      "container rm --force node",
    ]);
  });

  test.each([
    ["somebody else's", `"container inspect"*) echo '{"owner":"fedcba9876543210"}' ;;`],
    ["nobody's", `"container inspect"*) echo '{"owner":""}' ;;`],
    ["not there", `"container inspect"*) ${fails("No such container: node")}`],
  ])("leaves a container alone that is %s", async (_, inspected) => {
    answer(inspected);
    await call(makeRoomFor(engineFromEnvironment(), "node", OWNERSHIP));
    expect(log()).toEqual(["container inspect node"]);
  });

  test("limits processes, again where the engine wasn't ready, and not of what has ended", async () => {
    answer();
    await call(limitProcesses(engineFromEnvironment(), "limit"));
    answer(
      `"update"*) [ -f "$0-tried" ] || { : > "$0-tried"; ${fails("not yet").replace(" ;;", "; } ;;")}`,
      `"inspect"*) echo '{"state":"running"}' ;;`,
    );
    await call(limitProcesses(engineFromEnvironment(), "limit"));
    answer(`"update"*) ${fails("it isn't running")}`, `"inspect"*) echo '{"state":"exited"}' ;;`);
    await call(limitProcesses(engineFromEnvironment(), "limit"));
    const update = "update --pids-limit=1024 c0ffee";
    expect(log()).toEqual([
      ...[update],
      ...[update, "inspect c0ffee", update],
      ...[update, "inspect c0ffee"],
    ]);
  });

  describe("for a volume", () => {
    const known = '{"deployment":{"resources":[{"urn":"urn","taint":true}]}}';
    const there = `"volume inspect"*) echo '{"name":"data"}' ;;`;
    const keep = (state: string, ...answers: string[]) => {
      answer(...answers);
      writeFileSync(path.join(folder, "pulumi"), `#!/bin/sh\necho '${state}'`, { mode: 0o755 });
      return call(keepVolume(engineFromEnvironment(), "data"));
    };

    test("refuses that one takes its place", async () => {
      await expect(keep(known, there)).rejects.toThrow("pulumi state untaint 'urn'");
    });

    test.each([
      ["is gone from the engine", known, `*) ${fails("get data: no such volume")}`],
      ["no state has noted down", '{"deployment":{"resources":[]}}', there],
      ["is deleted anyway", known.replace('"taint"', '"delete"'), there],
    ])("lets one be made that %s", async (_, state, answers) => {
      await keep(state, answers);
    });
  });
});
