import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, change, STREAMS } from "../support/change.ts";
import { metaGroups } from "../support/meta-group.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

/** What an `up` shows when a step of a node's departure has begun, or ended. */
const SIGNS = [
  /rg1-az\d+ has left/,
  /-drain updated/,
  /Stream SOLO updating/,
  /Stream SOLO updated/,
  /-retire updating/,
  /-container deleting/,
  /-data deleting/,
];
/** All of them by `npm run chaos`. */
const KILLS = Math.min(SIGNS.length, Number(process.env.SHRINK_KILLS ?? 1));

const EVENTS = at(STREAMS.EVENTS, "rg:1");
const ORDERS = at(STREAMS.ORDERS, "rg:1");
const SMALL = {
  memory: "256MiB",
  regions: ["rg1"],
  streams: { EVENTS, ORDERS, SOLO: at(STREAMS.SOLO, "rg:1") },
};

/** With one zone more, where a stream has its only replica. */
function grown(zone: string): object {
  return {
    ...SMALL,
    availabilityZones: ["az1", "az2", "az3", zone],
    streams: { EVENTS, ORDERS, SOLO: at(STREAMS.SOLO, zone.replace("az", "az:")) },
  };
}

describe("a departure that is killed", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create(SMALL);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test.each(SIGNS.slice(0, KILLS))("at %s is finished by the next up", async (sign) => {
    // The meta group takes a node of the same name back only after five minutes.
    const zone = `az${4 + SIGNS.indexOf(sign)}`;
    await change(stack, traffic, `grows by ${zone}`, grown(zone), { isLast: false });
    stack.configure(SMALL);
    await traffic.during(() => stack.killAt(sign, "up", "--yes", "--skip-preview"));
    await change(stack, traffic, `shrinks again, as an up died at ${sign}`, SMALL);
    expect(await metaGroups(stack)).toEqual([expect.stringMatching(/ of 3$/)]);
    expect((await stack.leftovers()).filter((name) => name.includes(zone))).toEqual([]);
    await stack.expectPulumi("preview", "--expect-no-changes");
  });
});
