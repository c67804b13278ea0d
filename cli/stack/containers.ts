import { type Engine, reasonOf } from "../../live/engine/engine.ts";
import { listOwnNodes, type OwnNode } from "../../live/engine/own-nodes.ts";
import type { Stack } from "./stack.ts";
import { readOwners } from "./stack-state.ts";

/** Lists the containers of a stack's nodes, including stopped ones. @throws DockerError */
export async function listContainers(engine: Engine, { name }: Stack): Promise<OwnNode[]> {
  return await listOwned(engine, await readOwners(name));
}

/**
 * Lists the containers of owners' nodes. If the engine doesn't answer there are none, and `silence` says why.
 *
 * @param owners labels, each `label=value`.
 */
export async function askForContainers(
  engine: Engine,
  owners: readonly string[],
): Promise<{ readonly containers: readonly OwnNode[]; readonly silence?: string }> {
  try {
    return { containers: await listOwned(engine, owners) };
  } catch (error) {
    return { containers: [], silence: reasonOf(error) };
  }
}

async function listOwned(engine: Engine, owners: readonly string[]): Promise<OwnNode[]> {
  return (await Promise.all(owners.map((owner) => listOwnNodes([engine], owner, {})))).flat();
}
