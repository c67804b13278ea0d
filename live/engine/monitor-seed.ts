import { isUserSeed } from "../../lib/accounts/nkeys.ts";
import { CONFIG_DIR, MONITOR_SEED_FILE } from "../../lib/nodes/nats-conf.ts";
import type { MonitorSeeds } from "../monitoring/monitor.ts";
import { readContainerFile } from "./container-file.ts";
import { DockerError, type Engine } from "./engine.ts";

/** A container, by name, and the engine that it is on. */
interface Located {
  readonly engine: Engine;
  readonly container: string;
}

/**
 * The nkey by which the stack looks at its cluster, as the config volumes of nodes have its seed. Nodes of an earlier
 * version have none.
 *
 * @param seed the seed of any node, a secret; undefined if none has one.
 * @param list lists the containers of nodes; they needn't run.
 */
export function monitorSeeds(
  seed: string | undefined,
  list: () => Promise<readonly Located[]>,
): MonitorSeeds {
  if (seed === undefined) return {};
  let asked: Promise<readonly string[]> | undefined;
  const allSeeds = () => {
    // All nodes that refuse a login ask at once.
    asked ??= readAll(list).finally(() => {
      asked = undefined;
    });
    return asked;
  };
  return { seed, allSeeds };
}

async function readAll(list: () => Promise<readonly Located[]>): Promise<readonly string[]> {
  const seeds = await Promise.all((await list()).map(readFrom));
  return [...new Set(seeds.filter((seed) => seed !== undefined))];
}

/**
 * Reads the seed from the config volume of the first node that has one.
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
