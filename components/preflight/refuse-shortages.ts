import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { describeShortages, needsStreams } from "../../lib/update/room-changes.ts";
import { observeRoom } from "../../live/monitoring/observe-room.ts";
import type { EngineState } from "./inspect-engine.ts";
import { type Observer, runningMonitors } from "./observer.ts";

/**
 * Compares the plan with the storage that is available, before anything changes. It looks at streams only if the nodes'
 * own figures don't settle whether there is enough.
 *
 * @throws pulumi.RunError with the required and the available bytes.
 */
export async function refuseShortages(
  plan: ClusterPlan,
  before: EngineState,
  observe: Observer,
): Promise<void> {
  const room = await observeRoom(runningMonitors(plan, before), before.silent);
  if (!needsStreams(plan, room)) return;
  const shortages = describeShortages(plan, room, await observe());
  if (shortages.length === 0) return;
  throw new pulumi.RunError(
    `There is no room for what the settings ask for, and nothing was changed:\n${shortages.map((line) => `  ${line}`).join("\n")}`,
  );
}
