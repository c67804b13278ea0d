import { createTar } from "nanotar";
import { CONFIG_DIR, DATA_DIR } from "./nats-conf.ts";

/** The user id of a node's server: not root, and no usual id of a user on the host. */
export const NODE_USER = 10_001;

/**
 * Packs the files of a node's volumes into a tar archive: its config, which only the server can read, and the data
 * folder, which the server owns (that of a new volume belongs to root).
 *
 * @param others further files of the config volume by name, e.g. certificates. Default: none.
 * @returns base64, as a shell script reads it from stdin.
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

/**
 * Truncates the zeros that fill an archive up to 10 KiB to the two blocks that end it, as the stack's state stores the
 * archive twice.
 */
function withoutPadding(archive: Uint8Array): Uint8Array {
  const used = archive.findLastIndex((byte) => byte !== 0) + 1;
  return archive.subarray(0, (Math.ceil(used / TAR_BLOCK) + 2) * TAR_BLOCK);
}
