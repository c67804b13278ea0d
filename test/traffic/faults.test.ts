import { readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nodesOf } from "../../lib/plan/plan.ts";
import { at, STREAMS } from "../support/change.ts";
import { eventually } from "../support/eventually.ts";
import {
  DEAF,
  docker,
  KILLED,
  PARTITIONED,
  PAUSED,
  UNPLUGGED,
  whyNotPartitioned,
} from "../support/faults.ts";
import {
  expectRefusal,
  expectWell,
  type FaultCase,
  injectFault,
  planOfStack,
  type Stage,
} from "../support/inject-fault.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";
import { leaderOf, metaLeader, node, regions, zoneEverywhere } from "../support/victims.ts";

/** By `npm run chaos`: all rows, so many times. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 0);
/** Milliseconds in which people are told that nothing can be done: 17 s for an `up` on an idle machine. */
const REFUSAL = 60_000;
/** So many messages are read quickly, as often as there are replicas. */
const MESSAGES = 3_000;

const SOLO_HOST = "rg2-az1";
const SOLO = at(STREAMS.SOLO, "rg:2", "az:1");
const SETTINGS = { streams: { ...STREAMS, SOLO } };

interface Row extends FaultCase {
  /** Only by `npm run chaos`. */
  readonly long?: boolean;
}

const KILLS: readonly Row[] = [
  { name: "killed: a stream's leader", nodes: leaderOf("EVENTS"), fault: KILLED },
  { name: "killed: the meta leader", nodes: metaLeader, fault: KILLED, long: true },
  { name: "killed: the host of R1", nodes: node(SOLO_HOST), fault: KILLED, long: true },
  { name: "killed: az1 in all regions", nodes: zoneEverywhere("az1"), fault: KILLED, long: true },
  { name: "killed: az2 in all regions", nodes: zoneEverywhere("az2"), fault: KILLED, long: true },
  { name: "killed: rg1", nodes: regions("rg1"), fault: KILLED, long: true },
  { name: "killed: rg2", nodes: regions("rg2"), fault: KILLED, long: true },
  {
    name: "killed: rg2 and rg3",
    nodes: regions("rg2", "rg3"),
    fault: KILLED,
    meanwhile: expectNoChange,
  },
];

const PAUSES: readonly Row[] = [
  { name: "a leader", nodes: leaderOf("ORDERS") },
  { name: "az2 in all regions", nodes: zoneEverywhere("az2") },
  { name: "rg2", nodes: regions("rg2") },
].flatMap(({ name, nodes }, index) =>
  [5, 15, 60].map((seconds): Row => {
    const isShort = index === 0 && seconds === 5;
    return {
      name: `paused for ${seconds} s: ${name}`,
      nodes,
      fault: PAUSED,
      lasts: seconds * 1_000,
      long: !isShort,
    };
  }),
);

const CUTS: readonly Row[] = [
  { name: "unplugged: a leader", nodes: leaderOf("EVENTS"), fault: UNPLUGGED, long: true },
  { name: "unplugged: rg2", nodes: regions("rg2"), fault: UNPLUGGED, long: true },
];

/**
 * Milliseconds. A leader that was cut off together with clients has messages that nobody else has. It gives up one
 * every two seconds until it fits the new leader's, or takes the snapshot that this makes every two minutes (nats-server
 * 2.15.2, `processAppendEntry` and `compactInterval`). All the while the stream is written to, on its other replicas.
 */
const GIVES_UP_MESSAGES = 180_000;

const PARTITIONS: readonly Row[] = [
  { name: "cut off: a leader", nodes: leaderOf("EVENTS"), fault: PARTITIONED, long: true },
  { name: "cut off: rg3", nodes: regions("rg3"), fault: PARTITIONED, long: true },
  { name: "deaf: a leader", nodes: leaderOf("EVENTS"), fault: DEAF, long: true },
  { name: "deaf: rg3", nodes: regions("rg3"), fault: DEAF, long: true },
].map((row) => ({ ...row, meanwhile: expectRefusal, recovers: GIVES_UP_MESSAGES }));

describe("a cluster", () => {
  let stage: Stage;

  beforeAll(async () => {
    const stack = await TestStack.create(SETTINGS);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    const traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
    stage = { stack, plan: planOfStack(stack, SETTINGS), traffic };
  });

  afterAll(async () => {
    await stage?.traffic[Symbol.asyncDispose]();
    await stage?.stack.remove();
  });

  beforeEach(async () => {
    const { traffic } = stage;
    if (Object.values(traffic.acknowledged).some((count) => count > MESSAGES)) {
      await traffic.startOver();
    }
  });

  test.for(rounds([...KILLS, ...PAUSES, ...CUTS]))("gets over it: $name", (row) =>
    injectFault(stage, row),
  );

  test.for(rounds(PARTITIONS))("gets over it: $name", async (row, { skip }) => {
    const reason = await whyNotPartitioned();
    skip(reason !== undefined, reason);
    await injectFault(stage, row);
  });

  test.runIf(ROUNDS > 0)("has a lost volume filled again, and says what can't be", async () => {
    const { stack, plan, traffic } = stage;
    const host = nodesOf(plan).find(({ name }) => name === SOLO_HOST);
    await traffic.during(async () => {
      await docker("rm", "--force", `${host?.containerName}`);
      await docker("volume", "rm", `${host?.dataVolume}`);
      const text = await stack.expectPulumi("up", "--yes", "--skip-preview", "--refresh");
      expect(text).toMatch(/rg2-az1 has lost its data volume.*the messages of SOLO are gone/);
      await expectWell(stage);
    });
    for (const stream of ["EVENTS", "ORDERS"]) {
      const { missing, versions } = await traffic.audit(stream);
      expect({ missing, versions }, stream).toEqual({ missing: [], versions: 1 });
    }
    const { missing } = await traffic.audit("SOLO");
    expect(missing.length).toBeGreaterThan(0);
  });

  test("is as it was, to Pulumi", async () => {
    await stage.stack.expectPulumi("preview", "--expect-no-changes");
  });

  test("is changed by one up at a time", async () => {
    const { stack } = stage;
    stack.configure({
      streams: { ...SETTINGS.streams, EVENTS: { ...STREAMS.EVENTS, description: "one of two" } },
    });
    const locks = path.join(stack.folder, ".pulumi", "locks");
    const first = stack.start(["up", "--yes", "--skip-preview"]);
    await eventually(async () =>
      readdirSync(locks, { recursive: true }).some((name) => `${name}`.endsWith(".json")),
    );
    const second = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(second.text).toContain("the stack is currently locked");
    expect(second.exitCode).not.toBe(0);
    expect(await first).toMatchObject({ exitCode: 0 });
    await stack.expectPulumi("preview", "--expect-no-changes");
  });
});

function rounds(rows: readonly Row[]): Row[] {
  if (ROUNDS === 0) return rows.filter(({ long }) => !long);
  return Array.from({ length: ROUNDS }, (_, index) =>
    rows.map((row) => ({ ...row, name: `${row.name}, round ${index + 1}` })),
  ).flat();
}

/** Without a majority of the servers a change is refused in time, and leaves no trace. */
async function expectNoChange({ stack }: Stage): Promise<void> {
  const before = await stateOf(stack);
  stack.configure({ streams: { ...SETTINGS.streams, EVENTS: at(STREAMS.EVENTS, "xr:132") } });
  try {
    const began = performance.now();
    // A refresh brings the nodes back before anything is sent to a stream: a preview can but warn.
    expect(await stack.expectPulumi("preview")).toMatch(/6 of 9 nodes don't run: rg2-az1, /);
    const previewed = performance.now();
    const { exitCode, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    const refused = performance.now();
    expect(exitCode).not.toBe(0);
    expect(text).toMatch(
      /JetStream (does|did) not answer|JetStream is not available|it has no leader/,
    );
    expect(previewed - began, "milliseconds of a preview").toBeLessThan(REFUSAL);
    expect(refused - previewed, "milliseconds of an up").toBeLessThan(REFUSAL);
  } finally {
    stack.configure(SETTINGS);
  }
  expect(await stateOf(stack)).toEqual(before);
}

interface Resource {
  readonly urn: string;
  readonly id?: string;
  /** Of a stream. */
  readonly outputs?: { readonly config?: unknown; readonly replicas?: unknown };
}

/** Each resource with what tells it from another, and each stream's place: order and secrets are others each time. */
async function stateOf(stack: TestStack): Promise<ReadonlyMap<string, unknown>> {
  const exported = JSON.parse(await stack.expectPulumi("stack", "export"));
  const { resources } = exported.deployment as { resources: readonly Resource[] };
  return new Map(
    resources.map(({ urn, id, outputs }) => [
      urn,
      { id, config: outputs?.config, replicas: outputs?.replicas },
    ]),
  );
}
