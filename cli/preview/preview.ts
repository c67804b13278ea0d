import { setUp } from "../../tools/setup/set-up.ts";
import { describeStreamChanges } from "../stack/changes.ts";
import { showPulumi } from "../stack/pulumi-cli.ts";
import { findStack, readOutputs } from "../stack/stack.ts";
import { readPlan } from "../stack/stack-plan.ts";
import type { Given } from "../terminal/options.ts";
import { createLog } from "../terminal/steps.mjs";
import { UserError } from "../terminal/user-error.ts";

/** @param args arguments for Pulumi, including those options. */
export async function run(
  { stack: named, json }: Given<"stack" | "json">,
  args: readonly string[],
): Promise<number> {
  await setUp({ log: createLog() });
  const stack = await findStack(named);
  if (!stack.exists && !stack.isDefault) {
    throw new UserError(
      `There is no stack ${stack.name} yet. \`npm start -- --stack ${stack.name}\` makes it.`,
    );
  }
  const status = await showPulumi(["preview", "--diff", ...args]);
  if (status !== 0 || json) return status;
  const [outputs, { plan }] = await Promise.all([readOutputs(stack), readPlan(stack)]);
  const changes = describeStreamChanges(plan, outputs);
  console.log(
    changes.length === 0
      ? "No node comes or goes, and no stream moves."
      : ["In short:", ...changes.map((change) => `  ${change}`)].join("\n"),
  );
  return 0;
}
