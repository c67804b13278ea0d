import { isUserSeed } from "../../lib/accounts/nkeys.ts";
import { CONFIG_DIR, MONITOR_SEED_FILE, TLS_FILES } from "../../lib/nodes/nats-conf.ts";
import { asksClients, CLIENT_TLS_FILES } from "../../lib/nodes/tls-blocks.ts";
import type { KeyPair } from "../jetstream/connection.ts";
import { readContainerFolder } from "./container-file.ts";
import { DockerError, type Engine } from "./engine.ts";

/** A container, by name, and the engine that it is on. */
interface Located {
  readonly engine: Engine;
  readonly container: string;
}

/** What the stack logs in with to look at its cluster; secret. */
export interface OwnLogin {
  /** The seed of its nkey. */
  readonly seed: string;
  /** A node's own certificate and key, which nodes take from clients as well as from other nodes; absent without TLS. */
  readonly pair?: KeyPair;
  /** PEM of the authorities whose certificates nodes ask clients for; absent if they ask for none. */
  readonly clientCa?: string;
}

/**
 * Reads the stack's own login from the config volume of the first node that has one. Nodes of an earlier version have
 * none.
 *
 * @param containers those of nodes; they needn't run.
 * @returns undefined if there is none, or if the engine doesn't answer.
 */
export async function readOwnLogin(containers: readonly Located[]): Promise<OwnLogin | undefined> {
  for (const located of containers) {
    const login = await readFrom(located);
    if (login !== undefined) return login;
  }
  return undefined;
}

async function readFrom({ engine, container }: Located): Promise<OwnLogin | undefined> {
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
