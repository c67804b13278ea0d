import { countOf } from "../../lib/wording.ts";
import { confirm } from "../confirm.ts";
import { parseOptions } from "../options.ts";
import { renderLosses } from "../render/losses.ts";
import { inspect } from "../stack/inspect.ts";
import { removeLeftovers } from "../stack/leftovers.ts";
import { showPulumi } from "../stack/pulumi-cli.ts";
import { nodesIn } from "../stack/report.ts";
import { findStack, type Stack } from "../stack/stack.ts";
import { UserError } from "../user-error.ts";

export const usage = `Usage: npm run destroy [-- options]

Takes a stack down: its containers, its volumes with all messages, its network. Settings stay.

  -s, --stack NAME   the stack to destroy (default: the selected one, else dev)
  -y, --yes          don't ask`;

export async function run(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    stack: { type: "string", short: "s" },
    yes: { type: "boolean", short: "y" },
  });
  const stack = await findStack(options.stack);
  if (!stack.exists || stack.resourceCount === 0) {
    console.log(`Stack ${stack.name} has no resources: there is nothing to destroy.`);
    return 0;
  }
  console.log(await describeLoss(stack));
  if (!options.yes && !(await confirm())) {
    console.log("Nothing was changed.");
    return 1;
  }
  for (const line of await removeLeftovers(stack.name)) console.log(line);
  return await showPulumi(["destroy", "--yes", "--skip-preview", "--stack", stack.name]);
}

/** What goes with the stack. Whatever is wrong with it must not bar the way to its end. */
async function describeLoss(stack: Stack): Promise<string> {
  const heading = `This destroys stack ${stack.name}`;
  const inspection = await inspect(stack).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  if (!inspection) return `${heading}: ${countOf(stack.resourceCount ?? 0, "resource")}.`;
  const { report } = inspection;
  const nodes = nodesIn(report).filter(({ state }) => state !== "planned");
  const streams = renderLosses(report.streams);
  const rest = streams.length === 0 ? ". It has no streams." : " and, for good, these streams:";
  return [
    `${heading}: ${countOf(nodes.length, "node")} with their volumes${rest}`,
    ...streams,
  ].join("\n");
}
