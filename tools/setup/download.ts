import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Step } from "../../cli/terminal/log.ts";
import type { Machine } from "./machine.ts";
import { CommandError, run } from "./process.ts";

/** Milliseconds without progress after which a download is stopped. */
const PATIENCE = 15_000;

/**
 * Runs a program that downloads into a folder. It may be slow, but is stopped if nothing arrives at all, as behind a
 * firewall that drops packets.
 *
 * @param folder where the program keeps all of its files, including temporary ones.
 */
export async function download(
  { env, signal }: Machine,
  step: Step,
  [file, ...args]: readonly [string, ...string[]],
  folder: string,
  settings: NodeJS.ProcessEnv = {},
): Promise<void> {
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  const over = new AbortController();
  const stalled = new AbortController();
  const watch = watchGrowth(folder, over.signal, step).then((ended) => ended || stalled.abort());
  try {
    await run(file, args, {
      env: { ...env, ...settings, TMPDIR: temporary },
      signal: AbortSignal.any([signal, stalled.signal]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!stalled.signal.aborted) throw error;
    throw new CommandError(`nothing arrived for ${PATIENCE / 1000} s`);
  } finally {
    over.abort();
    await watch;
  }
}

/** Resolves to true when the watch is over, or to false as soon as the folder hasn't grown for too long. */
async function watchGrowth(folder: string, over: AbortSignal, step: Step): Promise<boolean> {
  let size = 0;
  let grew = performance.now();
  while (!over.aborted) {
    await sleep(500, undefined, { signal: over }).catch(() => {});
    const now = await sizeOf(folder);
    if (now > size) {
      size = now;
      grew = performance.now();
      step.detail(`${(size / 1e6).toFixed(0)} MB`);
    } else if (performance.now() - grew > PATIENCE) {
      return false;
    }
  }
  return true;
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
