/**
 * Stops all nodes of a cluster at once, on all its engines that answer: what is on others can't be deleted anyway. Run by
 * the `delete` of a Command.
 */
import { askWhoAnswers } from "../live/engine/answering-engines.ts";
import { type Engine, textField } from "../live/engine/engine.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { scriptVariables } from "./variables.ts";

const variables = scriptVariables.pick({ OWNER: true });

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { OWNER } = variables.parse(env);
  const engines = enginesFromEnvironment(env);
  const { answering } =
    engines.length === 1 ? { answering: engines } : await askWhoAnswers(engines);
  await Promise.all(answering.map((engine) => stopOn(engine, OWNER)));
}

async function stopOn(engine: Engine, owner: string): Promise<void> {
  const nodes = await engine.list({ name: textField(".Names") }, "ps", `--filter=label=${owner}`);
  if (nodes.length > 0) await engine.run("stop", ...nodes.map(({ name }) => name));
}
