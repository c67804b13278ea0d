import type { z } from "zod";
import { isReplaced } from "../lib/plan/replaced-steps.ts";
import { findPulumiCommand, isTeardown } from "../live/pulumi-cli/command.ts";
import { exportState } from "../live/pulumi-cli/export-state.ts";
import { scriptVariables } from "./variables.ts";

/** The variables of a step whose `delete` runs. */
export const deletedStepVariables = scriptVariables.pick({
  ORGANIZATION: true,
  PROJECT: true,
  STACK: true,
  STEP: true,
  NATS_REGIONS_COMMAND: true,
});

/** Why a step is deleted: its stack is destroyed, another step replaces it, or it has left the program. */
export type Reason = "destroyed" | "replaced" | "removed";

export async function whyDeleted(
  variables: z.output<typeof deletedStepVariables>,
): Promise<Reason> {
  const { NATS_REGIONS_COMMAND: command } = variables;
  const args = command === undefined ? await findPulumiCommand() : [command];
  if (args !== undefined && isTeardown(args)) return "destroyed";
  return (await hasFollower(variables)) ? "replaced" : "removed";
}

async function hasFollower(variables: z.output<typeof deletedStepVariables>): Promise<boolean> {
  const { ORGANIZATION: organization, PROJECT: project, STACK: stack, STEP } = variables;
  try {
    return isReplaced(await exportState({ organization, project, stack }), STEP);
  } catch {
    // The stack was renamed, and the step has its old name.
    return false;
  }
}
