import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { metaGroups } from "../support/meta-group.ts";
import { NatsClient } from "../support/nats-client.ts";
import { SEED_SETTINGS, TestStack } from "../support/stack.ts";
import { type Audit, type Stretch, Traffic } from "../support/traffic.ts";

/** Milliseconds that a stream of three replicas may be without an acknowledgement. */
const LONGEST_GAP = 1_000;

const { EVENTS, ORDERS } = SEED_SETTINGS.streams;
const SOLO = {
  subjects: ["solo.*"],
  replicas: 1,
  duplicateWindow: "2m",
  placement: { tags: ["rg:1"] },
};
const PAIR = { subjects: ["pair.*"], replicas: 2, placement: { tags: ["xr:12"] } };
const PUBLISHED = ["EVENTS", "ORDERS", "SOLO"];
const REPLICATED = ["EVENTS", "ORDERS"];

const NOTHING_LOST: Partial<Audit> = {
  missing: [],
  givenTwice: [],
  storedTwice: 0,
  givenUp: 0,
  versions: 1,
};

const at = (stream: object, ...tags: string[]) => ({ ...stream, placement: { tags } });

/** One cluster under traffic: each change starts where the one before ended. */
describe("a cluster in use", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create({ streams: { EVENTS, ORDERS, SOLO } });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), PUBLISHED, "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test("takes up tags without a restart", async () => {
    const { restarts } = await change("tags of two nodes", {
      streams: { EVENTS, ORDERS, SOLO, PAIR },
    });
    expect(restarts).toBe(0);
    await expectHosts("PAIR", ["rg1-az1", "rg2-az2"]);
  });

  test("has all its nodes replaced", async () => {
    const { restarts } = await change("memory of nine nodes", {
      memory: "256MiB",
      streams: { EVENTS, ORDERS, SOLO, PAIR },
    });
    expect(restarts).toBe(9);
  });

  test("grows by a zone, and streams move there, without a restart", async () => {
    const { restarts } = await change("a zone more, two streams go there", {
      memory: "256MiB",
      availabilityZones: ["az1", "az2", "az3", "az4"],
      streams: { EVENTS: at(EVENTS, "xr:412"), ORDERS, SOLO: at(SOLO, "rg:1", "az:4"), PAIR },
    });
    expect(restarts).toBe(0);
    expect(await metaGroups(await stack.outputs())).toEqual([expect.stringMatching(/ of 12$/)]);
    await expectHosts("EVENTS", ["rg1-az4", "rg2-az1", "rg3-az2"]);
    await expectHosts("SOLO", ["rg1-az4"]);
  });

  test("has all its nodes replaced and a stream moved at once", async () => {
    const { restarts } = await change("memory of twelve nodes, a stream moves", {
      memory: "384MiB",
      availabilityZones: ["az1", "az2", "az3", "az4"],
      streams: {
        EVENTS: at(EVENTS, "xr:412"),
        ORDERS: at(ORDERS, "rg:3"),
        SOLO: at(SOLO, "rg:1", "az:4"),
        PAIR,
      },
    });
    expect(restarts).toBe(12);
    await expectHosts("ORDERS", Array(3).fill(expect.stringMatching(/^rg3-/)));
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  /** Makes a change under traffic. Nothing may be lost by it, and no stream of three replicas be away for long. */
  async function change(what: string, settings: object): Promise<{ readonly restarts: number }> {
    stack.configure(settings);
    const before = await starts();
    const began = performance.now();
    let seconds = 0;
    const stretches = await traffic.during(async () => {
      await stack.expectPulumi("up", "--yes", "--skip-preview");
      seconds = (performance.now() - began) / 1_000;
    });
    const after = await starts();
    const restarts = [...before].filter(([node, start]) => after.get(node) !== start).length;
    const audits = await auditAll();
    const unconsumed = await traffic.unconsumed("ORDERS");

    console.info(row({ what, restarts, seconds, stretches, audits, consumed: traffic.consumed }));
    for (const [stream, audit] of Object.entries(audits)) {
      expect(audit, stream).toEqual({ ...audit, stored: audit.acknowledged, ...NOTHING_LOST });
    }
    expect(unconsumed).toEqual([]);
    for (const stream of REPLICATED) {
      expect(stretches[stream]?.longestGap, `gap of ${stream}`).toBeLessThanOrEqual(LONGEST_GAP);
    }
    return { restarts };
  }

  async function auditAll(): Promise<Record<string, Audit>> {
    const audits: Record<string, Audit> = {};
    for (const stream of PUBLISHED) audits[stream] = await traffic.audit(stream);
    return audits;
  }

  /** A follower whose leader has just changed counts as current within its next heartbeats. */
  async function expectHosts(stream: string, hosts: readonly string[]): Promise<void> {
    await using client = await NatsClient.connect(await stack.outputs());
    await eventually(async () => {
      expect(await client.hosts(stream)).toEqual(hosts);
      return true;
    });
  }

  /** Which container each node has, and since when it runs. */
  async function starts(): Promise<ReadonlyMap<string, string>> {
    const filter = `--filter=label=nats-regions.stack=nats-regions/${stack.name}`;
    const { stdout: ids } = await execa("docker", ["ps", "--quiet", "--no-trunc", filter]);
    const format = "--format={{.Name}} {{.Id}} {{.State.StartedAt}}";
    const { stdout } = await execa("docker", ["inspect", format, ...ids.split("\n")]);
    return new Map(
      stdout.split("\n").map((line) => {
        const [name = "", ...start] = line.split(" ");
        return [name, start.join(" ")];
      }),
    );
  }
});

interface Scene {
  readonly what: string;
  readonly restarts: number;
  /** That the `up` took. */
  readonly seconds: number;
  /** By stream. */
  readonly stretches: Readonly<Record<string, Stretch>>;
  readonly audits: Readonly<Record<string, Audit>>;
  /** Messages, of the stream that is consumed. */
  readonly consumed: number;
}

/** A row of a table; of three numbers each is of one stream, and messages are all since the first scene. */
function row({ what, restarts, seconds, stretches, audits, consumed }: Scene): string {
  const each = <Of>(all: Readonly<Record<string, Of>>, pick: (of: Of) => number) =>
    Object.values(all).map(pick).join(" / ");
  return [
    `| ${what}`,
    `${restarts} restarts`,
    `up ${seconds.toFixed(1)} s`,
    `acknowledged ${each(audits, ({ acknowledged }) => acknowledged)}`,
    `stored ${each(audits, ({ stored }) => stored)}`,
    `consumed ${consumed}`,
    `errors ${each(stretches, ({ errors }) => errors)}`,
    `longest gap ${each(stretches, ({ longestGap }) => longestGap)} ms |`,
  ].join(" | ");
}
