import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { metaGroups } from "../support/meta-group.ts";
import { NatsClient } from "../support/nats-client.ts";
import { TestStack } from "../support/stack.ts";

/** By `npm run chaos`: every other test of a stack begins with one. */
const COLD_STARTS = Number(process.env.COLD_STARTS ?? 0);

/** With routes to a few seeds only, nine nodes that start together split into two groups now and then. */
describe.runIf(COLD_STARTS > 0)("a cluster that starts from nothing", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create();
  });

  afterAll(async () => {
    await stack.remove();
  });

  test.each(Array.from({ length: COLD_STARTS }, (_, index) => index + 1))(
    "forms one meta group of nine, time %d",
    async () => {
      await stack.expectPulumi("up", "--yes", "--skip-preview");
      const outputs = await stack.outputs();
      expect(Object.keys(outputs.clientUrls)).toHaveLength(9);
      expect(await metaGroups(stack)).toEqual([expect.stringMatching(/^rg\d-az\d of 9$/)]);

      await using client = await NatsClient.connect(outputs);
      expect(await client.hosts("EVENTS")).toEqual(["rg1-az1", "rg2-az2", "rg3-az3"]);
      expect(await client.hosts("ORDERS")).toEqual(["rg2-az1", "rg2-az2", "rg2-az3"]);

      await stack.expectPulumi("destroy", "--yes", "--skip-preview");
      expect(await stack.leftovers()).toEqual([]);
    },
  );
});
