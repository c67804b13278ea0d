import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const DRAFT = ".nats-regions-";

/**
 * Installs a file or folder atomically.
 *
 * @param make fills the draft folder that it is given, and returns the path in it that is to be moved.
 */
export async function install(
  place: string,
  make: (draft: string) => Promise<string>,
): Promise<void> {
  await inDraft(dirname(place), async (draft) => {
    const made = await make(draft);
    await rename(made, place).catch(async (error: NodeJS.ErrnoException) => {
      if (!["ENOTEMPTY", "EEXIST", "EISDIR"].includes(error.code ?? "")) throw error;
      await rm(place, { recursive: true });
      await rename(made, place);
    });
  });
}

/** Creates a draft folder next to its target, so that a rename works, and removes it afterwards. */
export async function inDraft<T>(parent: string, use: (draft: string) => Promise<T>): Promise<T> {
  await mkdir(parent, { recursive: true });
  await sweep(parent);
  const draft = await mkdtemp(join(parent, `${DRAFT}${process.pid}-`));
  try {
    return await use(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Removes the drafts of processes that were killed. */
async function sweep(parent: string): Promise<void> {
  const drafts = (await readdir(parent)).filter((name) => name.startsWith(DRAFT));
  const dead = drafts.filter((name) => !isAlive(Number.parseInt(name.slice(DRAFT.length), 10)));
  await Promise.all(
    dead.map((name) => rm(join(parent, basename(name)), { recursive: true, force: true })),
  );
}

/** Whether a process exists, also one of another user. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
