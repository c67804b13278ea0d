import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { claimPorts } from "../../../components/preflight/claimed-ports.ts";
import { planOf } from "../../support/cluster-report.ts";
import { recordResources } from "../../support/mocks.ts";

/** What is said of each cluster of one program, one after the other; `""` where it may have its ports. */
async function refusalsOf(clusters: Readonly<Record<string, object>>): Promise<string[]> {
  await recordResources();
  const refusals: string[] = [];
  await pulumi.runtime.runInPulumiStack(async () => {
    for (const [name, settings] of Object.entries(clusters)) {
      try {
        claimPorts(name, planOf({ regions: ["rg1"], ...settings }));
        refusals.push("");
      } catch (error) {
        refusals.push(error instanceof Error ? error.message : "");
      }
    }
  });
  return refusals;
}

test("two clusters of a program can't have a port in common, of whichever kind", async () => {
  const refusals = await refusalsOf({
    east: { clientPort: 5002, monitorPort: 6000 },
    west: { clientPort: 5000, monitorPort: 6500 },
    north: { clientPort: 6000, monitorPort: 8000 },
    south: { clientPort: 7000, monitorPort: 7100 },
  });
  expect(refusals).toEqual([
    "",
    "clientPort: rg1-az3 and rg1-az1 of east would both have port 5002.\nGive one of the clusters others, e.g. clientPort: 6003.",
    expect.stringContaining("rg1-az1 and rg1-az1 of east would both have port 6000"),
    "",
  ]);
});

test("ports of other listeners are claimed, too", async () => {
  const refusals = await refusalsOf({
    east: { clientPort: 5000, monitorPort: 6000, websocket: true, websocketPort: 7000 },
    west: { clientPort: 8000, monitorPort: 9000, mqtt: true, mqttPort: 7002 },
  });
  expect(refusals).toEqual([
    "",
    expect.stringContaining("rg1-az1 and rg1-az3 of east would both have port 7002"),
  ]);
});

test("another address has ports of its own, unless it is every address", async () => {
  const refusals = await refusalsOf({
    east: { clientPort: 5000, monitorPort: 6000 },
    west: { clientPort: 5000, monitorPort: 6500, bindAddress: "127.0.0.2" },
    north: { clientPort: 5000, monitorPort: 7000, bindAddress: "0.0.0.0" },
  });
  expect(refusals).toEqual(["", "", expect.stringContaining("port 5000")]);
});

test("each engine has ports of its own, also for routes", async () => {
  const engine = (host: string) => ({ monitorPort: 0, engines: { rg1: { host } } });
  const refusals = await refusalsOf({
    east: { clientPort: 5000, routePort: 6000, ...engine("ssh://m1") },
    west: { clientPort: 5000, routePort: 6000, ...engine("ssh://m2") },
    here: { clientPort: 5000, monitorPort: 0, bindAddress: "0.0.0.0" },
    north: { clientPort: 7000, routePort: 6002, ...engine("ssh://m1") },
    south: { clientPort: 6002, routePort: 8000, ...engine("ssh://m1") },
  });
  expect(refusals).toEqual([
    "",
    "",
    "",
    "routePort: rg1-az1 and rg1-az3 of east would both have port 6002.\nGive one of the clusters others, e.g. routePort: 6003.",
    expect.stringMatching(/^clientPort: rg1-az1 and rg1-az3 of east would both have port 6002/),
  ]);
});
