import { reasonOf } from "./engine.ts";
import type { OwnNode } from "./own-nodes.ts";

/** Time between two looks: a container that is restarting at both doesn't stay up. */
const APART_MS = 5_000;

/** Finds nodes whose server ends right after each start: waiting doesn't help them. */
export class CrashWatch {
  readonly #allDown: string | undefined;
  #lookedAt = performance.now();
  #crashing: readonly string[] = [];
  #wereDown = false;

  /** @param allDown what to report if none of the nodes runs, at both looks. Default: nothing. */
  constructor(allDown?: string) {
    this.#allDown = allDown;
  }

  /** Why nodes don't stay up, with the last log line of one of them; undefined while that isn't known. */
  async look(nodes: readonly OwnNode[], now: number): Promise<string | undefined> {
    if (now - this.#lookedAt < APART_MS) return undefined;
    this.#lookedAt = now;
    const crashing = nodes.filter(({ state }) => state === "restarting");
    const hopeless = crashing.find(({ container }) => this.#crashing.includes(container));
    this.#crashing = crashing.map(({ container }) => container);
    const wereDown = this.#wereDown;
    this.#wereDown = nodes.length > 0 && nodes.every(({ state }) => state === "down");
    if (hopeless !== undefined) return await describeCrash(hopeless);
    return wereDown && this.#wereDown ? this.#allDown : undefined;
  }
}

async function describeCrash({ engine, container }: OwnNode): Promise<string> {
  const log = await engine.lastLog(container).catch(reasonOf);
  return `${container} doesn't stay up, docker logs says why: ${log}`;
}
