import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decide } from "../../../cli/pulumi/environment.mjs";
import type { Facts } from "../../../cli/pulumi/facts.ts";
import { project, versions } from "../../../cli/pulumi/project.mjs";
import type { Step } from "../../../cli/terminal/log.ts";
import { createLog, duration } from "../../../cli/terminal/steps.mjs";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { type EngineFacts, planEngine } from "../../../tools/setup/engine.ts";
import { GoOutput, goPrograms } from "../../../tools/setup/go.ts";
import { withLock } from "../../../tools/setup/lock.ts";
import type { Machine } from "../../../tools/setup/machine.ts";
import { PINNED_IMAGE } from "../../../tools/setup/nats.ts";
import { firstOf, type Way } from "../../../tools/setup/part.ts";
import { describeMissing } from "../../../tools/setup/set-up.ts";
import { isUnwritable, thenRepeat } from "../../../tools/setup/set-up-errors.ts";
import { goRemedy } from "../../../tools/setup/source.ts";
import { install } from "../../../tools/setup/staged.ts";
import { serves } from "../../../tools/setup/version.ts";

describe("decide", () => {
  const HOME = "/home/ada";
  const PROJECT = "/home/me/my cluster";
  const OWN_BACKEND = "file:///home/me/my%20cluster/.pulumi-state";
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
        GOGC: "300",
        PULUMI_BACKEND_URL: OWN_BACKEND,
        PULUMI_STACK: "dev",
        PULUMI_CONFIG_PASSPHRASE: "dev",
        no_grpc_proxy: "127.0.0.1,localhost",
      },
      createStack: undefined,
      stack: "dev",
      projectName: "nats-regions",
      refusal: undefined,
    });
  });

  test("leaves standing what the user has set", () => {
    const env = {
      PULUMI_SKIP_UPDATE_CHECK: "false",
      GOGC: "off",
      PULUMI_BACKEND_URL: "s3://state",
      PULUMI_STACK: "prod",
      PULUMI_CONFIG_PASSPHRASE: "",
      DOCKER_HOST: "ssh://box",
      no_grpc_proxy: "10.0.0.1",
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

  describe("with a stack that has the settings of dev under another name", () => {
    const filed = (stack: string, salt: string) => ({
      [`${PROJECT}/Pulumi.${stack}.yaml`]: `encryptionsalt: ${salt}\nconfig: {}\n`,
    });
    const devs = readFileSync(join(import.meta.dirname, "../../../Pulumi.dev.yaml"), "utf8");
    const DEV_SALT = /^encryptionsalt: (.*)$/m.exec(devs)?.[1] ?? "";
    const rename = (from: string, to: string, salt: string, env: Facts["env"] = {}) =>
      decideIn({
        args: ["stack", "rename", to, "--stack", from],
        env,
        files: filed(from, salt),
      }).refusal;

    test("keeps the passphrase of dev: in its own state, and in one of the user's", () => {
      for (const env of [{}, { PULUMI_BACKEND_URL: "s3://state" }]) {
        const files = filed("blue", DEV_SALT);
        const { set } = decideIn({ args: ["up", "-s", "blue"], env, files });
        expect(set).toHaveProperty("PULUMI_CONFIG_PASSPHRASE", "dev");
      }
    });

    test("opens the settings of dev also where a passphrase of other stacks is set", () => {
      const others = [{ PULUMI_CONFIG_PASSPHRASE: "" }, { PULUMI_CONFIG_PASSPHRASE_FILE: "/p" }];
      for (const env of others) {
        const { set } = decideIn({ env, files: filed("dev", DEV_SALT) });
        expect(set).toHaveProperty("PULUMI_CONFIG_PASSPHRASE", "dev");
        const { set: ofOther } = decideIn({ env, files: filed("dev", "v1:other") });
        expect(ofOther).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE");
      }
    });

    test("lets dev be renamed, and back", () => {
      expect(rename("dev", "blue", DEV_SALT)).toBeUndefined();
      expect(rename("blue", "dev", DEV_SALT)).toBeUndefined();
      expect(rename("blue", "green", "v1:other")).toBeUndefined();
    });

    test("refuses a name by which the stack would have another passphrase, until that is given", () => {
      expect(rename("dev", "blue", "v1:other")).toContain("export PULUMI_CONFIG_PASSPHRASE=dev");
      expect(rename("blue", "dev", "v1:other")).toContain(
        `export PULUMI_CONFIG_PASSPHRASE_FILE=${PASSPHRASE_FILE}`,
      );
      const env = { PULUMI_CONFIG_PASSPHRASE_FILE: PASSPHRASE_FILE };
      expect(rename("blue", "dev", "v1:other", env)).toBeUndefined();
    });
  });

  describe("with a backend in Pulumi.yaml", () => {
    const withBackend = (text: string, env: Facts["env"] = {}) =>
      decideIn({
        env,
        files: {
          [`${PROJECT}/Pulumi.yaml`]: `name: nats-regions\n${text}\nruntime: nodejs\n`,
          [CREDENTIALS]: '{"current":"https://api.pulumi.com"}',
        },
      }).set;

    test.each([
      "backend:\n  url: file:///shared",
      'backend: { url: "file:///shared" }',
      "backend:\n  # where it is\n\n  url: 'file:///shared'",
    ])("goes by it before a login: %j", (text) => {
      const set = withBackend(text);
      expect(set).not.toHaveProperty("PULUMI_BACKEND_URL");
      expect(set).toHaveProperty("NATS_REGIONS_STATE_ID", "file:///shared");
    });

    test("goes by the environment before it", () => {
      const env = { PULUMI_BACKEND_URL: "s3://state" };
      expect(withBackend("backend:\n  url: file:///shared", env)).not.toHaveProperty(
        "NATS_REGIONS_STATE_ID",
      );
    });

    test.each(["backend: {}", "backend:", "# backend:\n#   url: file:///shared", "x: {}\nurl: no"])(
      "is none: %j",
      (text) => {
        expect(withBackend(text)).toHaveProperty("NATS_REGIONS_STATE_ID", "https://api.pulumi.com");
      },
    );
  });

  test("a named stack goes before the selected one", () => {
    const { set } = decideIn({ args: ["up", "-s", "dev"], files: selection("prod") });
    expect(set).toHaveProperty("PULUMI_CONFIG_PASSPHRASE", "dev");
  });

  test("a selection for another backend doesn't count", () => {
    const { set } = decideIn({ files: selection("prod", "file:///elsewhere") });
    expect(set).toHaveProperty("PULUMI_STACK", "dev");
  });

  describe("a selected stack that is gone", () => {
    const refusalOf = (line: string, situation: Situation = {}) =>
      decideIn({ args: line.split(" "), files: selection("blue"), ...situation }).refusal;

    test.each(
      "up|preview --diff|destroy|config get a|stack|stack output --json|stack rm".split("|"),
    )("is named, with the way out: %s", (line) => {
      expect(refusalOf(line)).toMatch(
        /stack blue was selected.*no such stack any more.*npx pulumi stack unselect.*npm start -- --stack blue/s,
      );
    });

    test.each(
      "up -s dev|stack ls|stack init red|stack select dev|stack unselect|stack rm blue|up --help|version|login".split(
        "|",
      ),
    )("bars the way of nothing else: %s", (line) => {
      expect(refusalOf(line)).toBeUndefined();
    });

    test("is none where it is there, where another one is meant, or on the first day", () => {
      const state = STATE_OF_DEV.replace("dev.json", "blue.json");
      expect(refusalOf("up", { files: { ...selection("blue"), [state]: "{}" } })).toBeUndefined();
      expect(refusalOf("up", { env: { PULUMI_STACK: "dev" } })).toBeUndefined();
      expect(refusalOf("up", { env: { PULUMI_BACKEND_URL: "s3://state" } })).toBeUndefined();
      expect(refusalOf("up", { files: {} })).toBeUndefined();
    });
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

    const tlsFolder = (name: string) =>
      `${HOME}/.docker/contexts/tls/${createHash("sha256").update(name).digest("hex")}/docker`;

    test.each(["ssh://ada@box", "unix:///home/ada/.colima/docker.sock"])(
      "leads Pulumi to %s",
      (host) => {
        expect(decideIn({ files: context("box", host) }).set).toHaveProperty("DOCKER_HOST", host);
      },
    );

    test("leads Pulumi to one on tcp that has no certificates", () => {
      const { set, refusal } = decideIn({ files: context("box", "tcp://box:2375") });
      expect(set).toHaveProperty("DOCKER_HOST", "tcp://box:2375");
      expect(refusal).toBeUndefined();
    });

    const certified = {
      ...context("box", "tcp://box:2376"),
      [tlsFolder("box")]: "",
    };

    test.each([["up"], ["preview"], ["destroy", "--yes"], ["refresh"]])(
      "refuses what it can't hand on, and says how the user can: %s",
      (...args) => {
        const { set, refusal } = decideIn({ args, files: certified });
        expect(set).not.toHaveProperty("DOCKER_HOST");
        expect(refusal).toContain(
          `export DOCKER_HOST=tcp://box:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=${tlsFolder("box")}`,
        );
      },
    );

    test.each([["stack", "ls"], ["config", "set", "a", "b"], ["login"]])(
      "doesn't bar what asks no engine: %s",
      (...args) => {
        expect(decideIn({ args, files: certified }).refusal).toBeUndefined();
      },
    );

    test("leaves a host that is set as it is", () => {
      for (const files of [context("box", "ssh://box"), certified]) {
        const { set, refusal } = decideIn({ env: { DOCKER_HOST: "x" }, files });
        expect([set.DOCKER_HOST, refusal]).toEqual([undefined, undefined]);
      }
    });

    test("leaves no second word to a context: the provider would go by it before the host", () => {
      const files = context("box", "ssh://box");
      const setBy = (env: Facts["env"]) => {
        const { DOCKER_HOST, DOCKER_CONTEXT } = decideIn({ env, files }).set;
        return [DOCKER_HOST, DOCKER_CONTEXT];
      };
      expect(setBy({ DOCKER_HOST: "ssh://x", DOCKER_CONTEXT: "box" })).toEqual([undefined, ""]);
      expect(setBy({ DOCKER_CONTEXT: "box" })).toEqual(["ssh://box", ""]);
      expect(setBy({ DOCKER_CONTEXT: "default" })).toEqual(["unix:///var/run/docker.sock", ""]);
      expect(setBy({})).toEqual(["ssh://box", undefined]);
    });

    test("refuses what is no Docker host that the provider knows", () => {
      const { refusal } = decideIn({ files: context("box", "npipe:////./pipe/docker") });
      expect(refusal).toContain("export DOCKER_HOST=npipe:////./pipe/docker");
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
    ["missing", { root: false, daemon: false }, /sudo apt-get install -y docker\.io/],
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

describe("errors", () => {
  test("give each way's reason, what would help and what to repeat", async () => {
    const remedy = async () => "Install Go 1.26 or newer.";
    const ways = [
      failing("official release", "fetch failed"),
      failing("from source", "Go is not installed"),
    ];
    await expect(firstOf(ways, quietStep("Pulumi CLI 3.259.0"), machine, remedy)).rejects.toThrow(
      [
        "Pulumi CLI 3.259.0 could not be set up:",
        "  official release  fetch failed",
        "  from source       Go is not installed",
        "",
        "Install Go 1.26 or newer.",
        "Then repeat: npm start",
      ].join("\n"),
    );
  });

  test.each([
    ["start", "Then repeat: npm start"],
    ["test", "Then repeat: npm test"],
    ["setup", "Then repeat: npm run setup"],
    ["npx", "Then repeat the command."],
    [undefined, "Then repeat the command."],
  ])("repeat as it was called: %s", (npm_lifecycle_event, expected) => {
    expect(thenRepeat(npm_lifecycle_event ? { npm_lifecycle_event } : {})).toBe(expected);
  });

  test("name a folder that can't be written to, and the variables for others", async () => {
    const path = "/home/ada/.pulumi";
    const readOnly = Object.assign(new Error("EROFS"), { code: "EROFS", path });
    const ways = [{ ...failing("official release", ""), take: () => Promise.reject(readOnly) }];
    const other = failing("from source", "tried");
    const outcome = firstOf([...ways, other], quietStep("CLI"), machine, async () => "Install Go");
    await expect(outcome).rejects.toMatchObject({
      name: "SetUpError",
      message: expect.stringMatching(
        /^Set-up can't write to \/home\/ada\/\.pulumi \(EROFS\).*=… PULUMI_HOME=….*npm start$/s,
      ),
    });
    expect(isUnwritable(Object.assign(new Error("full"), { code: "ENOSPC", path }))).toBe(false);
  });

  test("say which Go a build takes", async () => {
    for (const program of Object.values(goPrograms)) {
      expect(await goRemedy(program, "…")).toMatch(/^Install Go 1\.\d+ or newer/);
    }
  });
});

describe("firstOf", () => {
  test("takes the first way that works, and no other", async () => {
    const taken: string[] = [];
    const working = (name: string): Way => ({
      ...failing(name, ""),
      take: async () => void taken.push(name),
    });
    const ways = [failing("a", "no"), working("b"), working("c")];
    expect(await firstOf(ways, quietStep("x"), machine, async () => "")).toBe("b done");
    expect(taken).toEqual(["b"]);
  });

  test("says why it goes on to the next way, once", async () => {
    const { log, written } = recorder();
    const working: Way = { ...failing("from source", ""), take: async () => {} };
    const ways = [failing("official release", "no answer"), working];
    await firstOf(ways, log.step("CLI"), machine, async () => "");
    const known: Way = { ...failing("official release", ""), hopeless: () => "no answer" };
    await firstOf([known, working], log.step("Plugin"), machine, async () => "");
    expect(written().split("\n")).toEqual([
      "• CLI                          official release …",
      "• CLI                          no official release: no answer",
      "• CLI                          from source …",
      "• Plugin                       from source …",
      "",
    ]);
  });

  test("does not try what is hopeless", async () => {
    const way: Way = { ...failing("a", "tried"), hopeless: () => "not worth it" };
    const outcome = firstOf([way], quietStep("x"), machine, async () => "");
    await expect(outcome).rejects.toThrow("not worth it");
  });
});

test("a build tells how far it is, of what there is to compile", () => {
  const said: string[] = [];
  const all = new GoOutput((text) => said.push(text));
  for (const line of ["go: downloading example.com/a v1.0.0", "a", "b"]) all.read(line);
  const built = new GoOutput((text) => said.push(text), all.packages);
  for (const line of ["a", "b"]) built.read(line);
  expect(said).toEqual([
    "fetching example.com/a",
    "1 of 2 packages compiled",
    "2 of 2 packages compiled",
  ]);
});

test("a set-up says first what is missing, and what may take long", () => {
  const text = describeMissing([{ label: "Pulumi CLI 3.259.0" }, { label: "Plugin docker 5.2.0" }]);
  expect(text).toMatch(/^missing: Pulumi CLI 3\.259\.0, Plugin docker 5\.2\.0\. .*takes minutes$/);
});

describe("install", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "nats-regions-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const make = (text: string) => async (draft: string) => {
    const file = join(draft, "made");
    await writeFile(file, text);
    return file;
  };

  test("puts a file in place, and another one over it", async () => {
    const place = join(folder, "deep", "tool");
    await install(place, make("1"));
    await install(place, make("2"));
    expect(await readFile(place, "utf8")).toBe("2");
    expect(await readdir(join(folder, "deep"))).toEqual(["tool"]);
  });

  test("replaces a folder as a whole", async () => {
    const place = join(folder, "plugin");
    const makeFolder = (name: string) => async (draft: string) => {
      await mkdir(join(draft, "plugin"));
      await writeFile(join(draft, "plugin", name), "");
      return join(draft, "plugin");
    };
    await install(place, makeFolder("old"));
    await install(place, makeFolder("new"));
    expect(await readdir(place)).toEqual(["new"]);
  });

  test("leaves nothing behind if it fails", async () => {
    const failed = install(join(folder, "tool"), async (draft) => {
      await writeFile(join(draft, "half"), "");
      throw new Error("no space");
    });
    await expect(failed).rejects.toThrow("no space");
    expect(await readdir(folder)).toEqual([]);
  });

  test("clears away what a killed process left, not what a living one is at", async () => {
    const dead = `.nats-regions-${DEAD_PROCESS}-x`;
    const alive = `.nats-regions-${process.pid}-x`;
    await Promise.all([dead, alive].map((name) => mkdir(join(folder, name))));
    await install(join(folder, "tool"), make(""));
    expect(await readdir(folder)).toEqual([alive, "tool"]);
  });
});

describe("withLock", () => {
  let file: string;
  beforeEach(async () => {
    file = join(await mkdtemp(join(tmpdir(), "nats-regions-")), "lock");
  });
  afterEach(() => rm(dirname(file), { recursive: true }));

  const { signal } = new AbortController();

  test("lets one in at a time, and says that the other waits", async () => {
    const events: string[] = [];
    const waited = Promise.withResolvers<void>();
    const onWait = (pid: number) => {
      events.push(`waits for ${pid}`);
      waited.resolve();
      return () => events.push("waits no more");
    };
    const enter = (name: string, body: () => Promise<void>) =>
      withLock(file, signal, onWait, async () => {
        events.push(`${name} in`);
        await body();
        events.push(`${name} out`);
      });
    const second = Promise.withResolvers<void>();
    await enter("a", async () => {
      void enter("b", async () => {}).then(second.resolve, second.reject);
      await waited.promise;
    });
    await second.promise;
    const waits = [`waits for ${process.pid}`, "a out", "waits no more"];
    expect(events).toEqual(["a in", ...waits, "b in", "b out"]);
  });

  test("doesn't wait for a process that is gone", async () => {
    await writeFile(file, `${DEAD_PROCESS}`);
    expect(await withLock(file, signal, fail, async () => "in")).toBe("in");
  });

  test("is released by a failure", async () => {
    const failed = withLock(file, signal, fail, () => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(await withLock(file, signal, fail, async () => "in")).toBe("in");
  });

  function fail(): never {
    throw new Error("had to wait");
  }
});

describe("versions", () => {
  test.each([
    ["3.259.0", true],
    ["v3.259.0", true],
    ["v3.259.1", true],
    ["3.300.0-alpha.1", true],
    ["3.258.9", false],
    ["4.0.0", false],
    ["2.999.0", false],
    ["", false],
    ["v3", false],
  ])("%s serves for 3.259.0: %s", (version, expected) => {
    expect(serves(version, "3.259.0")).toBe(expected);
  });

  test("are the same for npm, for Go and for the settings", async () => {
    const npm = JSON.parse(await readFile(join(project, "package.json"), "utf8")).dependencies;
    expect(npm).toMatchObject({
      "@pulumi/pulumi": versions.pulumi,
      "@pulumi/docker": versions.dockerPlugin,
      "@pulumi/command": versions.commandPlugin,
    });
    const identity = { project: "nats-regions", stack: "dev" };
    expect(parseSettings({}, identity).image).toBe(PINNED_IMAGE);
    const modules = [
      [goPrograms.pulumi, `github.com/pulumi/pulumi/pkg/v3 v${versions.pulumi}`],
      [goPrograms.languageHost, `github.com/pulumi/pulumi/sdk/v3 v${versions.pulumi}`],
      [goPrograms.dockerPlugin, `github.com/pulumi/pulumi/sdk/v3 v${versions.pulumi}`],
      [goPrograms.commandPlugin, `github.com/pulumi/pulumi/sdk/v3 v${versions.pulumi}`],
      [goPrograms.natsServer, `github.com/nats-io/nats-server/v2 v${versions.natsServer}`],
      [goPrograms.natsCli, `github.com/nats-io/natscli v${versions.natsCli}`],
    ] as const;
    for (const [{ folder }, requirement] of modules) {
      const goMod = await readFile(join(project, "tools", "toolchain", folder, "go.mod"), "utf8");
      expect(goMod).toContain(requirement);
    }
  });
});

describe("the log", () => {
  test.each([
    [0.4, "0 ms"],
    [999.4, "999 ms"],
    [1000, "1.0 s"],
    [59_949, "59.9 s"],
    [59_950, "1m 00s"],
    [161_000, "2m 41s"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });

  test("is plain lines where there is no terminal", () => {
    const { log, written } = recorder();
    const step = log.step("Pulumi CLI");
    step.doing("building");
    step.done("built", 2500);
    log.step("Engine").done("found", 3);
    expect(written()).toBe(
      [
        "• Pulumi CLI                   building",
        "✓ Pulumi CLI                   built in 2.5 s",
        "✓ Engine                       found in 3 ms",
        "",
      ].join("\n"),
    );
  });

  test("draws over what is at work on a terminal, and keeps what is done", () => {
    const { log, written } = recorder({ isTTY: true, columns: 40 });
    log.step("A").doing("building something with quite a long name");
    log.step("B").done("found", 3);
    const row = `⠋ ${"A".padEnd(28)} building`;
    expect(stripVTControlCharacters(written())).toBe(
      `${row}\n✓ ${"B".padEnd(28)} found in 3 ms\n${row}\n`,
    );
    expect(written()).toContain("\x1b[1A\x1b[J");
  });
});

const machine: Machine = {
  env: { npm_lifecycle_event: "start" },
  signal: new AbortController().signal,
  folders: { pulumi: "", cache: "", bin: "" },
};

/** Above what any kernel gives out. */
const DEAD_PROCESS = 2 ** 30;

function failing(name: string, reason: string): Way {
  return {
    name,
    doing: `${name} …`,
    done: `${name} done`,
    take: () => Promise.reject(new Error(reason)),
  };
}

function quietStep(label: string): Step {
  return recorder().log.step(label);
}

function recorder(terminal = {}) {
  let text = "";
  const write = (chunk: string) => {
    text += chunk;
    return true;
  };
  const stream = Object.assign(new Writable(), terminal, { write });
  return { log: createLog({ stream, env: {} }), written: () => text };
}
