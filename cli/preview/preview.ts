import { parseArgs } from "node:util";
import { setUp } from "../../tools/setup/set-up.ts";
import { describeStreamChanges } from "../stack/changes.ts";
import { showPulumi } from "../stack/pulumi-cli.ts";
import { findStack, readOutputs } from "../stack/stack.ts";
import { readPlan } from "../stack/stack-plan.ts";
import { createLog } from "../terminal/steps.mjs";
import { UserError } from "../terminal/user-error.ts";

export const usage = `Usage: npm run preview [-- options]

Shows what \`up\` would change: \`pulumi preview --diff\`, then in plain words which nodes come and go and
where streams move.

  -s, --stack NAME   the stack to look at (default: the selected one, else dev)

All options of \`pulumi preview\` may be given.`;

export async function run(args: readonly string[]): Promise<number> {
  const { stack: named, json } = parseOwn(args);
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

/** The options that matter here; all go to Pulumi as they are. */
function parseOwn(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: { stack: { type: "string", short: "s" }, json: { type: "boolean", short: "j" } },
    strict: false,
  });
  const { stack, json } = values;
  return { ...(typeof stack === "string" ? { stack } : {}), json: json === true };
}
