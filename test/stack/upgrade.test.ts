import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { change, STREAMS } from "../support/change.ts";
import { provideImage } from "../support/older-image.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const OLD = "2.14.9";
const NEW = "2.15.2";

/** Needs an image of another version, which may have to be built: by `npm run chaos` only. */
describe.runIf(process.env.UPGRADE)("another version of the servers", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    const image = await provideImage(OLD);
    stack = await TestStack.create({ image, streams: STREAMS });
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  }, 600_000);

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack?.remove();
  });

  test.each([NEW, OLD, NEW])("goes to %s zone by zone, and loses nothing", async (version) => {
    const settings = { image: `nats:${version}`, streams: STREAMS };
    const { restarts, text } = await change(stack, traffic, `image to ${version}`, settings);
    expect(restarts).toBe(9);
    expect(text).toContain("restart, zone by zone: rg1-az1, rg2-az1, rg3-az1; then");
    expect(await versions()).toEqual([version]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });

  async function versions(): Promise<string[]> {
    const { monitoringUrls } = await stack.outputs();
    const pages = await Promise.all(
      Object.values(monitoringUrls).map(async (url) => (await fetch(`${url}/varz`)).json()),
    );
    return [...new Set(pages.map((page) => (page as { version: string }).version))];
  }
});
