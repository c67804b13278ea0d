import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { createNodes } from "../../../components/cluster-nodes.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { Stream } from "../../../components/stream.ts";
import type { StreamStage } from "../../../components/stream-host.ts";
import { type ClusterPlan, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { BareCluster, MONITOR_SEED, newNodesArgs } from "../../support/bare-cluster.ts";
import { type Recorded, recordResources } from "../../support/mocks.ts";
import { appearsIn } from "../../support/secrets.ts";

const HASHES = { system: "hash-of-sys-secret", application: "hash-of-app-secret" };
const MANAGER_KEY = "bWFuYWdlcnMta2V5";

let plan: ClusterPlan;
let resources: readonly Recorded[];

const named = (name: string): Recorded => {
  const found = resources.find((resource) => resource.name === name);
  if (!found) throw new Error(`no resource ${name}`);
  return found;
};

beforeAll(async () => {
  const recorder = await recordResources();
  plan = planCluster(
    parseSettings(
      {
        clientPort: 4222,
        streams: {
          ORDERS: { subjects: ["orders.*"], replicas: 3, placement: { tags: ["rg:2"] } },
        },
      },
      { project: "nats-regions", stack: "dev" },
    ),
  );
  const stage = Promise.withResolvers<StreamStage>();
  const cluster = new BareCluster("c1", MANAGER_KEY, { ORDERS: stage.promise });
  const { ready } = await createNodes(
    "c1",
    newNodesArgs(plan, { sys: HASHES.system, user: HASHES.application }),
    cluster,
  );
  const [orders] = plan.streams;
  if (!orders) throw new Error("the plan has no stream");
  const checked = pulumi.output(undefined);
  stage.resolve({
    plan: orders,
    fleet: pulumi.output(JSON.stringify(plan.fleet)),
    checked,
    after: ready,
  });
  const stream = new Stream("ORDERS", { cluster });
  await promiseOf(stream.urn);
  resources = await recorder.settled(71);
});

describe("NatsCluster", () => {
  test("makes a network, an image, and for each node its volumes, config and container", () => {
    const count = Map.groupBy(resources, ({ type }) => type);
    expect(Object.fromEntries([...count].map(([type, of]) => [type, of.length]))).toEqual({
      "nats-regions:index:NatsCluster": 1,
      "nats-regions:index:Lifespan": 1,
      "nats-regions:index:Region": 3,
      "nats-regions:index:AvailabilityZone": 9,
      "nats-regions:index:NatsNode": 9,
      "docker:index/remoteImage:RemoteImage": 1,
      "docker:index/volume:Volume": 18,
      "docker:index/container:Container": 9,
      "command:local:Command": 1 + 1 + 1 + 9 + 4 + 1 + 1 + 1,
      "pulumi-nodejs:dynamic/nats:Stream": 1,
      "pulumi:providers:pulumi-nodejs": 1,
    });
  });

  test("derives every name from the cluster's, so that two clusters fit in one program", () => {
    for (const { name, type } of resources) {
      if (!type.endsWith(":Stream")) expect(name).toMatch(/^c1(-|$)/);
    }
  });

  test("publishes ports on loopback only, and no route port", () => {
    expect(named("c1-rg2-az3-container").inputs.ports).toEqual([
      { internal: 4222, external: 4227, ip: "127.0.0.1", protocol: "tcp" },
    ]);
  });

  test("hardens every container and lets it stop in peace", () => {
    for (const { type, inputs } of resources) {
      if (type !== "docker:index/container:Container") continue;
      expect(inputs).toMatchObject({
        user: "10001:10001",
        readOnly: true,
        capabilities: { drops: ["ALL"] },
        securityOpts: ["no-new-privileges"],
        memory: 512,
        memorySwap: 512,
        envs: [`GOMEMLIMIT=${Math.floor(512 * 1024 ** 2 * 0.8)}`],
        restart: "unless-stopped",
        networkMode: "bridge",
        stopTimeout: 30,
        destroyGraceSeconds: 30,
      });
    }
  });

  test("mounts a config that the server can't write and a volume for its data", () => {
    expect(named("c1-rg1-az1-container").inputs.volumes).toEqual([
      {
        volumeName: "nats-regions-dev-rg1-az1-config",
        containerPath: "/etc/nats",
        readOnly: true,
      },
      { volumeName: "nats-regions-dev-rg1-az1-data", containerPath: "/data" },
    ]);
  });

  test("lets waves change behind the gate of the wave before; only the last gate waits at first", () => {
    const gate = (number: number) => named(`c1-wave-${number}`).inputs;
    expect([1, 2, 3].map((number) => gate(number).create)).toEqual([
      ":",
      ":",
      "node -e 'import(\"nats-regions/run\")' gate members",
    ]);
    for (const number of [1, 2, 3]) {
      expect(gate(number).update).toBe("node -e 'import(\"nats-regions/run\")' gate replicas");
      const { CONTAINERS, SO_FAR, LATER } = gate(number).environment as Record<string, string>;
      expect(CONTAINERS?.split(" ")).toEqual(
        [1, 2, 3].map((region) => `c1-rg${region}-az${number}-container-id`),
      );
      expect(JSON.parse(SO_FAR ?? "")).toHaveLength(3 * number);
      expect(JSON.parse(LATER ?? "")).toHaveLength(9 - 3 * number);
    }
  });

  test("has the node that comes last win the first election of a new cluster", () => {
    const configured = resources.filter(({ name }) => name.endsWith("-configured"));
    expect(configured).toHaveLength(9);
    const first = configured.filter(({ inputs }) => `${inputs.create}`.includes("--first-leader"));
    expect(first.map(({ name }) => name)).toEqual(["c1-rg3-az3-configured"]);
    const containers = resources.filter(({ name }) => name.endsWith("-container"));
    const names = containers.map(({ name }) => name);
    const others = names.filter((name) => name !== "c1-rg3-az3-container");
    const { made } = named("c1-rg3-az3-container");
    expect(made.filter((name) => names.includes(name)).sort()).toEqual(others.sort());
    // An update with targets could go by no such dependency, as later updates have none.
    const awaited = containers.flatMap(({ dependencies }) => dependencies);
    expect(awaited.filter((name) => names.includes(name))).toEqual([]);
  });

  test("lets streams wait for the meta leader to hear of tags, whenever some were changed", () => {
    const { create, update, environment } = named("c1-tags").inputs;
    expect([create, update]).toEqual([":", "sleep 1.2"]);
    const { TAGS = "" } = environment as Record<string, string>;
    expect(JSON.parse(TAGS)).toMatchObject({ "rg2-az1": ["rg:2", "az:1", "xr:213", "xr:312"] });
  });

  test("looks at the cluster before the first wave, whenever a container is to be replaced", () => {
    const { create, update, environment } = named("c1-start").inputs;
    expect([create, update]).toEqual([":", "node -e 'import(\"nats-regions/run\")' start-gate"]);
    const { SETTINGS = "" } = environment as Record<string, string>;
    const { RESTART_SETTINGS } = named("c1-rg2-az1-configured").inputs.environment as {
      RESTART_SETTINGS: string;
    };
    const [first] = JSON.parse(SETTINGS) as readonly Readonly<Record<string, string>>[];
    expect(first?.["rg2-az1"]).toBe(RESTART_SETTINGS);
  });

  test("notes down on a container the settings that no reload changes, for it and its config alike", () => {
    const { labels } = named("c1-rg2-az3-container").inputs as {
      labels: { label: string; value: string }[];
    };
    const noted = labels.find(({ label }) => label === "nats-regions.restart-settings")?.value;
    expect(JSON.parse(noted ?? "")).toEqual({
      image: "nats:2.15.2",
      memory: 512 * 1024 ** 2,
      bindAddress: "127.0.0.1",
      clientPort: 4227,
      serverName: "rg2-az3",
      cluster: "c1",
      uniqueTag: "az:",
      maxFileStore: 1024 ** 3,
      maxMemoryStore: 64 * 1024 ** 2,
      syncInterval: "always",
    });
    expect(named("c1-rg2-az3-configured").inputs.environment).toMatchObject({
      RESTART_SETTINGS: noted,
    });
  });

  test("keeps hashes and keys out of everything but secrets", () => {
    const leaks = (value: unknown) =>
      [...Object.values(HASHES), MANAGER_KEY, MONITOR_SEED].some((secret) =>
        appearsIn(JSON.stringify(value), secret),
      );
    const exposed = resources.filter(({ plainInputs }) => leaks(plainInputs));
    expect(exposed.map(({ name }) => name)).toEqual([]);
    const { stdin } = named("c1-rg1-az1-configured").inputs;
    expect(appearsIn(JSON.stringify(stdin), HASHES.system)).toBe(true);
    expect(appearsIn(JSON.stringify(stdin), MONITOR_SEED)).toBe(true);
    expect(leaks(named("c1-jetstream").inputs)).toBe(true);
  });
});

describe("Stream", () => {
  test("is a dynamic resource whose provider is a constant that captures nothing", () => {
    const { type, inputs } = named("ORDERS");
    expect(type).toBe("pulumi-nodejs:dynamic/nats:Stream");
    expect(inputs.__provider).toMatchInlineSnapshot(
      `"exports.handler = () => require("node:module").createRequire(process.cwd() + "/")("nats-regions/providers/stream").streamProvider;"`,
    );
  });
});
