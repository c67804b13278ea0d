/**
 * Stops all nodes of a cluster at once if it is destroyed or has left its program. Stopped one after the other, each
 * would hand its leaders to the next one. Run by the `delete` of a Command.
 */
import { engineFromEnvironment, textField } from "../live/engine/engine.ts";
import { deletedStepVariables, whyDeleted } from "./deleted-step.ts";
import { scriptVariables } from "./variables.ts";

const variables = deletedStepVariables.extend(scriptVariables.pick({ OWNER: true }).shape);

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER, ...step } = variables.parse(env);
  if ((await whyDeleted(step)) === "replaced") return;
  const engine = engineFromEnvironment();
  const nodes = await engine.list({ name: textField(".Names") }, "ps", `--filter=label=${OWNER}`);
  if (nodes.length > 0) await engine.run("stop", ...nodes.map(({ name }) => name));
}
