import { createTar } from "nanotar";
import { CONFIG_DIR, DATA_DIR } from "./nats-conf.ts";

/** The user that a node runs as: neither root nor anybody on the host. */
export const NODE_USER = 10_001;

/**
 * Packs what lies in a node's volumes: its config, readable by the server alone, and the data folder,
 * owned by it (a fresh volume is root's). Base64, as it goes through stdin of a shell script.
 *
 * @param others beside the config by name, e.g. certificates. Default: none.
 */
export function packNodeFiles(
  conf: string,
  accountsConf: string,
  others: Readonly<Record<string, string>> = {},
): string {
  const owner = { uid: NODE_USER, gid: NODE_USER, mtime: 0 };
  const folder = (name: string) => ({ name, attrs: { ...owner, mode: "750" } });
  const file = (name: string, data: string) => ({
    name,
    data,
    attrs: { ...owner, mode: "440" },
  });
  const archive = createTar([
    folder(`${CONFIG_DIR.slice(1)}/`),
    file(`${CONFIG_DIR.slice(1)}/nats.conf`, conf),
    file(`${CONFIG_DIR.slice(1)}/accounts.conf`, accountsConf),
    ...Object.entries(others).map(([name, text]) => file(`${CONFIG_DIR.slice(1)}/${name}`, text)),
    folder(`${DATA_DIR.slice(1)}/`),
  ]);
  return Buffer.from(withoutPadding(archive)).toString("base64");
}

const TAR_BLOCK = 512;

/** Leaves of the zeros that fill an archive up to 10 KiB the two blocks that end it: the state holds them twice. */
function withoutPadding(archive: Uint8Array): Uint8Array {
  const used = archive.findLastIndex((byte) => byte !== 0) + 1;
  return archive.subarray(0, (Math.ceil(used / TAR_BLOCK) + 2) * TAR_BLOCK);
}
