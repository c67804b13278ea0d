import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nodesOf } from "../../lib/plan/plan.ts";
import { openJetStream } from "../../live/jetstream/jetstream.ts";
import { find } from "../../live/jetstream/patience.ts";
import { at, STREAMS } from "../support/change.ts";
import { expectWell, injectFault, planOfStack, type Stage } from "../support/inject-fault.ts";
import { Load, readContents } from "../support/load.ts";
import { PASSWORDS } from "../support/passwords.ts";
import { Disks, whyNoDisks } from "../support/power.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";
import { everyNode, node, zoneEverywhere } from "../support/victims.ts";

/** By `npm run chaos`: nine nodes too, so many times. */
const ROUNDS = Number(process.env.POWER_CUTS ?? 0);
/** Milliseconds of load before the power goes. */
const LOADED = 3_000;
const PACE = { patience: 60_000, silence: 30_000, pause: 100 };

const { ORDERS, SOLO } = STREAMS;
const SOLO_HOST = "rg2-az1";
const SETTINGS = { streams: { ...STREAMS, SOLO: at(SOLO, "rg:2", "az:1") } };

const reason = await whyNoDisks();

/** What syncInterval is for: were nothing lost with a long one, nothing would be proved with the default. */
describe.skipIf(reason).concurrent(`a power cut of three nodes${because(reason)}`, () => {
  test("loses no acknowledged message by default", async () => {
    expect(await loseAll("always")).toBe(0);
  });

  test("loses messages where they may wait for the disk", async () => {
    expect(await loseAll("2m")).toBeGreaterThan(0);
  });
});

describe.skipIf(reason || ROUNDS === 0)(
  `nine nodes on disks of their own${because(reason)}`,
  () => {
    let stage: Stage;
    let disks: Disks;

    beforeAll(async () => {
      const stack = await TestStack.create(SETTINGS);
      await stack.expectPulumi("up", "--yes", "--skip-preview");
      const plan = planOfStack(stack, SETTINGS);
      disks = await Disks.under(nodesOf(plan));
      await expectWell({ plan });
      const traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
      stage = { stack, plan, traffic };
    });

    afterAll(async () => {
      await stage?.traffic[Symbol.asyncDispose]();
      await disks?.[Symbol.asyncDispose]();
      await stage?.stack.remove();
    });

    beforeEach(() => stage.traffic.startOver());

    const cuts = [
      { name: "one node", nodes: node(SOLO_HOST) },
      { name: "az1 in all regions", nodes: zoneEverywhere("az1") },
      { name: "all nodes", nodes: everyNode },
    ];

    test.for(Array.from({ length: ROUNDS }, () => cuts).flat())(
      "lose power, and no message: $name",
      async ({ name, nodes }) => {
        await injectFault(stage, {
          name: `without power: ${name}`,
          nodes,
          fault: disks.withoutPower,
        });
      },
    );

    test("are full, and acknowledge nothing that isn't stored", async () => {
      const full = { name: "full: the host of R1", nodes: node(SOLO_HOST), fault: disks.full };
      await injectFault(stage, full);
    });

    test("are as they were, to Pulumi", async () => {
      await stage.stack.expectPulumi("preview", "--expect-no-changes");
    });
  },
);

/** How many acknowledged messages three nodes lose when their power goes at once. */
async function loseAll(syncInterval: string): Promise<number> {
  const settings = {
    regions: ["rg1"],
    syncInterval,
    streams: { ORDERS: { ...ORDERS, placement: { tags: ["rg:1"] } } },
  };
  const stack = await TestStack.create(settings);
  try {
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    const plan = planOfStack(stack, settings);
    const nodes = nodesOf(plan);
    await using disks = await Disks.under(nodes);
    await expectWell({ plan });
    const urls = nodes.map(({ clientUrl }) => clientUrl);
    const [user, password] = ["user", PASSWORDS.password];
    await using client = disposable(
      await connect({ servers: urls, user, pass: password, maxReconnectAttempts: -1 }),
    );
    const load = new Load(client, "orders.new");
    await sleep(LOADED);
    await disks.withoutPower.inject(nodes, plan);
    await load.stop();
    await disks.withoutPower.restore(nodes, plan);

    const port = openJetStream({ urls, user, password }, "APP");
    const isThere = await find(port, "ORDERS", PACE);
    const contents = isThere ? await readContents(client, port, "ORDERS") : new Map();
    const lost = load.missingFrom(contents).length;
    console.info(
      `| without power: three nodes, syncInterval ${syncInterval} | acknowledged ${load.acked.size} | stored ${contents.size} | lost ${lost} |`,
    );
    return lost;
  } finally {
    await stack.remove();
  }
}

function disposable(client: NatsConnection): NatsConnection & AsyncDisposable {
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

function because(why: string | undefined): string {
  return why === undefined ? "" : ` (${why})`;
}
