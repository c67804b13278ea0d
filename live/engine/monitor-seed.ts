import { isUserSeed } from "../../lib/accounts/nkeys.ts";
import { CONFIG_DIR, MONITOR_SEED_FILE } from "../../lib/nodes/nats-conf.ts";
import { readContainerFile } from "./container-file.ts";
import { DockerError, type Engine } from "./engine.ts";

/** A container, by name, and the engine that it is on. */
interface Located {
  readonly engine: Engine;
  readonly container: string;
}

/**
 * Reads the seed of the nkey by which the stack looks at its cluster from the config volume of the first node that has
 * one. Nodes of an earlier version have none.
 *
 * @param containers those of nodes; they needn't run.
 * @returns a secret; undefined if there is none, or if the engine doesn't answer.
 */
export async function readMonitorSeed(containers: readonly Located[]): Promise<string | undefined> {
  for (const located of containers) {
    const seed = await readFrom(located);
    if (seed !== undefined) return seed;
  }
  return undefined;
}

async function readFrom({ engine, container }: Located): Promise<string | undefined> {
  try {
    const file = `${CONFIG_DIR}/${MONITOR_SEED_FILE}`;
    const content = await readContainerFile(engine, container, file);
    const text = new TextDecoder().decode(content).trim();
    return isUserSeed(text) ? text : undefined;
  } catch (error) {
    if (error instanceof DockerError) return undefined;
    throw error;
  }
}
