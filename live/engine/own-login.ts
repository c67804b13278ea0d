import { isUserSeed } from "../../lib/accounts/nkeys.ts";
import { CONFIG_DIR, MONITOR_SEED_FILE, TLS_FILES } from "../../lib/nodes/nats-conf.ts";
import { asksClients, CLIENT_TLS_FILES } from "../../lib/nodes/tls-blocks.ts";
import type { KeyPair } from "../jetstream/connection.ts";
import type { OwnLogin } from "../monitoring/monitor.ts";
import { readContainerFolder } from "./container-file.ts";
import { DockerError, type Engine } from "./engine.ts";

/** A container, by name, and the engine that it is on. */
interface Located {
  readonly engine: Engine;
  readonly container: string;
}

/** What a node's config volume has of the stack's own login; secret. */
export interface FoundLogin {
  /** The seed of the nkey by which the stack looks at its cluster. */
  readonly seed: string;
  /** The node's own certificate and key, which nodes take from clients as well as from other nodes; absent without TLS. */
  readonly pair?: KeyPair;
  /** PEM of the authorities whose certificates the node asks clients for; absent if it asks for none. */
  readonly clientCa?: string;
}

/** The login to a cluster, and what a node of it asks of clients. */
export interface ClusterLogin extends OwnLogin, Pick<FoundLogin, "clientCa"> {}

/**
 * The login by which the stack looks at its cluster, as the config volumes of nodes have it.
 *
 * @param found that of any node; undefined if none has one.
 * @param list lists the containers of nodes; they needn't run.
 */
export function ownLogin(
  found: FoundLogin | undefined,
  list: () => Promise<readonly Located[]>,
): ClusterLogin {
  if (found === undefined) return {};
  let asked: Promise<readonly string[]> | undefined;
  const allSeeds = () => {
    // All nodes that refuse a login ask at once.
    asked ??= readAll(list).finally(() => {
      asked = undefined;
    });
    return asked;
  };
  return { ...found, allSeeds };
}

async function readAll(list: () => Promise<readonly Located[]>): Promise<readonly string[]> {
  const found = await Promise.all((await list()).map(readFrom));
  return [...new Set(found.flatMap((login) => (login === undefined ? [] : [login.seed])))];
}

/**
 * Reads the login from the config volume of the first node that has one. Nodes of an earlier version have none.
 *
 * @param containers those of nodes; they needn't run.
 * @returns undefined if there is none, or if the engine doesn't answer.
 */
export async function readOwnLogin(
  containers: readonly Located[],
): Promise<FoundLogin | undefined> {
  for (const located of containers) {
    const login = await readFrom(located);
    if (login !== undefined) return login;
  }
  return undefined;
}

async function readFrom({ engine, container }: Located): Promise<FoundLogin | undefined> {
  try {
    const files = await readContainerFolder(engine, container, CONFIG_DIR);
    const seed = files?.[MONITOR_SEED_FILE]?.trim() ?? "";
    if (!files || !isUserSeed(seed)) return undefined;
    const { [TLS_FILES.certificate]: certificate = "", [TLS_FILES.key]: key = "" } = files;
    const { "nats.conf": conf = "", [CLIENT_TLS_FILES.ca]: clientCa } = files;
    return {
      seed,
      // The key of a node that no longer has TLS is empty.
      ...(certificate === "" || key === "" ? {} : { pair: { certificate, key } }),
      ...(clientCa !== undefined && asksClients(conf) ? { clientCa } : {}),
    };
  } catch (error) {
    if (error instanceof DockerError) return undefined;
    throw error;
  }
}
