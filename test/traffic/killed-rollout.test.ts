import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../support/change.ts";
import { seededRandom } from "../support/random.ts";
import { ONE_REGION, SEED_SETTINGS, TestStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

/** More by `npm run chaos`. */
const KILLS = Number(process.env.ROLLOUT_KILLS ?? 1);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
/** On an idle machine all nodes are replaced by then. */
const LATEST_KILL_MS = 20_000;
/**
 * Milliseconds that a stream of three replicas may be without an acknowledgement: the election after a leader
 * that was not let hand on takes 4,000 and more (nats-server 2.15, raft.go).
 */
const LONGEST_GAP = 3_000;
const STREAMS = ["EVENTS", "ORDERS"];
/** A node at a time, in place of zone by zone. */
const SMALL = {
  ...ONE_REGION,
  streams: { ...ONE_REGION.streams, EVENTS: at(SEED_SETTINGS.streams.EVENTS, "rg:1") },
};
const [SETTINGS, NODES] = KILLS > 1 ? [SEED_SETTINGS, 9] : [SMALL, 3];

describe("a rollout that is killed", () => {
  let stack: TestStack;
  let traffic: Traffic;

  beforeAll(async () => {
    stack = await TestStack.create(SETTINGS);
    await stack.expectPulumi("up", "--yes", "--skip-preview");
    traffic = await Traffic.start(await stack.outputs(), STREAMS, "ORDERS");
  });

  afterAll(async () => {
    await traffic?.[Symbol.asyncDispose]();
    await stack.remove();
  });

  test(
    `is finished by the next up, ${KILLS} times, and nothing is lost or away for long`,
    async () => {
      console.info(`moments of death: KILL_SEED=${SEED}`);
      const random = seededRandom(SEED);
      for (let kill = 1; kill <= KILLS; kill++) {
        stack.configure({ ...SETTINGS, memory: kill % 2 === 1 ? "256MiB" : "384MiB" });
        const after = Math.round(random() * LATEST_KILL_MS);
        const stretches = await traffic.during(async () => {
          const isKilled = await stack.killAfter(after, "up", "--yes", "--skip-preview");
          console.info(
            `kill ${kill}: ${isKilled ? `after ${after} ms` : "too late, it had ended"}`,
          );
          await stack.expectPulumi("up", "--yes", "--skip-preview");
        });
        for (const stream of STREAMS) {
          const { longestGap, errors } = stretches[stream] ?? { longestGap: Infinity, errors: 0 };
          console.info(`  ${stream}: longest gap ${longestGap} ms, ${errors} errors`);
          expect(longestGap, `gap of ${stream}`).toBeLessThanOrEqual(LONGEST_GAP);
        }
      }
      await stack.expectPulumi("preview", "--expect-no-changes");
      for (const stream of STREAMS) {
        const audit = await traffic.audit(stream);
        console.info(`${stream}: ${audit.acknowledged} acknowledged, ${audit.stored} stored`);
        expect(audit).toMatchObject({ missing: [], givenTwice: [], storedTwice: 0, versions: 1 });
      }
      expect(await traffic.unconsumed("ORDERS")).toEqual([]);
      // Nodes with two volumes each, and the network.
      expect(await stack.leftovers()).toHaveLength(NODES * 3 + 1);
    },
    180_000 * KILLS,
  );
});
