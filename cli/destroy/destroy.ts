import { PlanError } from "../../lib/base/errors.ts";
import { countOf, listSome } from "../../lib/base/wording.ts";
import { nodesIn } from "../inspection/cluster-report.ts";
import { inspect } from "../inspection/inspect.ts";
import { findAnswering } from "../stack/containers.ts";
import { expectWillRun, showPulumi } from "../stack/pulumi-cli.ts";
import { findStack, type Stack } from "../stack/stack.ts";
import { readPlan } from "../stack/stack-plan.ts";
import { confirm } from "../terminal/confirm.ts";
import type { Given } from "../terminal/options.ts";
import { UserError } from "../terminal/user-error.ts";
import { describeKept, findRemains, type Remains, removeLeftovers } from "./leftovers.ts";
import { renderLosses } from "./losses-view.ts";

export async function run(options: Given<"stack" | "yes">): Promise<number> {
  expectWillRun(["destroy", ...(options.stack === undefined ? [] : ["--stack", options.stack])]);
  const stack = await findStack(options.stack);
  if (!stack.exists || stack.resourceCount === 0) {
    console.log(`Stack ${stack.name} has no resources: there is nothing to destroy.`);
    return 0;
  }
  const { engines, silent } = await findAnswering(stack);
  const remains = await findRemains(stack.name, engines);
  await refuseUnnoted(stack, remains);
  console.log(await describeLoss(stack, remains));
  for (const [key, reason] of silent) {
    console.log(
      `Without what is on the engine of ${key}, which doesn't answer: that stays, and the stack with it. (${reason})`,
    );
  }
  if (!options.yes && !(await confirm())) {
    console.log("Nothing was changed.");
    return 1;
  }
  for (const line of await removeLeftovers(remains.leftovers)) console.log(line);
  const exitCode = await showPulumi(["destroy", "--yes", "--skip-preview", "--stack", stack.name]);
  for (const line of describeKept(remains.kept)) console.log(line);
  return exitCode;
}

/**
 * Pulumi deletes or keeps a volume as the last `up` noted in the state. A user who has set `keepVolumes` since may not
 * know that.
 */
async function refuseUnnoted(stack: Stack, { going }: Remains): Promise<void> {
  if (going.length === 0) return;
  const planned = await readPlan(stack).catch((error: unknown) => {
    if (error instanceof PlanError || error instanceof UserError) return undefined;
    throw error;
  });
  if (!planned?.plan.keepsVolumes) return;
  throw new UserError(
    `keepVolumes is set, but no \`up\` has noted it down with ${listSome(going)}: they would be deleted with the messages in them.\nRun \`npx pulumi up\` first, or let go of them: npx pulumi config set keepVolumes false`,
  );
}

/** What is lost with the stack. Errors are ignored, because they mustn't prevent its deletion. */
async function describeLoss(stack: Stack, { kept, going }: Remains): Promise<string> {
  const heading = `This destroys stack ${stack.name}`;
  const staying = kept.length === 0 ? "" : `, but ${countOf(kept.length, "data volume")}`;
  const inspection = await inspect(stack).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  if (!inspection) {
    return `${heading}: ${countOf(stack.resourceCount ?? 0, "resource")}${staying}.`;
  }
  const { report } = inspection;
  const nodes = nodesIn(report).filter(({ state }) => state !== "planned");
  const streams = renderLosses(report.streams);
  return [
    `${heading}: ${countOf(nodes.length, "node")}${describeVolumes({ kept, going }, streams.length > 0)}`,
    ...streams,
  ].join("\n");
}

/** What happens to the volumes, and with them to the streams. */
function describeVolumes(
  { kept, going }: Pick<Remains, "kept" | "going">,
  hasStreams: boolean,
): string {
  if (kept.length === 0) {
    return hasStreams
      ? " with their volumes and, for good, these streams:"
      : " with their volumes. It has no streams.";
  }
  return going.length === 0
    ? `. Their data volumes stay on the engine${hasStreams ? ", with these streams:" : ". It has no streams."}`
    : `, and ${countOf(going.length, "data volume")}; ${kept.length} stay.${hasStreams ? " Of these streams, what is in none that stays is gone for good:" : " It has no streams."}`;
}
