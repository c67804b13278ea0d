import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { describeShortages, needsStreams } from "../../lib/update/room-changes.ts";
import { observeRoom } from "../../live/monitoring/observe-room.ts";
import type { EngineState } from "./inspect-engine.ts";
import { type Observer, runningMonitors } from "./observer.ts";

/**
 * Holds the plan against the room that there is, before anything changes. Streams are looked at only where what the
 * nodes say of their room leaves it open whether there is enough.
 *
 * @throws pulumi.RunError with the sums and the room.
 */
export async function refuseShortages(
  plan: ClusterPlan,
  before: EngineState,
  observe: Observer,
): Promise<void> {
  const room = await observeRoom(runningMonitors(plan, before));
  if (!needsStreams(plan, room)) return;
  const shortages = describeShortages(plan, room, await observe());
  if (shortages.length === 0) return;
  throw new pulumi.RunError(
    `There is no room for what the settings ask for, and nothing was changed:\n${shortages.map((line) => `  ${line}`).join("\n")}`,
  );
}
