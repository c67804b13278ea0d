import { execa } from "execa";
import { expect } from "vitest";
import type { UserLogin } from "../../live/jetstream/connection.ts";
import { eventually } from "./eventually.ts";
import { NatsClient } from "./nats-client.ts";
import { SEED_SETTINGS, type TestStack } from "./stack.ts";
import type { Audit, Stretch, Traffic } from "./traffic.ts";

/**
 * Longest time that a stream of three replicas may go without an acknowledgement, milliseconds. A leader that hands on
 * is missed for some 300, and for 1,300 on a machine with ten times the work that it can do. After one that doesn't, an
 * election takes 4,000 and more (nats-server 2.15, raft.go). `npm run chaos`, alone on the machine, allows 1,000.
 */
const LONGEST_GAP = Number(process.env.LONGEST_GAP ?? 3_800);

const { EVENTS, ORDERS } = SEED_SETTINGS.streams;
const SOLO = {
  subjects: ["solo.*"],
  replicas: 1,
  duplicateWindow: "2m",
  placement: { tags: ["rg:1"] },
};

/** One stream across regions and one in a region, with three replicas each, and one with a single replica. */
export const STREAMS = { EVENTS, ORDERS, SOLO };
const PUBLISHED = Object.keys(STREAMS);
const REPLICATED = ["EVENTS", "ORDERS"];

const NOTHING_LOST: Partial<Audit> = {
  missing: [],
  givenTwice: [],
  storedTwice: 0,
  givenUp: 0,
};

/** A stream's settings with another placement. */
export function at(stream: object, ...tags: string[]): object {
  return { ...stream, placement: { tags } };
}

/** What is expected of a change besides that nothing is lost. */
export interface Expected {
  /** Whether it is the last one, after which all replicas are read. Default: true. */
  readonly isLast?: boolean;
  /** Default: {@link LONGEST_GAP}. */
  readonly longestGap?: number;
}

/** The effect of an `up` of {@link STREAMS} under traffic. */
export interface Outcome {
  /** Nodes whose container was replaced or restarted, without those that left. */
  readonly restarts: number;
  /** How often a message was sent again for lack of an acknowledgement. */
  readonly errors: number;
  /** Output of the `up`. */
  readonly text: string;
}

/**
 * Changes settings by an `up` under traffic, and records the result. No message may be lost, and no stream of three
 * replicas may be unavailable for long.
 */
export async function change(
  stack: TestStack,
  traffic: Traffic,
  what: string,
  settings: object,
  { isLast = true, longestGap = LONGEST_GAP }: Expected = {},
): Promise<Outcome> {
  stack.configure(settings);
  const before = await starts(stack);
  const began = performance.now();
  let seconds = 0;
  let text = "";
  const stretches = await traffic.during(async () => {
    text = await stack.expectPulumi("up", "--yes", "--skip-preview");
    seconds = (performance.now() - began) / 1_000;
  });
  const after = await starts(stack);
  const stayed = [...before].filter(([node]) => after.has(node));
  const restarted = stayed.filter(([node, start]) => after.get(node) !== start);
  const restarts = restarted.length;
  const audits = await auditAll(traffic, isLast);
  const unconsumed = await traffic.unconsumed("ORDERS");

  console.info(row({ what, restarts, seconds, stretches, audits, consumed: traffic.consumed }));
  for (const [stream, audit] of Object.entries(audits)) {
    const versions = isLast ? 1 : undefined;
    const well = { ...audit, stored: audit.acknowledged, ...NOTHING_LOST, versions };
    expect(audit, stream).toEqual(well);
  }
  expect(unconsumed).toEqual([]);
  for (const stream of REPLICATED) {
    expect(stretches[stream]?.longestGap, `gap of ${stream}`).toBeLessThanOrEqual(longestGap);
  }
  if (restarts < stayed.length && restarts > 0) {
    console.info("restarted:", restarted.map(([node]) => node).join(", "));
  }
  const errors = Object.values(stretches).reduce((sum, stretch) => sum + stretch.errors, 0);
  return { restarts, errors, text };
}

async function auditAll(traffic: Traffic, readsAll: boolean): Promise<Record<string, Audit>> {
  const audits: Record<string, Audit> = {};
  for (const stream of PUBLISHED) audits[stream] = await traffic.audit(stream, readsAll);
  return audits;
}

/** Waits, because a follower counts as current only some heartbeats after a change of leader. */
export async function expectHosts(
  stack: TestStack,
  stream: string,
  hosts: readonly string[],
  login?: UserLogin,
): Promise<void> {
  await using client = await NatsClient.connect(
    await stack.outputs(),
    login?.user,
    login?.password,
  );
  await eventually(async () => {
    expect(await client.hosts(stream)).toEqual(hosts);
    return true;
  });
}

/** Each node's container and its start time. */
export async function starts(stack: TestStack): Promise<ReadonlyMap<string, string>> {
  const lists = await Promise.all(stack.engines.map((env) => startsOn(env, stack)));
  return new Map(lists.flat());
}

async function startsOn(
  env: Readonly<Record<string, string>>,
  stack: TestStack,
): Promise<(readonly [string, string])[]> {
  const filter = `--filter=label=nats-regions.stack=nats-regions/${stack.name}`;
  const { stdout: ids } = await execa("docker", ["ps", "--quiet", "--no-trunc", filter], { env });
  if (ids === "") return [];
  const format = "--format={{.Name}} {{.Id}} {{.State.StartedAt}}";
  const { stdout } = await execa("docker", ["inspect", format, ...ids.split("\n")], { env });
  return stdout.split("\n").map((line) => {
    const [name = "", ...start] = line.split(" ");
    return [name, start.join(" ")];
  });
}

interface Scene {
  readonly what: string;
  readonly restarts: number;
  /** Duration of the `up`. */
  readonly seconds: number;
  /** By stream. */
  readonly stretches: Readonly<Record<string, Stretch>>;
  readonly audits: Readonly<Record<string, Audit>>;
  /** Messages of the consumed stream. */
  readonly consumed: number;
}

/** A row of a table. Of three numbers, each is for one stream; messages count since the first scene. */
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
