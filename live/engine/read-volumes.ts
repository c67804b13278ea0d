import { readContainerFile } from "./container-file.ts";
import { AlreadyExists, type Engine, NotFound, nothing, textField } from "./engine.ts";

export interface VolumesToRead {
  readonly volumes: readonly string[];
  /** Path of the file in each of them. */
  readonly file: string;
  /** The container that they are read with. */
  readonly container: string;
  /** `label=value` of it. */
  readonly owner: string;
  /** Any other that the engine has serves as well. */
  readonly image: string;
}

const MOUNT = "/kept";

/**
 * Reads a file of each volume, also of volumes that no container has. The engine copies files only from containers, so
 * one is created with the volumes, read-only. It is never started, and removed afterwards.
 *
 * @returns the contents by volume, without volumes that lack the file; undefined if the engine has no image to create
 * a container from.
 * @throws DockerError
 */
export async function readVolumes(
  engine: Engine,
  { file, ...wanted }: VolumesToRead,
): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  const { container, volumes } = wanted;
  if (volumes.length === 0) return new Map();
  if (!(await createReader(engine, wanted))) return undefined;
  try {
    const contents = new Map<string, Uint8Array>();
    for (const volume of volumes) {
      const content = await readContainerFile(engine, container, `${MOUNT}/${volume}/${file}`);
      if (content) contents.set(volume, content);
    }
    return contents;
  } finally {
    await engine.run("rm", "--force", "--volumes", container);
  }
}

/** @returns whether there was an image. */
async function createReader(
  engine: Engine,
  { image, ...reader }: Omit<VolumesToRead, "file">,
): Promise<boolean> {
  if (await createFrom(engine, image, reader)) return true;
  const images = await engine.list({ id: textField(".ID") }, "image", "ls").catch(nothing);
  const [other] = images;
  return other !== undefined && (await createFrom(engine, other.id, reader));
}

async function createFrom(
  engine: Engine,
  image: string,
  { container, owner, volumes }: Omit<VolumesToRead, "file" | "image">,
): Promise<boolean> {
  const args = [
    ...["create", "--pull=never", `--name=${container}`, `--label=${owner}`, "--network=none"],
    // Without `nocopy` the engine would fill an empty volume with what the image has at that path.
    ...volumes.map((volume) => `--volume=${volume}:${MOUNT}/${volume}:ro,nocopy`),
    ...[image, "none"],
  ];
  try {
    await engine.run(...args);
  } catch (error) {
    if (error instanceof NotFound) return false;
    if (!(error instanceof AlreadyExists)) throw error;
    // A killed command leaves one of that name.
    await engine.run("rm", "--force", "--volumes", container);
    await engine.run(...args);
  }
  return true;
}
