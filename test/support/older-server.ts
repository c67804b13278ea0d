import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { buildServer, provideImage } from "./older-image.ts";
import { BINARY } from "./server-process.ts";

/**
 * Path of nats-server of another version: built from source, else copied out of its image. It is kept for later runs.
 */
export async function provideServer(version: string): Promise<string> {
  const place = `${BINARY}-${version}`;
  if (existsSync(place)) return place;
  mkdirSync(path.dirname(place), { recursive: true });
  const folder = mkdtempSync(`${place}-`);
  try {
    const draft = path.join(folder, "nats-server");
    await buildServer(version, folder).catch(() => copyFromImage(version, draft));
    renameSync(draft, place);
    return place;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function copyFromImage(version: string, file: string): Promise<void> {
  const image = await provideImage(version);
  const { stdout: id } = await execa("docker", ["create", image]);
  try {
    await execa("docker", ["cp", `${id}:/nats-server`, file]);
  } finally {
    await execa("docker", ["rm", id]);
  }
}
