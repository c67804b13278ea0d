import * as pulumi from "@pulumi/pulumi";
import type { ClusterPlan } from "../../lib/plan/plan.ts";
import { imageChange, imageEffects } from "../../lib/update/image-changes.ts";
import { loggerOf } from "../logger.ts";
import type { EngineState } from "./inspect-engine.ts";
import type { Observer } from "./observer.ts";

/**
 * Logs, before anything happens, what a change of nats-server's version does to existing streams. Does nothing if the
 * version stays.
 *
 * @throws pulumi.RunError if streams wouldn't survive the change.
 */
export async function announceImage(
  plan: ClusterPlan,
  { containers, leaving }: EngineState,
  observe: Observer,
  log = loggerOf(),
): Promise<void> {
  const nodes = [...containers.values(), ...leaving.values()];
  const images = nodes.map(({ settings }) => settings?.image?.toString());
  const change = imageChange(images, plan.image);
  if (!change) return;
  const { refusals, notices } = imageEffects(change, await observe(), plan);
  for (const line of notices) log.warn(line);
  if (refusals.length === 0) return;
  throw new pulumi.RunError(
    `image: ${plan.image} can't be changed to now:\n${refusals.map((line) => `  ${line}`).join("\n")}`,
  );
}
