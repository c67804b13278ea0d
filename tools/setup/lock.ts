import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./staged.ts";

/**
 * Runs an action while no other process runs it. Installs are atomic, so the lock only prevents duplicate work of two
 * checkouts; it doesn't exclude every race.
 *
 * @param onWait called once if another process holds the lock; the function that it returns is called when that is
 * over.
 */
export async function withLock<T>(
  file: string,
  signal: AbortSignal,
  onWait: (pid: number) => () => void,
  action: () => Promise<T>,
): Promise<T> {
  await acquire(file, signal, onWait);
  try {
    return await action();
  } finally {
    await rm(file, { force: true });
  }
}

async function acquire(
  file: string,
  signal: AbortSignal,
  onWait: (pid: number) => () => void,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  let onEnd: (() => void) | undefined;
  while (!(await create(file))) {
    const holder = Number.parseInt(await readFile(file, "utf8").catch(() => ""), 10);
    if (!holder || !isAlive(holder)) {
      await rm(file, { force: true });
      continue;
    }
    onEnd ??= onWait(holder);
    await sleep(250, undefined, { signal });
  }
  onEnd?.();
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, `${process.pid}`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
