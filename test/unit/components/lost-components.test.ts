import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createNodes } from "../../../components/cluster-nodes.ts";
import { promiseOf } from "../../../components/known-value.ts";
import { refuseRestarts } from "../../../components/preflight/lost-nodes.ts";
import { type ClusterPlan, planCluster } from "../../../lib/plan/plan.ts";
import { parseSettings } from "../../../lib/plan/settings.ts";
import { engineAt } from "../../../live/engine/engine.ts";
import { BareCluster, newNodesArgs } from "../../support/bare-cluster.ts";
import { type Recorded, recordResources } from "../../support/mocks.ts";

const RG1 = { key: "rg1", host: "ssh://m1", address: "m1", ssh: [] };

let plan: ClusterPlan;
let resources: readonly Recorded[];
const named = (name: string): Recorded | undefined =>
  resources.find((resource) => resource.name === name);
const environmentOf = (name: string) =>
  named(name)?.inputs.environment as Readonly<Record<string, string>>;

beforeAll(async () => {
  const recorder = await recordResources();
  plan = planCluster(
    parseSettings(
      {
        regions: ["rg1", "rg2"],
        availabilityZones: ["az1"],
        engines: { rg1: { host: "ssh://m1" }, rg2: { host: "ssh://m2" } },
        lost: ["rg3"],
        streams: { LEDGER: { subjects: ["ledger.*"], allowDataLoss: true } },
      },
      { project: "nats-regions", stack: "dev" },
    ),
  );
  const parts = new Map([["rg3", { containers: ["nats-regions-dev-rg3-az1"], isEmpty: false }]]);
  const { ready } = await createNodes(
    "c1",
    {
      ...newNodesArgs(plan, { sys: "hash", user: "hash" }),
      lost: { parts, answering: [], streams: [] },
      lostNodes: {
        nodes: ["rg3-az1"],
        instead: engineAt(RG1),
        lacks: ["APP > stream EVENTS: replicas"],
      },
    },
    new BareCluster("c1", "bWFuYWdlcnMta2V5"),
  );
  await Promise.all(ready.map(({ urn }) => promiseOf(urn)));
  resources = await recorder.settled(37);
});

afterAll(() => {
  vi.restoreAllMocks();
});

test("the provider of a lost engine is led to another one, and its network's Command does nothing", () => {
  expect(named("c1-docker-rg3")?.inputs).toMatchObject({ host: RG1.host, sshOpts: "[]" });
  const { create, update, delete: remove, environment } = named("c1-network-rg3")?.inputs ?? {};
  expect([create, update, remove, environment]).toEqual([":", ":", ":", undefined]);
  expect(named("c1-image-rg3")).toBeUndefined();
});

test("lost nodes are let go of before anything waits for the meta group, by what streams may lose", () => {
  expect(named("c1-lost")?.inputs.create).toContain("let-go");
  expect(environmentOf("c1-lost")).toMatchObject({
    LOST_NODES: '["rg3-az1"]',
    NODES: '["rg1-az1","rg2-az1"]',
    EXPENDABLE: '[{"account":"APP","name":"LEDGER"}]',
  });
  expect(named("c1-drain")?.dependencies).toContain("c1-lost");
});

test("gates don't wait for replicas that streams get after them", () => {
  expect(environmentOf("c1-wave-1").LACKED).toBe('["APP > stream EVENTS: replicas"]');
});

test("restarts are refused while streams lack what was lost, unless all nodes restart at once", () => {
  const lost = {
    nodes: ["rg3-az1"],
    instead: engineAt(RG1),
    lacks: ["APP > stream EVENTS: replicas"],
  };
  const restarts = { restarted: new Set(["rg2-az1"]) };
  expect(() => refuseRestarts(lost, restarts, plan)).toThrow("lost: rg2-az1 would be restarted");
  for (const harmless of [
    () => refuseRestarts({ ...lost, lacks: [] }, restarts, plan),
    () => refuseRestarts({ ...lost, nodes: [] }, restarts, plan),
    () => refuseRestarts(lost, { restarted: new Set() }, plan),
    () => refuseRestarts(lost, restarts, { ...plan, rollout: "all" }),
  ]) {
    expect(harmless).not.toThrow();
  }
});
