import { docker } from "./docker-cli.ts";
import type { OwnNode } from "./own-nodes.ts";

/** Between two looks at containers of which one that doesn't stay up is found at both. */
const APART_MS = 5_000;

/** Finds nodes whose server ends as soon as it has started: no waiting helps them. */
export class FallWatch {
  #lookedAt = Date.now();
  #falling: readonly string[] = [];

  /** Says, in the server's own words, why a node doesn't stay up; undefined as long as that isn't known. */
  async look(nodes: readonly OwnNode[], now: number): Promise<string | undefined> {
    if (now - this.#lookedAt < APART_MS) return undefined;
    this.#lookedAt = now;
    const falling = nodes
      .filter(({ state }) => state === "restarting")
      .map(({ container }) => container);
    const hopeless = falling.find((container) => this.#falling.includes(container));
    this.#falling = falling;
    return hopeless === undefined ? undefined : await describeFall(hopeless);
  }
}

/** A server logs to stderr. */
async function describeFall(container: string): Promise<string> {
  const { stdout, stderr } = await docker("logs", "--tail=1", container);
  return `${container} doesn't stay up, docker logs says why: ${(stderr || stdout).trim()}`;
}
