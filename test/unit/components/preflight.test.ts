import { createServer } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { createTar } from "nanotar";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ownershipOf } from "../../../components/ownership.ts";
import type { FoundContainer } from "../../../components/preflight/engine-finds.ts";
import {
  refuseContextInUse,
  refuseElsewhere,
  refuseEngineOfConfig,
  refuseEngines,
  refuseTakenPorts,
  refuseUnreachable,
} from "../../../components/preflight/engine-refusals.ts";
import { inspectEngines } from "../../../components/preflight/inspect-engine.ts";
import { refuseKeptElsewhere } from "../../../components/preflight/kept-volumes.ts";
import { peerId } from "../../../lib/observed/meta-group.ts";
import { nodesOf, planCluster, UNKNOWN_KEY, withKeyMark } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import {
  type Engine,
  engineAt,
  engineFromEnvironment,
  formerEngineAt,
} from "../../../live/engine/engine.ts";
import { FakeCommands } from "../../support/fake-commands.ts";

const DEV = { project: "nats-regions", stack: "dev" };
const OWNER = "0123456789abcdef";
const OTHER = "fedcba9876543210";

let fake: FakeCommands;

beforeEach(() => {
  fake = new FakeCommands("docker");
  // Its ports aren't looked at from here.
  vi.stubEnv("DOCKER_HOST", "ssh://box");
});
afterEach(() => {
  fake[Symbol.dispose]();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const planOf = (settings: object = {}) =>
  planCluster(parseSettings({ regions: ["rg1"], ...settings }, DEV));

const inspect = (settings: object = {}) =>
  inspectEngines(
    [engineFromEnvironment()],
    planOf(settings),
    ownershipOf({ ...DEV, owner: OWNER }),
  );

interface Container {
  readonly node?: string;
  readonly owner?: string;
  readonly cluster?: string;
  readonly settings?: object;
  readonly state?: string;
  readonly ports?: string;
}

/** A row of `docker ps`, of which each command takes what it asks for. */
const container = (name: string, { node = name, ...rest }: Container = {}) => ({
  id: name,
  name: `nats-regions-dev-${name}`,
  owner: rest.owner ?? OWNER,
  node,
  cluster: rest.cluster ?? "c1",
  settings: JSON.stringify(rest.settings ?? { image: "nats:2.15.2" }),
  state: rest.state ?? "running",
  createdAt: "2026-11-30 11:30:18 +0000 UTC",
  ports: rest.ports ?? "",
});
/** A row of `docker volume ls` or `docker network ls`. */
const owned = (name: string, owner = OWNER, cluster = "c1") => ({
  ...{ name, owner, cluster },
  ipv6: "false",
});
const NODES = ["rg1-az1", "rg1-az2", "rg1-az3"];
const volumes = (owner = OWNER, kinds = ["config", "data"]) =>
  NODES.flatMap((node) => kinds.map((kind) => owned(`nats-regions-dev-${node}-${kind}`, owner)));

/** The archive in which the engine gives a server's file of the members of its meta group. */
const peersFile = (names: readonly string[]) => {
  const data = Buffer.alloc(8 + 8 * names.length + 2);
  data.writeUInt32LE(names.length, 0);
  data.writeUInt32LE(names.length, 4);
  data.write(names.map(peerId).join(""), 8);
  return Buffer.from(createTar([{ name: "peers.idx", data }])).toString();
};

const warningsIn = async (look: () => Promise<unknown>) => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  await look();
  return warn.mock.calls.map(([words]) => words);
};

describe("inspectEngine", () => {
  test("finds nothing on an engine that has nothing", async () => {
    const { containers, leaving, containerless, hasNetwork } = await inspect();
    expect([containers.size, leaving.size, containerless.size, hasNetwork]).toEqual([
      0,
      0,
      0,
      false,
    ]);
  });

  test("tells nodes that stay from those that leave, and from those that lost their container", async () => {
    fake.answer("docker", "ps", [
      container("rg1-az1", { ports: "127.0.0.1:4222->4222/tcp, 127.0.0.1:8222->8222/tcp" }),
      container("rg1-az2"),
      container("rg9-az1"),
    ]);
    fake.answer("docker", "volume", volumes());
    fake.answer("docker", "network", [owned("nats-regions-dev")]);
    const [warning] = await warningsIn(async () => {
      const { containers, leaving, containerless, hasNetwork } = await inspect();
      expect([...containers.keys()]).toEqual([
        "nats-regions-dev-rg1-az1",
        "nats-regions-dev-rg1-az2",
      ]);
      expect(containers.get("nats-regions-dev-rg1-az1")).toEqual({
        settings: { image: "nats:2.15.2" },
        createdAt: new Date("2026-11-30T11:30:18Z"),
        monitoringUrl: "http://127.0.0.1:8222",
        clientAddress: "127.0.0.1:4222",
      });
      expect([...leaving.keys()]).toEqual(["rg9-az1"]);
      expect([...containerless]).toEqual(["rg1-az3"]);
      expect(hasNetwork).toBe(true);
    });
    expect(warning).toContain("1 of 3 nodes don't run: rg1-az3.");
  });

  test("leaves out what is the stack's own, but no node", async () => {
    fake.answer("docker", "ps", [container("helper", { node: "" })]);
    expect((await inspect()).containers.size).toBe(0);
  });

  test("warns of nodes that are stopped, and of data that is lost", async () => {
    fake.answer("docker", "ps", [
      container("rg1-az1"),
      container("rg1-az2", { state: "exited" }),
      container("rg1-az3"),
    ]);
    fake.answer("docker", "volume", [
      ...volumes().filter(({ name }) => name !== "nats-regions-dev-rg1-az3-data"),
    ]);
    const [stopped, lost] = await warningsIn(() => inspect());
    expect(stopped).toContain("1 of 3 nodes don't run: rg1-az2.");
    expect(lost).toContain("rg1-az3");
  });

  test("says which nodes begin empty where a destroy has kept the volumes of others only", async () => {
    const kept = volumes(OWNER, ["data"]).slice(0, 2);
    fake.answer("docker", "volume", kept);
    const look = () => {
      vi.restoreAllMocks();
      return warningsIn(() => inspect());
    };
    const [, lost, ...more] = await look();
    expect(lost).toMatch(/^rg1-az3 has no data volume that was kept, and begins empty\. /);
    expect(more).toEqual([]);

    fake.answer("docker", "volume", volumes(OWNER, ["data"]));
    expect(await look()).toHaveLength(1);
    // An interrupted first `up`.
    fake.answer("docker", "volume", [...kept, ...volumes(OWNER, ["config"])]);
    expect((await look()).join()).not.toContain("begins empty");
    fake.answer("docker", "volume", kept);
    fake.answer("docker", "network", [owned("nats-regions-dev")]);
    expect((await look()).join()).not.toContain("begins empty");
  });

  test("refuses data volumes that were kept of another cluster, but not those that don't say", async () => {
    const kept = (cluster: string) =>
      NODES.map((node) => owned(`nats-regions-dev-${node}-data`, OWNER, cluster));
    fake.answer("docker", "volume", kept("c1"));
    await expect(inspect({ cluster: "c2" })).rejects.toThrow(
      /^cluster: the data volumes that were kept belong to cluster "c1", .*\nPut the name back; or .*: docker volume rm nats-regions-dev-rg1-az1-data /,
    );
    expect(await warningsIn(() => inspect())).toHaveLength(1);
    fake.answer("docker", "volume", kept(""));
    vi.restoreAllMocks();
    expect(await warningsIn(() => inspect({ cluster: "c2" }))).toEqual([
      "rg1-az1, rg1-az2, rg1-az3 come back to the data volumes that were kept.",
      "The volumes don't say of which cluster they are, as an earlier version made them. If it wasn't c2, put the name back first.",
    ]);
  });

  test("refuses data volumes that were kept on another engine than their nodes", () => {
    const engines = {
      rg1: { host: "ssh://a", address: "10.0.0.1" },
      rg2: { host: "ssh://b", address: "10.0.0.2" },
    };
    const plan = planOf({ regions: ["rg1", "rg2"], engines });
    const on = (key: string, node: string) => ({
      ...owned(`nats-regions-dev-${node}-data`),
      engine: engineAt({ key, host: `ssh://${key}`, address: key, ssh: [] }),
    });
    const left = on("rg2", "rg1-az1");
    const look = (...found: ReturnType<typeof on>[]) => refuseKeptElsewhere([], found, plan);
    expect(() => look(left, on("rg2", "rg2-az1"))).toThrow(
      /:\n {2}rg1-az1: nats-regions-dev-rg1-az1-data on rg2's, and not on rg1's\nPut the engines back;/,
    );
    expect(() => look(left, on("rg1", "rg1-az1"))).not.toThrow();
  });

  test("refuses data volumes that were kept of too few nodes for a majority", async () => {
    const members = [...NODES, "rg2-az1", "rg2-az2", "rg2-az3"];
    fake.answer("docker", "volume", volumes(OWNER, ["data"]));
    fake.answer("docker", "cp", peersFile(members));
    await expect(inspect()).rejects.toThrow(
      /^rg1-az1, rg1-az2, rg1-az3 come back to data volumes of a meta group of 6\. The settings lack 3 of its members, /,
    );
    fake.answer("docker", "cp", peersFile(NODES));
    expect(await warningsIn(() => inspect())).toEqual([
      "rg1-az1, rg1-az2, rg1-az3 come back to the data volumes that were kept.",
    ]);
  });

  test.each<[string, () => void]>([
    ["container", () => fake.answer("docker", "ps", [container("rg1-az2", { owner: OTHER })])],
    [
      "container without a label",
      () => {
        const blank = { owner: "", node: "", cluster: "" };
        fake.answer("docker", "ps", [{ ...container("rg1-az2", blank), settings: "" }]);
      },
    ],
    ["volume", () => fake.answer("docker", "volume", volumes(OTHER, ["data"]))],
    ["network", () => fake.answer("docker", "network", [owned("nats-regions-dev", OTHER)])],
  ])("refuses somebody else's %s by a name of its own", async (_, put) => {
    put();
    await expect(inspect()).rejects.toThrow(
      /^Somebody else's stack dev is on this Docker engine: nats-regions-dev.*npm start -- --stack dev2/s,
    );
  });

  test("says how to take over what is one's own, where the state is lost", async () => {
    fake.answer("docker", "ps", [container("rg1-az2", { owner: OTHER })]);
    await expect(inspect()).rejects.toThrow(`NATS_REGIONS_OWNER=${OTHER} npx pulumi up`);
  });

  test("spares what only begins like a name of its own", async () => {
    fake.answer("docker", "ps", [
      { ...container("rg1-az1", { owner: OTHER }), name: "nats-regions-dev2-rg1-az1" },
    ]);
    fake.answer("docker", "network", [owned("nats-regions-dev2", OTHER)]);
    const { containers, hasNetwork } = await inspect();
    expect([containers.size, hasNetwork]).toEqual([0, false]);
  });

  test("refuses another cluster's nodes", async () => {
    fake.answer("docker", "ps", [container("rg1-az1", { cluster: "c0" })]);
    await expect(inspect()).rejects.toThrow('cluster: rg1-az1 belongs to cluster "c0"');
  });

  test("refuses another encryption key, or none, and takes one where there was none", async () => {
    const inspectWith = (mark: string | undefined) => {
      const plan = planOf(mark === undefined ? {} : { encryption: "aes" });
      const marked = mark === undefined ? plan : withKeyMark(plan, mark);
      const ownership = ownershipOf({ ...DEV, owner: OWNER });
      return inspectEngines([engineFromEnvironment()], marked, ownership);
    };
    const nodes = (settings: object) => NODES.map((name) => container(name, { settings }));
    const image = "nats:2.15.2";
    fake.answer("docker", "volume", volumes());
    fake.answer("docker", "ps", nodes({ image, encryptionKey: "a" }));
    await expect(inspectWith("b")).rejects.toThrow("encryptionKey: rg1-az1 has encrypted");
    await expect(inspectWith(undefined)).rejects.toThrow("encryption: rg1-az1 has encrypted");
    expect((await inspectWith("a")).containers.size).toBe(3);
    expect((await inspectWith(UNKNOWN_KEY)).containers.size).toBe(3);
    fake.answer("docker", "ps", nodes({ image }));
    expect((await inspectWith("a")).containers.size).toBe(3);
  });

  test("refuses nodes with and without TLS side by side, and takes them all at once", async () => {
    fake.answer(
      "docker",
      "ps",
      NODES.map((name) => container(name)),
    );
    fake.answer("docker", "volume", volumes());
    const tls = { tls: "stack" };
    await expect(inspect(tls)).rejects.toThrow("tls: rg1-az1 runs with tls: none");
    expect((await inspect({ ...tls, rollout: "all" })).containers.size).toBe(3);
  });

  test("refuses versions that can't run side by side", async () => {
    const old = { settings: { image: "nats:2.11.15" } };
    fake.answer(
      "docker",
      "ps",
      NODES.map((name) => container(name, old)),
    );
    fake.answer("docker", "volume", volumes());
    await expect(inspect()).rejects.toThrow(/^image: rg1-az1 can't be changed to nats:2\.15\.2/);
  });

  test("says that there is no engine, in docker's words", async () => {
    fake.complain("docker", "Cannot connect to the Docker daemon at unix:///x.\n");
    await expect(inspect()).rejects.toThrow(
      /^No Docker engine to work with: Cannot connect to the Docker daemon at unix:\/\/\/x\.\n/,
    );
  });
});

describe("ports", () => {
  const settings = { clientPort: 29_322, monitorPort: 29_422 };
  const [first] = nodesOf(planOf(settings));
  const occupied = async (look: () => Promise<unknown>) => {
    const server = createServer();
    await new Promise((listening) =>
      server.listen(first?.clientPort, "127.0.0.1", () => listening(0)),
    );
    try {
      return await look();
    } finally {
      server.close();
    }
  };

  test.each(["", "unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "tcp://localhost:2375"])(
    "that somebody holds are refused on an engine of this machine: %s",
    async (host) => {
      vi.stubEnv("DOCKER_HOST", host);
      await occupied(() =>
        expect(inspect(settings)).rejects.toThrow(
          "clientPort: 127.0.0.1:29322, wanted for rg1-az1, is in use",
        ),
      );
    },
  );

  test("that the node itself holds are its own", async () => {
    vi.stubEnv("DOCKER_HOST", "");
    const ports = `127.0.0.1:${first?.clientPort}->4222/tcp`;
    fake.answer("docker", "ps", [
      container("rg1-az1", { ports }),
      ...NODES.slice(1).map((name) => container(name)),
    ]);
    fake.answer("docker", "volume", volumes());
    await occupied(() => inspect(settings));
  });

  test("that the node takes and lets go, as its server doesn't stay up, are its own", async () => {
    vi.stubEnv("DOCKER_HOST", "");
    const others = NODES.slice(1).map((name) => container(name));
    const crashing = { state: "restarting", settings: { image: "nats:2.15.2", ...settings } };
    fake.answer("docker", "ps", [container("rg1-az1", crashing), ...others]);
    fake.answer("docker", "volume", volumes());
    await occupied(() => inspect(settings));
  });

  test("of another machine can't be told from here", async () => {
    vi.stubEnv("DOCKER_HOST", "tcp://10.0.0.5:2375");
    await occupied(() => inspect(settings));
  });
});

describe("refuseUnreachable", () => {
  const refuse = (host: string, bindAddress: string) => () => {
    vi.stubEnv("DOCKER_HOST", host);
    refuseUnreachable(
      engineFromEnvironment(),
      planOf({ bindAddress, monitorAddress: bindAddress, tls: "none" }),
    );
  };

  test.each(["ssh://box", "tcp://10.0.0.5:2375", "tcp://box:2376"])(
    "refuses loopback of another machine: %s",
    (host) => {
      expect(refuse(host, "127.0.0.1")).toThrow(`bindAddress: nodes on ${host} can't be reached`);
      expect(refuse(host, "0.0.0.0")).toThrow("npx pulumi config set bindAddress 10.0.0.5");
      expect(refuse(host, "10.0.0.5")).not.toThrow();
    },
  );

  test.each(["", "unix:///x", "tcp://127.0.0.1:2375", "tcp://[::1]:2375", "tcp://localhost"])(
    "takes loopback of this one: %s",
    (host) => {
      expect(refuse(host, "127.0.0.1")).not.toThrow();
    },
  );
});

describe("refuseContextInUse", () => {
  const refuse = () => refuseContextInUse(engineFromEnvironment());
  const context = (name: string) => fake.answer("docker", "context", [{ name, host: "ssh://far" }]);

  test("refuses an engine that is named to the docker command alone", async () => {
    vi.stubEnv("DOCKER_HOST", undefined);
    context("far");
    await expect(refuse()).rejects.toThrow(
      "The docker context in use, far, leads to ssh://far, where Pulumi's Docker provider doesn't follow: nodes would be made on another engine than their network.\nName the engine to both: export DOCKER_HOST=ssh://far",
    );
  });

  test("takes the default context, and what the environment names", async () => {
    context("far");
    await refuse();
    vi.stubEnv("DOCKER_HOST", undefined);
    context("default");
    await refuse();
  });
});

describe("refuseEngineOfConfig", () => {
  const refuse = () => refuseEngineOfConfig(engineFromEnvironment(), "program");

  test.each([
    ["host", "ssh://far", "DOCKER_HOST"],
    ["context", "far", "DOCKER_CONTEXT"],
  ])("refuses a %s that only the Docker provider goes by", (key, value, variable) => {
    pulumi.runtime.setAllConfig({ [`docker:${key}`]: value });
    expect(refuse).toThrow(
      `docker:${key}: Pulumi's Docker provider would make nodes on ${value}, and their network would be made on the engine that the environment names.\nName it to both: pulumi config rm docker:${key} && export ${variable}=${value}`,
    );
    vi.stubEnv(variable, value);
    expect(refuse).not.toThrow();
  });

  test("takes a config without any", () => {
    pulumi.runtime.setAllConfig({ "docker:registryAuth": "[]" });
    expect(refuse).not.toThrow();
  });
});

describe("engines of the settings", () => {
  const places = ["rg1", "rg2"].map((key, index) => ({
    key,
    host: `ssh://m${index + 1}`,
    address: `10.0.${index + 1}.5`,
    ssh: [],
  }));
  const [rg1, rg2] = places as [(typeof places)[0], (typeof places)[0]];
  const settings = {
    regions: ["rg1", "rg2"],
    availabilityZones: ["az1"],
    engines: { rg1: { host: rg1.host }, rg2: { host: rg2.host } },
    tls: "none",
  };
  const ownership = ownershipOf({ ...DEV, owner: OWNER });
  const inspectOn = (...engines: readonly Engine[]) =>
    inspectEngines(engines, planOf(settings), ownership);

  test("are refused where two of them are one machine's", async () => {
    fake.answer("docker", "ps", [container("rg1-az1")]);
    await expect(inspectOn(engineAt(rg1), engineAt(rg2))).rejects.toThrow(
      "engines: rg1 and rg2 are one engine, as both have rg1-az1.\nGive both the same host, ssh://m1 or ssh://m2.",
    );
  });

  test("are refused where one has nothing of the nodes that the state has there", async () => {
    const recorded = new Set(["nats-regions-dev-rg2-az1"]);
    const look = (...engines: readonly Engine[]) =>
      inspectEngines(engines, planOf(settings), ownership, undefined, recorded);
    await expect(look(engineAt(rg1), engineAt(rg2))).rejects.toThrow(
      /^engines: other engines .*\n {2}rg2: ssh:\/\/m2 has nothing of rg2-az1\n.* refresh --target '\*\*rg2\*'/,
    );
    // One that doesn't answer isn't looked at.
    expect((await look(engineAt(rg1))).containers.size).toBe(0);
  });

  test("may be called something else than before, and have their nodes once", async () => {
    fake.answer("docker", "ps", [
      container("rg1-az1", { ports: "0.0.0.0:4222->4222/tcp, 127.0.0.1:8222->8222/tcp" }),
    ]);
    const former = formerEngineAt({ ...rg1, host: "ssh://nats@m1" });
    await warningsIn(async () => {
      const { containers, leaving } = await inspectOn(engineAt(rg1), former);
      expect([...containers.keys()]).toEqual(["nats-regions-dev-rg1-az1"]);
      expect(containers.get("nats-regions-dev-rg1-az1")).toMatchObject({
        clientAddress: "10.0.1.5:4222",
      });
      // Pages are for that machine alone.
      expect(containers.get("nats-regions-dev-rg1-az1")).not.toHaveProperty("monitoringUrl");
      expect(leaving.size).toBe(0);
    });
  });

  test.each([
    ["on the other one", engineAt(rg2), "rg1-az1: on rg2's, and not on rg1's"],
    ["on one of before", formerEngineAt(rg1), "rg1-az1: on rg1 (former)'s, and not on rg1's"],
  ])("are refused while a node is %s, with its data", (_, engine, words) => {
    const found = { ...container("rg1-az1"), engine } as unknown as FoundContainer;
    expect(() => refuseElsewhere([found], planOf(settings))).toThrow(
      `engines: nodes are on other engines than the settings say, with their data:\n  ${words}\nPut the engines back.`,
    );
  });

  test("may have nodes that leave, wherever they are", () => {
    for (const engine of [engineAt(rg1), formerEngineAt({ ...rg2, key: "rg9" })]) {
      const found = { ...container("rg9-az1"), engine } as unknown as FoundContainer;
      refuseElsewhere([found], planOf(settings));
    }
    const own = { ...container("rg2-az1"), engine: engineAt(rg2) } as unknown as FoundContainer;
    refuseElsewhere([own], planOf(settings));
  });

  test("have providers of their own, which no config and no context leads elsewhere", async () => {
    const loopback = { bindAddress: "127.0.0.1" };
    pulumi.runtime.setAllConfig({ "docker:host": "ssh://far" });
    await refuseEngines([engineAt(rg1), engineAt(rg2)], loopback, "program");
    await expect(refuseEngines([engineFromEnvironment()], loopback, "program")).rejects.toThrow(
      "docker:host: Pulumi's Docker provider would make nodes on ssh://far",
    );
    pulumi.runtime.setAllConfig({});
    await expect(refuseEngines([engineFromEnvironment()], loopback, "config")).rejects.toThrow(
      "bindAddress: nodes on ssh://box can't be reached at 127.0.0.1",
    );
  });

  test("keep a port until the update has ended: another node there can't have it before", async () => {
    const plan = planOf({ ...settings, clientPort: 4222 });
    const holding = (node: string, engine: Engine, ...ports: readonly number[]) =>
      ({ ...container(node), engine, publishedPorts: new Set(ports) }) as unknown as FoundContainer;
    const refuse = (...own: readonly FoundContainer[]) =>
      refuseTakenPorts([engineAt(rg1), engineAt(rg2)], own, plan);
    await refuse(holding("rg1-az1", engineAt(rg1), 4222, 6222));
    await refuse(holding("rg2-az1", engineAt(rg2), 4222, 6222));
    await expect(refuse(holding("rg0-az1", engineAt(rg1), 4000, 4222))).rejects.toThrow(
      "  clientPort: 0.0.0.0:4222, wanted for rg1-az1, is held by rg0-az1 until this update has ended",
    );
    await expect(refuse(holding("rg0-az1", engineAt(rg2), 4000, 6225))).rejects.toThrow(
      "  routePort: 0.0.0.0:6225, wanted for rg2-az1, is held by rg0-az1 until this update has ended",
    );
  });

  test("name the one that doesn't answer", async () => {
    fake.complain("docker", "Cannot connect to the Docker daemon at http://docker.\n");
    await expect(inspectOn(engineAt(rg1))).rejects.toThrow(
      "engines.rg1: its Docker engine doesn't answer: Cannot connect",
    );
  });
});
