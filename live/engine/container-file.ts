import path from "node:path";
import { parseTar } from "nanotar";
import { type Engine, NotFound } from "./engine.ts";

/** Reads a file of a container, which needn't run; undefined if there is no such file. @throws DockerError */
export async function readContainerFile(
  engine: Engine,
  container: string,
  file: string,
): Promise<Uint8Array | undefined> {
  try {
    const archive = await engine.read("cp", `${container}:${file}`, "-");
    // A copy, because nanotar reads the underlying memory from its start, and a Buffer may be a part of a larger one.
    return parseTar(new Uint8Array(archive))[0]?.data;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/** Reads the files of a folder in a container, which needn't run, by name; undefined if there is none. @throws DockerError */
export async function readContainerFolder(
  engine: Engine,
  container: string,
  folder: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const archive = await engine.read("cp", `${container}:${folder}`, "-");
    const files = parseTar(new Uint8Array(archive)).filter(({ type }) => type === "file");
    return Object.fromEntries(files.map(({ name, text }) => [path.basename(name), text]));
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
