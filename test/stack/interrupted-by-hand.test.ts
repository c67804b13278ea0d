import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { NatsClient } from "../support/nats-client.ts";
import { seededRandom } from "../support/random.ts";
import { ONE_REGION, TestStack } from "../support/stack.ts";

/** More by `npm run chaos`. */
const INTERRUPTS = Number(process.env.INTERRUPTS ?? 1);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
/** From when on the CLI itself runs, until shortly before all is up on an idle machine. */
const EARLIEST_MS = 1_000;
const LATEST_MS = 6_000;

describe("an up that gets ^C", () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await TestStack.create(ONE_REGION);
  });

  afterAll(async () => {
    await stack.remove();
  });

  test(
    `once, then twice, ${INTERRUPTS} times, says how to go on, and the next does`,
    async () => {
      console.info(`moments of ^C: KILL_SEED=${SEED}`);
      const random = seededRandom(SEED);
      for (let round = 1; round <= INTERRUPTS; round++) {
        for (const times of [1, 2]) {
          const after = Math.round(EARLIEST_MS + random() * (LATEST_MS - EARLIEST_MS));
          const began = performance.now();
          const { exitCode, text } = await stack.interruptAfter(after, times, "up", "--yes");
          const took = Math.round(performance.now() - began) - after;
          console.info(`^C x ${times} after ${after} ms: ${exitCode}, ended within ${took} ms`);
          if (exitCode === 0) continue;
          expect(text).toContain("goes on from here");
          expect(text).not.toMatch(/panic|goroutine \d/);
        }

        await stack.expectPulumi("up", "--yes", "--skip-preview");
        await using client = await NatsClient.connect(await stack.outputs());
        await eventually(async () => {
          expect(await client.hosts("ORDERS")).toEqual(["rg1-az1", "rg1-az2", "rg1-az3"]);
          return true;
        });
        await stack.expectPulumi("preview", "--expect-no-changes");
        await stack.expectPulumi("destroy", "--yes", "--skip-preview");
        expect(await stack.leftovers()).toEqual([]);
      }
    },
    240_000 * INTERRUPTS,
  );
});
