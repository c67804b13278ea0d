import { createTar, type TarFileInput } from "nanotar";
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
  const texts = { "nats.conf": conf, "accounts.conf": accountsConf, ...others };
  return pack([
    folder(CONFIG_DIR),
    ...Object.entries(texts).map(([name, text]) => file(`${CONFIG_DIR}/${name}`, text, "440")),
    folder(DATA_DIR),
  ]);
}

const OWNER = { uid: NODE_USER, gid: NODE_USER, mtime: 0 };

/** A folder that the server owns, for {@link pack}. */
export function folder(path: string): TarFileInput {
  return { name: `${path.slice(1)}/`, attrs: { ...OWNER, mode: "750" } };
}

/** A file that the server owns, for {@link pack}. */
export function file(path: string, data: string | Uint8Array, mode: string): TarFileInput {
  return { name: path.slice(1), data, attrs: { ...OWNER, mode } };
}

/** Packs files into a tar archive, as base64. */
export function pack(files: TarFileInput[]): string {
  return Buffer.from(withoutPadding(createTar(files))).toString("base64");
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
