import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OLDEST } from "../../lib/nodes/versions.ts";
import { VARIABLES } from "../../lib/observed/questions.ts";
import { at, change, expectHosts, STREAMS } from "../support/change.ts";
import { askAll } from "../support/monitors.ts";
import { NatsClient } from "../support/nats-client.ts";
import { provideImage } from "../support/older-image.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const OLD = OLDEST.join(".");
const NEW = "2.15.2";
/** From 2.15 on, a stream without a limit of its own may have 1,000. */
const CONSUMERS = 950;

const DEV = { subjects: ["dev.>"], replicas: 1, maxAge: "1d" };

/** Needs an image of another version, which may have to be built: by `npm run chaos` only. */
describe.runIf(process.env.UPGRADE)("another version of the servers", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    const image = await provideImage(OLD);
    stack = await TestStack.create({ image, streams: { ...STREAMS, DEV } });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  }, 600_000);

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack?.remove();
  });

  test.each<[string, object, readonly string[]]>([
    ["moves", at(STREAMS.ORDERS, "rg:3"), ["rg3-az1", "rg3-az2", "rg3-az3"]],
    ["scales", { ...at(STREAMS.ORDERS, "rg:3", "az:1"), replicas: 1 }, ["rg3-az1"]],
    ["comes back", STREAMS.ORDERS, ["rg2-az1", "rg2-az2", "rg2-az3"]],
  ])(
    "of the oldest that is accepted, a stream %s and loses nothing",
    async (what, orders, hosts) => {
      const streams = { ...STREAMS, DEV, ORDERS: orders };
      const settings = { image: `nats:${OLD}`, streams };
      const { restarts } = await change(stack, traffic, `${OLD}: ORDERS ${what}`, settings);
      expect(restarts).toBe(0);
      await expectHosts(stack, "ORDERS", hosts);
      await stack.expectPulumi("preview", "--expect-no-changes");
    },
  );

  test("names streams that 2.15 gives a limit of consumers", async () => {
    await using client = await NatsClient.connect(await stack.outputs());
    for (let number = 0; number < CONSUMERS; number++)
      await client.addConsumer("DEV", `c${number}`);
    const preview = async (dev: object) => {
      stack.configure({ image: `nats:${NEW}`, streams: { ...STREAMS, DEV: dev } });
      return await stack.expectPulumi("preview");
    };
    const notice = "stream DEV (account APP) has 950 consumers: from nats-server 2.15 on";
    expect(await preview(DEV)).toContain(notice);
    expect(await preview({ ...DEV, maxConsumers: 5_000 })).not.toContain(notice);
  });

  test.each([NEW, OLD, NEW])("goes to %s zone by zone, and loses nothing", async (version) => {
    const settings = { image: `nats:${version}`, streams: { ...STREAMS, DEV } };
    const { restarts, text } = await change(stack, traffic, `image to ${version}`, settings);
    expect(restarts).toBe(9);
    expect(text).toContain("restart, zone by zone: rg1-az1, rg2-az1, rg3-az1; then");
    expect(await versions()).toEqual([version]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  async function versions(): Promise<string[]> {
    const pages = await askAll(stack, VARIABLES);
    return [...new Set(pages.map((page) => (page as { version: string }).version))];
  }
});
