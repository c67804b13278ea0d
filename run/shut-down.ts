/**
 * Stops all nodes of a cluster at once if it is destroyed or has left its program. Stopped one after the other, each
 * would hand its leaders to the next one. Run by the `delete` of a Command.
 */
import { deletedStepVariables, whyDeleted } from "./deleted-step.ts";
import { main as stopAll } from "./stop-all.ts";

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  if ((await whyDeleted(deletedStepVariables.parse(env))) !== "replaced") await stopAll(env);
}
