import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { change, expectHosts, STREAMS } from "../support/change.ts";
import { metaGroups } from "../support/meta-group.ts";
import { TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const REGIONS = ["rg1", "rg2", "rg3", "rg4"];
const ZONES = ["az1", "az2", "az3", "az4"];

interface Shape {
  readonly regions: number;
  readonly zones: number;
  /** Where EVENTS is, a host in each of three regions. */
  readonly across: Readonly<Record<string, string>>;
  /** The region of ORDERS, and of SOLO. */
  readonly home: string;
}

const CLASSIC: Shape = {
  regions: 3,
  zones: 3,
  across: { rg1: "az1", rg2: "az2", rg3: "az3" },
  home: "rg2",
};
/** Each follows the one before; streams move to what is new, and off what leaves. */
const SHAPES: readonly Shape[] = [
  { ...CLASSIC, zones: 4, across: { rg1: "az4", rg2: "az1", rg3: "az2" } },
  { regions: 4, zones: 4, across: { rg1: "az1", rg3: "az2", rg4: "az4" }, home: "rg4" },
  CLASSIC,
  // The nodes of before: the meta group takes them back five minutes after they have left.
  { ...CLASSIC, zones: 4, across: { rg1: "az4", rg2: "az1", rg3: "az2" } },
];

const settings = ({ regions, zones, across, home }: Shape) => ({
  memory: "256MiB",
  regions: REGIONS.slice(0, regions),
  availabilityZones: ZONES.slice(0, zones),
  streams: {
    EVENTS: { ...STREAMS.EVENTS, placement: { across } },
    ORDERS: { ...STREAMS.ORDERS, placement: { region: home } },
    SOLO: { ...STREAMS.SOLO, placement: { region: home } },
  },
});

/** Some ten minutes: by `npm run chaos` only. */
describe.runIf(process.env.RESIZE)("a cluster that grows and shrinks", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create(settings(CLASSIC));
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), Object.keys(STREAMS), "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test.each(SHAPES)(
    "becomes $regions regions of $zones zones",
    { timeout: 600_000 },
    async (shape) => {
      const { regions, zones, across } = shape;
      const what = `to ${regions} x ${zones}, streams follow`;
      const { restarts } = await change(stack, traffic, what, settings(shape));
      expect(restarts).toBe(0);
      const size = new RegExp(` of ${regions * zones}$`);
      expect(await metaGroups(stack)).toEqual([expect.stringMatching(size)]);
      const hosts = Object.entries(across).map(([region, zone]) => `${region}-${zone}`);
      await expectHosts(stack, "EVENTS", hosts);
      await stack.expectPulumi("preview", "--expect-no-changes");
    },
  );
});
