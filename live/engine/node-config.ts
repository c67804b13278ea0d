import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CONFIG_DIR } from "../../lib/nodes/nats-conf.ts";
import { packNodeFiles } from "../../lib/nodes/node-files.ts";
import { CONFIGURE_NODE } from "./configure-node.ts";
import { readContainerFolder } from "./container-file.ts";
import type { OwnNode } from "./own-nodes.ts";

/** The files in a node's config volume. */
export interface NodeConfig {
  readonly conf: string;
  readonly accountsConf: string;
  /** Other files by name: certificates, if the node has TLS. */
  readonly others: Readonly<Record<string, string>>;
}

/** Reads a node's config. @throws Error if it is missing. */
export async function readConfig({
  engine,
  container,
}: Pick<OwnNode, "engine" | "container">): Promise<NodeConfig> {
  const files = await readContainerFolder(engine, container, CONFIG_DIR);
  const { "nats.conf": conf, "accounts.conf": accountsConf, ...others } = files ?? {};
  if (conf && accountsConf) return { conf, accountsConf, others };
  throw new Error(`${container} has no nats.conf and accounts.conf in ${CONFIG_DIR}`);
}

/**
 * Writes a node's config and has its server load it.
 *
 * @param owner label of the stack's own objects, `label=value`.
 * @throws Error if the server doesn't load it.
 */
export async function writeConfig(
  owner: string,
  { engine, container, restartSettings }: OwnNode,
  { conf, accountsConf, others }: NodeConfig,
): Promise<void> {
  const image = await engine.run("inspect", "--format={{.Config.Image}}", container);
  const writing = promisify(execFile)("sh", [CONFIGURE_NODE, "--test"], {
    env: {
      ...engine.environment(),
      CONTAINER: container,
      CONFIG_VOLUME: `${container}-config`,
      DATA_VOLUME: `${container}-data`,
      IMAGE: image,
      OWNER: owner,
      RESTART_SETTINGS: restartSettings,
    },
  });
  writing.child.stdin?.end(packNodeFiles(conf, accountsConf, others));
  await writing;
}
