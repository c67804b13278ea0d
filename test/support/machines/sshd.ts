import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { folders } from "../../../tools/setup/machine.ts";
import { install } from "../../../tools/setup/staged.ts";

const INSTALLED = "/usr/sbin/sshd";
/** The server, and the one library that no other package of a Debian system has brought. */
const PACKAGES = ["openssh-server", "libwrap0"];

/** Whether there is a server for ssh, or a way to get one. */
export async function canHaveSshd(): Promise<boolean> {
  if (existsSync(INSTALLED)) return true;
  const { exitCode } = await execa("which", ["apt-get", "dpkg"], { reject: false });
  return exitCode === 0;
}

/**
 * A folder with what a machine needs in `/usr` for `sshd`: an empty one if this system has it, else Debian's packages,
 * unpacked in the cache and not installed.
 *
 * @param empty an empty folder.
 */
export async function sshdLayer(empty: string): Promise<string> {
  if (existsSync(INSTALLED)) return empty;
  const place = path.join(folders(process.env).cache, "openssh-server");
  if (!existsSync(place)) await install(place, unpack);
  return path.join(place, "usr");
}

async function unpack(draft: string): Promise<string> {
  const unpacked = path.join(draft, "unpacked");
  await mkdir(unpacked);
  try {
    // As this user, because apt's own may not write here.
    const asRoot = ["-o", "APT::Sandbox::User=root"];
    await execa("apt-get", [...asRoot, "download", ...PACKAGES], { cwd: draft });
    await execa("sh", ["-c", `for deb in *.deb; do dpkg -x "$deb" unpacked; done`], { cwd: draft });
  } catch (error) {
    const hint = `install openssh-server, or let apt-get find it: apt-get update`;
    throw new Error(`There is no ${INSTALLED}: ${hint}`, { cause: error });
  }
  return unpacked;
}
