import type { Engine } from "../../live/engine/engine.ts";
import { askEngines, listOwnNodes, type OwnNode } from "../../live/engine/own-nodes.ts";
import { enginesIn } from "./engines.ts";
import type { Stack } from "./stack.ts";
import { ownersIn, readState, toOwnerLabel } from "./stack-state.ts";

/** Where a stack's containers are, and whose they are. */
export interface Whereabouts {
  readonly engines: readonly Engine[];
  /** Labels, each `label=value`. */
  readonly owners: readonly string[];
}

export async function findWhereabouts({ name }: Pick<Stack, "name">): Promise<Whereabouts> {
  const state = await readState(name);
  return { engines: enginesIn(state), owners: [...ownersIn(state)].map(toOwnerLabel) };
}

/** Lists the containers of a stack's nodes, including stopped ones. @throws DockerError */
export async function listContainers({ engines, owners }: Whereabouts): Promise<OwnNode[]> {
  return (await Promise.all(owners.map((owner) => listOwnNodes(engines, owner, {})))).flat();
}

/** Lists them like {@link listContainers}. Of an engine that doesn't answer there are none, and `silence` says why. */
export async function askForContainers({
  engines,
  owners,
}: Whereabouts): Promise<{ readonly containers: readonly OwnNode[]; readonly silence?: string }> {
  const answers = await Promise.all(owners.map((owner) => askEngines(engines, owner, {})));
  const silence = answers.map((answer) => answer.silence).find((words) => words !== undefined);
  return {
    containers: answers.flatMap(({ own }) => own),
    ...(silence === undefined ? {} : { silence }),
  };
}
