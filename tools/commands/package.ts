import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pack } from "../package/pack.ts";

export async function run(): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
  try {
    const tarball = await pack(folder);
    await copyFile(tarball, path.basename(tarball));
    console.log(path.basename(tarball));
  } finally {
    await rm(folder, { recursive: true });
  }
  return 0;
}
