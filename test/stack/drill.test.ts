import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DrillReport } from "../../cli/drill/drill-report.ts";
import { eventually } from "../support/eventually.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

describe("a failure drill", () => {
  let stack: TestStack;
  let contents: string;

  beforeAll(async () => {
    stack = await TestStack.create();
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    await using client = await NatsClient.connect(await stack.outputs());
    for (let count = 0; count < 5; count++) {
      await client.publish("orders.new", `order ${count}`);
      await client.publish("events.new", `event ${count}`);
    }
    contents = await readContents(client);
  });

  afterAll(async () => {
    await stack.remove();
  });

  test("of the node that leads EVENTS sees it go on under another leader", async () => {
    await using client = await NatsClient.connect(await stack.outputs());
    const { leader = "" } = (await client.info("EVENTS")).cluster;
    const { metaGroup, streams, ...report } = await drill("node", leader);
    expect(report).toMatchObject({ ok: true, loss: { kind: "node", nodes: [leader] } });
    const events = streams.find(({ name }) => name === "EVENTS");
    expect(events).toMatchObject({
      failing: [leader],
      expected: "survives",
      planned: "survives",
      observed: "survives",
      probe: "agreement",
      currentAfter: expect.any(Number),
    });
    // An election takes seconds: a drill that sees none of it sees nothing.
    expect(events?.longestGap).toBeGreaterThan(1_000);
    expect(metaGroup).toMatchObject({ expected: "survives", observed: "survives" });
    expect(await readContents(client)).toBe(contents);
  });

  test("of a region sees its own stream lost, the other written to, and both come back", async () => {
    const { streams, ...report } = await drill("region", "rg2");
    expect(report).toMatchObject({ ok: true, problems: [], wellAfter: expect.any(Number) });
    expect(streams).toMatchObject([
      { name: "EVENTS", failing: ["rg2-az2"], expected: "survives", observed: "survives" },
      { name: "ORDERS", expected: "lost", observed: "lost", writableAfter: expect.any(Number) },
    ]);
    expect(streams[1]?.longestGap).toBeGreaterThan(15_000);
    await using client = await NatsClient.connect(await stack.outputs());
    expect(await readContents(client)).toBe(contents);
  });

  test("brings the nodes back when it is interrupted, and begins only where all is well", async () => {
    const running = stack.script("drill", "node", "rg1-az1", "--how", "pause", "--yes");
    await eventually(async () => (await stateOf("rg1-az1")) === "paused");
    running.kill("SIGINT");
    const { exitCode, stderr } = await running;
    expect(stderr).toContain("Interrupted: every node was brought back.");
    expect(exitCode).toBe(1);
    expect(await stateOf("rg1-az1")).toBe("running");

    await execa("docker", ["kill", stack.containerOf("rg3-az3")]);
    const refused = await stack.script("drill", "zone", "az1", "--yes");
    expect(refused.stderr).toMatch(/Nothing was touched, as the cluster isn't well.*rg3-az3/);
    expect(refused.exitCode).toBe(1);
    expect(await stateOf("rg3-az3")).toBe("exited");

    const { stdout } = await stack.script("drill", "restore");
    expect(stdout).toBe("Brought back: rg3-az3.");
    expect(await stateOf("rg3-az3")).toBe("running");
  });

  /** As short as a drill can be. */
  async function drill(...what: string[]): Promise<DrillReport> {
    const { stdout, stderr } = await stack.script("drill", ...what, "--for=15s", "--yes", "--json");
    if (stdout === "") throw new Error(`drill ${what.join(" ")}:\n${stderr}`);
    return JSON.parse(stdout) as DrillReport;
  }

  async function stateOf(node: string): Promise<string> {
    const format = "--format={{.State.Status}}";
    return (await execa("docker", ["inspect", format, stack.containerOf(node)])).stdout;
  }
});

/** All that streams are and hold, but for who leads them. */
async function readContents(client: NatsClient): Promise<string> {
  const streams = await Promise.all(["EVENTS", "ORDERS"].map((name) => client.info(name)));
  return JSON.stringify(streams.map(({ config, state }) => ({ config, state })));
}
