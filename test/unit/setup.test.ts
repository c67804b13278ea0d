import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decide, type Facts } from "../../cli/pulumi/environment.mjs";
import { project, versions } from "../../cli/pulumi/project.mjs";
import { type EngineFacts, planEngine } from "../../cli/setup/engine.ts";
import { thenRepeat, unavailable } from "../../cli/setup/errors.ts";
import { goPrograms, goVersionFor } from "../../cli/setup/go.ts";
import { withLock } from "../../cli/setup/lock.ts";
import { PINNED_IMAGE } from "../../cli/setup/nats.ts";
import { firstOf, type Way } from "../../cli/setup/part.ts";
import { install } from "../../cli/setup/staged.ts";
import { serves } from "../../cli/setup/version.ts";
import { createLog, duration } from "../../cli/steps.mjs";
import { parseSettings } from "../../lib/settings.ts";

describe("decide", () => {
  const HOME = "/home/ada";
  const PROJECT = "/work/my cluster";
  const OWN_BACKEND = "file:///work/my%20cluster/.pulumi-state";
  const PASSPHRASE_FILE = `${PROJECT}/.pulumi-state/passphrase`;
  const STATE_OF_DEV = `${PROJECT}/.pulumi-state/.pulumi/stacks/nats-regions/dev.json`;
  const digest = createHash("sha1").update(`${PROJECT}/Pulumi.yaml`).digest("hex");
  const WORKSPACE = `${HOME}/.pulumi/workspaces/nats-regions-${digest}-workspace.json`;
  const CREDENTIALS = `${HOME}/.pulumi/credentials.json`;

  interface Situation {
    args?: string[];
    env?: Facts["env"];
    files?: Record<string, string>;
  }

  function decideIn({ args = ["up"], env = {}, files = {} }: Situation) {
    const all: Record<string, string> = {
      [`${PROJECT}/Pulumi.yaml`]: "name: nats-regions\nruntime: nodejs\n",
      [STATE_OF_DEV]: "{}",
      ...files,
    };
    const read = (file: string) => all[file];
    const exists = (file: string) => file in all;
    return decide({ args, env, userHome: HOME, project: PROJECT, read, exists });
  }

  const selection = (stack: string, backend = OWN_BACKEND) => ({
    [WORKSPACE]: JSON.stringify({ stacks: { [backend]: `organization/nats-regions/${stack}` } }),
  });

  test("lets a fresh clone work without a login or a question", () => {
    expect(decideIn({})).toEqual({
      set: {
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_BACKEND_URL: OWN_BACKEND,
        PULUMI_STACK: "dev",
        PULUMI_CONFIG_PASSPHRASE: "dev",
      },
      createStack: undefined,
    });
  });

  test("leaves standing what the user has set", () => {
    const env = {
      PULUMI_SKIP_UPDATE_CHECK: "false",
      PULUMI_BACKEND_URL: "s3://state",
      PULUMI_STACK: "prod",
      PULUMI_CONFIG_PASSPHRASE: "",
      DOCKER_HOST: "ssh://box",
    };
    expect(decideIn({ env }).set).toEqual({});
  });

  test.each<[string, Situation]>([
    ["an access token", { env: { PULUMI_ACCESS_TOKEN: "pul-x" } }],
    ["a login", { files: { [CREDENTIALS]: '{"current":"https://api.pulumi.com"}' } }],
    [
      "a login kept elsewhere",
      {
        env: { PULUMI_CREDENTIALS_PATH: "/secrets" },
        files: { "/secrets/credentials.json": '{"current":"s3://state"}' },
      },
    ],
    ["a login being made", { args: ["login", "--local"] }],
  ])("keeps out of the choice of backend with %s", (_, situation) => {
    expect(decideIn(situation).set).not.toHaveProperty("PULUMI_BACKEND_URL");
  });

  test.each(['{"current":""}', "{}", "not JSON"])("%s is no login", (credentials) => {
    const { set } = decideIn({ files: { [CREDENTIALS]: credentials } });
    expect(set).toHaveProperty("PULUMI_BACKEND_URL", OWN_BACKEND);
  });

  test.each<[string, Situation]>([
    ["--stack x", { args: ["up", "--stack", "prod"] }],
    ["--stack=x", { args: ["up", "--stack=prod"] }],
    ["-s x, before the command", { args: ["-s", "prod", "up"] }],
    ["a name with its organization", { args: ["up", "-s", "organization/nats-regions/prod"] }],
    ["PULUMI_STACK", { env: { PULUMI_STACK: "prod" } }],
    ["a selection", { files: selection("prod") }],
    ["a selection by an older CLI", { files: { [WORKSPACE]: '{"stack":"prod"}' } }],
    ["stack init x", { args: ["stack", "init", "prod"] }],
    ["stack init with options", { args: ["stack", "init", "--copy-config-from", "dev", "prod"] }],
    ["stack init that will ask for the name", { args: ["stack", "init"] }],
    ["stack select x", { args: ["stack", "select", "prod"] }],
  ])("guards another stack with a passphrase of its own: %s", (_, situation) => {
    const { set } = decideIn(situation);
    expect(set).toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE", PASSPHRASE_FILE);
    expect(set).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE");
    expect(set).not.toHaveProperty("PULUMI_STACK");
  });

  test("a named stack goes before the selected one", () => {
    const { set } = decideIn({ args: ["up", "-s", "dev"], files: selection("prod") });
    expect(set).toHaveProperty("PULUMI_CONFIG_PASSPHRASE", "dev");
  });

  test("a selection for another backend doesn't count", () => {
    const { set } = decideIn({ files: selection("prod", "file:///elsewhere") });
    expect(set).toHaveProperty("PULUMI_STACK", "dev");
  });

  test("arguments of a program don't name a stack", () => {
    const { set } = decideIn({ args: ["env", "run", "--", "tool", "--stack", "prod"] });
    expect(set).toHaveProperty("PULUMI_CONFIG_PASSPHRASE", "dev");
  });

  test("a state that is shared has its passphrase from the user", () => {
    const { set } = decideIn({
      args: ["up", "-s", "prod"],
      env: { PULUMI_BACKEND_URL: "s3://state" },
    });
    expect(set).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
  });

  test.each<[string, Situation, string | undefined]>([
    ["up", { args: ["up"] }, "dev"],
    ["config set", { args: ["config", "set", "a", "b"] }, "dev"],
    ["up, named", { args: ["up", "--stack", "dev"] }, "dev"],
    ["up of another stack", { args: ["up", "--stack", "prod"] }, undefined],
    ["stack init dev", { args: ["stack", "init", "dev"] }, undefined],
    ["stack ls", { args: ["stack", "ls"] }, undefined],
    ["up elsewhere", { args: ["up"], env: { PULUMI_BACKEND_URL: "s3://state" } }, undefined],
  ])("on the first day, creates the stack for: %s", (_, { args = [], env = {} }, created) => {
    const read = (file: string) =>
      file.endsWith("Pulumi.yaml") ? "name: nats-regions" : undefined;
    const facts = { args, env, userHome: HOME, project: PROJECT, read, exists: () => false };
    expect(decide(facts).createStack).toBe(created);
  });

  describe("with a docker context", () => {
    const context = (name: string, host: string) => {
      const id = createHash("sha256").update(name).digest("hex");
      return {
        [`${HOME}/.docker/config.json`]: JSON.stringify({ currentContext: name }),
        [`${HOME}/.docker/contexts/meta/${id}/meta.json`]: JSON.stringify({
          Name: name,
          Endpoints: { docker: { Host: host } },
        }),
      };
    };

    test.each(["ssh://ada@box", "unix:///home/ada/.colima/docker.sock"])(
      "leads Pulumi to %s",
      (host) => {
        expect(decideIn({ files: context("box", host) }).set).toHaveProperty("DOCKER_HOST", host);
      },
    );

    test("leaves one with certificates, and a host that is set, as they are", () => {
      const tls = decideIn({ files: context("box", "tcp://box:2376") });
      expect(tls.set).not.toHaveProperty("DOCKER_HOST");
      const set = decideIn({ env: { DOCKER_HOST: "x" }, files: context("box", "ssh://box") });
      expect(set.set).not.toHaveProperty("DOCKER_HOST");
    });
  });
});

describe("planEngine", () => {
  const stopped: EngineFacts = {
    complaint: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
    client: true,
    daemon: true,
    host: "unix:///var/run/docker.sock",
    root: true,
    systemd: true,
    apt: true,
  };

  test.each<[string, Partial<EngineFacts>, string]>([
    ["stopped, with systemd", {}, "systemctl"],
    ["stopped, without systemd", { systemd: false }, "dockerd"],
    ["stopped, without apt-get", { apt: false }, "systemctl"],
    ["no daemon", { daemon: false }, "install"],
    ["no client", { client: false }, "install"],
  ])("as root, goes ahead: %s", (_, facts, action) => {
    expect(planEngine({ ...stopped, ...facts })).toEqual({ action });
  });

  test.each<[string, Partial<EngineFacts>, RegExp]>([
    ["stopped", { root: false }, /^Start Docker: sudo systemctl start docker$/],
    ["stopped, no systemd", { root: false, systemd: false }, /^Start Docker: sudo dockerd$/],
    ["missing", { root: false, daemon: false }, /sudo apt-get install -y docker\.io[^]*usermod/],
    ["missing, no apt-get", { root: false, daemon: false, apt: false }, /docs\.docker\.com/],
    ["missing, no apt-get, root", { daemon: false, apt: false }, /docs\.docker\.com/],
    ["not let in", { root: false, complaint: "permission denied while trying" }, /usermod -aG/],
    ["chosen", { host: "ssh://box" }, /^The engine ssh:\/\/box was chosen by DOCKER_HOST/],
    ["chosen, no client", { host: "ssh://box", client: false }, /^Install the docker command/],
  ])("says what to do where it can't do it: %s", (_, facts, advice) => {
    expect(planEngine({ ...stopped, ...facts })).toEqual({
      action: "refuse",
      advice: expect.stringMatching(advice),
    });
  });
});

describe("firstOf", () => {
  const quiet = createLog({ stream: Object.assign(process.stderr, {}), env: {} });
  const machine = {
    env: { npm_lifecycle_event: "start" },
    signal: new AbortController().signal,
    folders: { pulumi: "", cache: "", bin: "" },
  };
  const way = (name: string, reason?: string): Way => ({
    name,
    doing: `${name} …`,
    done: name,
    take: async () => {
      if (reason) throw new Error(reason);
    },
  });

  test.todo("placeholder");
});
