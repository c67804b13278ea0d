import { type Engine, reasonOf } from "./engine.ts";
import type { OwnNode } from "./own-nodes.ts";

/** Between two looks at containers of which one that doesn't stay up is found at both. */
const APART_MS = 5_000;

/** Finds nodes whose server ends as soon as it has started: no waiting helps them. */
export class FallWatch {
  readonly #engine: Engine;
  #lookedAt = Date.now();
  #falling: readonly string[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Says, in the server's own words, why a node doesn't stay up; undefined as long as that isn't known. */
  async look(nodes: readonly OwnNode[], now: number): Promise<string | undefined> {
    if (now - this.#lookedAt < APART_MS) return undefined;
    this.#lookedAt = now;
    const falling = nodes
      .filter(({ state }) => state === "restarting")
      .map(({ container }) => container);
    const hopeless = falling.find((container) => this.#falling.includes(container));
    this.#falling = falling;
    return hopeless === undefined ? undefined : await describeFall(this.#engine, hopeless);
  }
}

async function describeFall(engine: Engine, container: string): Promise<string> {
  const log = await engine.lastLog(container).catch(reasonOf);
  return `${container} doesn't stay up, docker logs says why: ${log}`;
}
