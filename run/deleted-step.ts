import type { z } from "zod";
import { isReplaced } from "../lib/plan/replaced-steps.ts";
import { findPulumiCommand, isTeardown } from "../live/pulumi-cli/command.ts";
import { exportState } from "../live/pulumi-cli/export-state.ts";
import { given } from "./given.ts";

/** The variables of a step whose `delete` runs. */
export const toldOfStep = given.pick({
  ORGANIZATION: true,
  PROJECT: true,
  STACK: true,
  STEP: true,
  NATS_REGIONS_COMMAND: true,
});

/** Why a step is deleted: its stack is destroyed, another step replaces it, or it has left the program. */
export type Reason = "destroyed" | "replaced" | "removed";

export async function whyDeleted(told: z.output<typeof toldOfStep>): Promise<Reason> {
  const { NATS_REGIONS_COMMAND: command } = told;
  const args = command === undefined ? await findPulumiCommand() : [command];
  if (args !== undefined && isTeardown(args)) return "destroyed";
  return (await hasFollower(told)) ? "replaced" : "removed";
}

async function hasFollower(told: z.output<typeof toldOfStep>): Promise<boolean> {
  const { ORGANIZATION: organization, PROJECT: project, STACK: stack, STEP } = told;
  try {
    return isReplaced(await exportState({ organization, project, stack }), STEP);
  } catch {
    // The stack was renamed, and the step has its old name.
    return false;
  }
}
