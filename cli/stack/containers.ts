import { type Answers, askWhoAnswers, EngineRefuses } from "../../live/engine/answering-engines.ts";
import { DockerError, type Engine } from "../../live/engine/engine.ts";
import { noteSilence } from "../../live/engine/known-silence.ts";
import { listOwnNodes, type OwnNode } from "../../live/engine/own-nodes.ts";
import { UserError } from "../terminal/user-error.ts";
import { enginesIn } from "./engines.ts";
import type { Stack } from "./stack.ts";
import { ownersIn, readState, toOwnerLabel } from "./stack-state.ts";

/** Where a stack's containers are, and whose they are. */
export interface Whereabouts {
  readonly engines: readonly Engine[];
  /** Labels, each `label=value`. */
  readonly owners: readonly string[];
}

async function findWhereabouts({ name }: Pick<Stack, "name">): Promise<Whereabouts> {
  const state = await readState(name);
  return { engines: enginesIn(state), owners: [...ownersIn(state)].map(toOwnerLabel) };
}

/** The same with those engines only that answer, and why the others don't; this command then doesn't ask those again. */
export async function findAnswering(
  stack: Pick<Stack, "name">,
): Promise<Whereabouts & Pick<Answers, "silent">> {
  const { engines, owners } = await findWhereabouts(stack);
  try {
    const { answering, silent } = await askWhoAnswers(engines);
    noteSilence(engines, silent);
    return { engines: answering, owners, silent };
  } catch (cause) {
    throw cause instanceof EngineRefuses ? new UserError(cause.message, { cause }) : cause;
  }
}

/** Lists the containers of a stack's nodes, including stopped ones. @throws UserError if an engine doesn't answer. */
export async function listContainers({ engines, owners }: Whereabouts): Promise<OwnNode[]> {
  const lists = owners.map((owner) => listOwnNodes(engines, owner, {}));
  try {
    return (await Promise.all(lists)).flat();
  } catch (cause) {
    if (!(cause instanceof DockerError)) throw cause;
    throw new UserError(`A Docker engine doesn't answer: ${cause.reason}.`, { cause });
  }
}
