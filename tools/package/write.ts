/** Writes the package that others install into the working directory. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pack } from "./pack.ts";

const folder = await mkdtemp(path.join(tmpdir(), "nats-regions-"));
const tarball = await pack(folder);
await copyFile(tarball, path.basename(tarball));
await rm(folder, { recursive: true });
console.log(path.basename(tarball));
