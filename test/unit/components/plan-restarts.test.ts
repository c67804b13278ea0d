import { describe, expect, test } from "vitest";
import type { EngineState } from "../../../components/preflight/inspect-engine.ts";
import { planRestarts } from "../../../components/preflight/plan-restarts.ts";
import type { ObservedCluster, ObservedMeta } from "../../../lib/observed/observed.ts";
import { nodesOf } from "../../../lib/plan/plan.ts";
import { planOf } from "../../support/cluster-report.ts";

const plan = planOf({ regions: ["rg1"] });
const STORE = { used: 0, reserved: 0, max: 0 };
const RUNNING = ["rg1-az1", "rg1-az2"];
const createdAt = new Date();

/** @param third what the engine knows of the third node. */
function engineWith(third: EngineState["containers"]): EngineState {
  const running = nodesOf(plan)
    .filter(({ name }) => RUNNING.includes(name))
    .map(
      ({ containerName, clientPort }) =>
        [containerName, { createdAt, clientAddress: `127.0.0.1:${clientPort}` }] as const,
    );
  return {
    containers: new Map([...running, ...third]),
    leaving: new Map(),
    containerless: new Set(),
    silent: new Set(),
    hasNetwork: true,
  };
}

async function stepsOf(third: EngineState["containers"], meta?: ObservedMeta): Promise<string[][]> {
  const servers = RUNNING.map((name) => ({ name, file: STORE, memory: STORE }));
  const observed: ObservedCluster = { servers, silent: [], streams: [], ...(meta ? { meta } : {}) };
  const restarted = new Set([...RUNNING, ...(third.size > 0 ? ["rg1-az3"] : [])]);
  const { steps } = await planRestarts(plan, restarted, engineWith(third), async () => observed);
  return steps.map((step) => step.map(({ name }) => name)).filter((step) => step.length > 0);
}

const NONE: EngineState["containers"] = new Map();
const CREATED: EngineState["containers"] = new Map(
  nodesOf(plan)
    .filter(({ name }) => name === "rg1-az3")
    .map(({ containerName }) => [containerName, { createdAt }]),
);

describe("nodes of a meta group that has no leader yet", () => {
  test.each([
    ["isn't there", NONE],
    ["was created and never started", CREATED],
  ])("come after one that %s, as an up was killed", async (_, third) => {
    expect(await stepsOf(third)).toEqual([["rg1-az3"], ["rg1-az1"], ["rg1-az2"]]);
  });

  test("keep their order if it has one that the third doesn't belong to", async () => {
    const meta = { hosts: RUNNING, leader: "rg1-az1", ill: [], behind: 0 };
    expect(await stepsOf(NONE, meta)).toEqual([["rg1-az1"], ["rg1-az2"], ["rg1-az3"]]);
  });
});

describe("what a cluster lacks", () => {
  const meta = { hosts: [...RUNNING, "rg1-az3"], leader: "rg1-az1", ill: ["rg1-az3"], behind: 0 };
  const observed = { servers: [], silent: ["rg1-az3"], streams: [], meta };

  test.each([
    ["looked at again, as it may be a short lag", [], 3],
    ["not looked at again where it is on nodes beyond reach", ["rg1-az3"], 1],
  ])("is %s", async (_, silent, expected) => {
    let looks = 0;
    const observe = async () => {
      looks += 1;
      return observed;
    };
    const before = { ...engineWith(NONE), silent: new Set(silent) };
    await planRestarts(plan, new Set(RUNNING), before, observe);
    expect(looks).toBe(expected);
  });
});
