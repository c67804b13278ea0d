import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Reads a monitoring page of a server. */
export async function readPage(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

/** Waits until a server that was started just now answers. */
export async function whenItAnswers(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await ask();
      return;
    } catch (error) {
      if (attempt > 100) throw error;
      await sleep(50);
    }
  }
}

/** Ends a server's process, and removes its folder. */
export async function endServer(server: ChildProcess, folder: string): Promise<void> {
  const exit = once(server, "exit");
  server.kill("SIGKILL");
  await exit;
  await rm(folder, { recursive: true, force: true });
}
