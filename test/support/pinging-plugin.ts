import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { goBuild, goPrograms } from "../../tools/setup/go.ts";
import { folders, isThere, type Machine, onPath } from "../../tools/setup/machine.ts";
import { install } from "../../tools/setup/staged.ts";
import { PROJECT } from "./stack.ts";

const SOURCE = path.join(PROJECT, "tools/toolchain/docker-plugin");
const FILES = ["main.go", "pings.go", "go.mod"];
const SILENT = { label: "", doing() {}, note() {}, detail() {}, done() {}, failed() {} };

/** Why {@link pingingPlugin} can't be built here; undefined if it can. */
export async function whyNoPingingPlugin(): Promise<string | undefined> {
  return (await onPath("go", process.env)) ? undefined : "there is no Go";
}

/**
 * A Docker plugin that asks an engine for a sign of life when it is configured, like the official one, which other builds
 * from source don't (`tools/toolchain/docker-plugin/pings.go`). It is kept in the cache.
 *
 * @returns its folder. Pulumi takes a plugin from PATH before others.
 */
export async function pingingPlugin(): Promise<string> {
  const { env } = process;
  const machine: Machine = { env, signal: new AbortController().signal, folders: folders(env) };
  const digest = createHash("sha256");
  for (const file of FILES) digest.update(await readFile(path.join(SOURCE, file)));
  const name = `pinging-docker-plugin-${digest.digest("hex").slice(0, 12)}`;
  const place = path.join(machine.folders.cache, name);
  if (await isThere(place)) return place;
  const { tags, ...program } = goPrograms.dockerPlugin;
  await install(place, async (draft) => {
    const made = path.join(draft, name);
    await mkdir(made);
    const output = path.join(made, "pulumi-resource-docker");
    await goBuild(machine, { ...program, tags: `${tags},pings` }, output, { step: SILENT });
    return made;
  });
  return place;
}
