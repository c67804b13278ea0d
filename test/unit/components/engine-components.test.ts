import { homedir } from "node:os";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createNodes } from "../../../components/cluster-nodes.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { type ClusterPlan, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { BareCluster, newNodesArgs } from "../../support/bare-cluster.ts";
import { type Recorded, recordResources } from "../../support/mocks.ts";

const ENGINES = {
  rg1: { host: "ssh://nats@m1.example.com", ssh: ["IdentityFile=~/.ssh/m1", "Port=2222"] },
  rg2: {
    host: "tcp://m2.example.com:2376",
    certPath: "~/certificates",
    bindAddress: "10.0.2.5",
  },
  // One machine, and one engine.
  rg3: { host: "ssh://nats@m1.example.com", ssh: ["IdentityFile=~/.ssh/m1", "Port=2222"] },
};
const PLACES = [
  {
    key: "rg1",
    host: ENGINES.rg1.host,
    address: "m1.example.com",
    ssh: ENGINES.rg1.ssh,
  },
  {
    key: "rg2",
    host: ENGINES.rg2.host,
    address: "m2.example.com",
    ssh: [],
    certPath: "~/certificates",
  },
];
/** Of the environment in which Pulumi runs. */
const ELSEWHERE = { DOCKER_HOST: "tcp://elsewhere:2376", DOCKER_CERT_PATH: "/secret/certificates" };

let plan: ClusterPlan;
let resources: readonly Recorded[];
const hooks: string[] = [];

const ofType = (end: string) => resources.filter(({ type }) => type.endsWith(end));
const named = (name: string): Recorded => {
  const found = resources.find((resource) => resource.name === name);
  if (!found) throw new Error(`no resource ${name}`);
  return found;
};
const environmentOf = (name: string) =>
  named(name).inputs.environment as Readonly<Record<string, string>>;

beforeAll(async () => {
  for (const [name, value] of Object.entries(ELSEWHERE)) vi.stubEnv(name, value);
  const recorder = await recordResources();
  const Hook = pulumi.ResourceHook;
  vi.spyOn(pulumi, "ResourceHook").mockImplementation(function (this: unknown, ...args) {
    hooks.push(args[0]);
    return new Hook(...args);
  });
  plan = planCluster(
    parseSettings(
      { availabilityZones: ["az1", "az2"], clientPort: 4222, tls: "none", engines: ENGINES },
      { project: "nats-regions", stack: "dev" },
    ),
  );
  const cluster = new BareCluster("c1", "bWFuYWdlcnMta2V5");
  const { ready, networks } = await createNodes(
    "c1",
    newNodesArgs(plan, { sys: "hash", user: "hash" }),
    cluster,
  );
  expect(networks).toHaveLength(2);
  await Promise.all(ready.map(({ urn }) => promiseOf(urn)));
  resources = await recorder.settled(58);
});

afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("a cluster on several engines", () => {
  test("has one provider, network and image for each engine, named by its first key", () => {
    const namesOf = (found: readonly Recorded[]) => found.map(({ name }) => name).sort();
    expect(namesOf(ofType("pulumi:providers:docker"))).toEqual(["c1-docker-rg1", "c1-docker-rg2"]);
    expect(namesOf(ofType(":RemoteImage"))).toEqual(["c1-image-rg1", "c1-image-rg2"]);
    expect(namesOf(resources.filter(({ name }) => name.includes("network")))).toEqual([
      "c1-network-rg1",
      "c1-network-rg2",
    ]);
    expect(named("c1-image-rg2").provider).toBe("c1-docker-rg2");
  });

  test("tells providers where their engines are, and that the environment's isn't theirs", () => {
    expect(named("c1-docker-rg1").inputs).toEqual({
      host: ENGINES.rg1.host,
      context: "",
      certPath: "",
      sshOpts: JSON.stringify(["-o", "IdentityFile=~/.ssh/m1", "-o", "Port=2222"]),
    });
    expect(named("c1-docker-rg2").inputs).toEqual({
      host: ENGINES.rg2.host,
      context: "",
      certPath: `${homedir()}/certificates`,
      sshOpts: "[]",
    });
  });

  test("makes each node's volumes and container on its engine", () => {
    const made = [...ofType(":Volume"), ...ofType(":Container")];
    expect(made).toHaveLength(18);
    for (const { name, provider } of made) {
      expect([name, provider]).toEqual([
        name,
        name.startsWith("c1-rg2") ? "c1-docker-rg2" : "c1-docker-rg1",
      ]);
    }
    const networkOf = (name: string) =>
      named(name).dependencies.filter((each) => each.startsWith("c1-network"));
    expect(networkOf("c1-rg2-az1-container")).toEqual(["c1-network-rg2"]);
    expect(networkOf("c1-rg3-az1-container")).toEqual(["c1-network-rg1"]);
  });

  test("publishes the ports of routes, where the machine says", () => {
    expect(named("c1-rg2-az2-container").inputs.ports).toEqual([
      { internal: 4222, external: 4226, ip: "10.0.2.5", protocol: "tcp" },
      { internal: 6222, external: 6226, ip: "10.0.2.5", protocol: "tcp" },
    ]);
    expect(named("c1-rg1-az1-container").inputs.ports).toMatchObject([
      { ip: "0.0.0.0" },
      { ip: "0.0.0.0", external: 6222 },
    ]);
  });

  test("tells scripts of all engines, and of none by the variables of docker", () => {
    const scripts = ofType("command:local:Command");
    for (const { name, inputs, plainInputs } of scripts) {
      const environment = (inputs.environment ?? {}) as Readonly<Record<string, string>>;
      expect(Object.keys(environment).filter((key) => key.startsWith("DOCKER"))).toEqual([]);
      for (const value of Object.values(ELSEWHERE)) {
        expect(JSON.stringify(plainInputs), name).not.toContain(value);
      }
    }
    for (const name of [
      "c1-wave-1",
      "c1-drain",
      "c1-start",
      "c1-accounts",
      "c1-rg2-az1-configured",
    ]) {
      expect(JSON.parse(environmentOf(name).ENGINES ?? ""), name).toEqual(PLACES);
    }
    expect(environmentOf("c1-rg3-az1-configured").ENGINE).toBe("rg1");
  });

  test("makes and removes networks on their engines, of which each is told alone", () => {
    const { create, delete: remove, environment } = named("c1-network-rg2").inputs;
    const told = (environment as Readonly<Record<string, string>>).ENGINES ?? "";
    expect(JSON.parse(told)).toEqual(PLACES.slice(1));
    for (const command of [create, remove]) {
      expect(command).toMatch(/^node -e 'import\("nats-regions\/run"\)' on-engine rg2 '/);
    }
  });

  test("has hooks of other names on each engine, as names are of the whole program", () => {
    expect(new Set(hooks).size).toBe(hooks.length);
    expect(hooks).toEqual(
      expect.arrayContaining([
        "ensure-network-nats-regions-dev-rg1",
        "ensure-network-nats-regions-dev-rg2",
        "limit-processes-nats-regions-dev-rg1",
        "limit-processes-nats-regions-dev-rg2",
      ]),
    );
  });
});
