import { DockerError, type Engine, reasonOf } from "../../live/engine/engine.ts";
import type { OwnNode } from "../../live/engine/own-nodes.ts";
import { UserError } from "../terminal/user-error.ts";
import type { How } from "./terms.ts";

const ATTEMPTS = 3;

/** A container, by name, and the engine that it is on. */
type Located = Pick<OwnNode, "engine" | "container">;

/**
 * Takes containers down, all at once. The engine doesn't restart them, because its restart policy treats them as
 * stopped by the user (Docker, also for `docker kill`).
 *
 * @throws UserError with `docker`'s message; some may be down then.
 */
export async function takeDown(containers: readonly Located[], how: How): Promise<void> {
  const ends = await Promise.allSettled(
    containers.map(({ engine, container }) => engine.shielded().run(how, container)),
  );
  const failed = ends.find((end) => end.status === "rejected");
  if (!failed) return;
  const { reason: cause } = failed;
  throw cause instanceof DockerError ? new UserError(cause.message, { cause }) : cause;
}

/**
 * Restores containers from any state, even after Ctrl-C.
 *
 * @returns what failed, one sentence each.
 */
export async function bringBack(containers: readonly Located[]): Promise<string[]> {
  const problems = await Promise.all(
    containers.map(({ engine, container }) => bringBackOne(engine.shielded(), container)),
  );
  return problems.flatMap((problem) => problem ?? []);
}

async function bringBackOne(engine: Engine, container: string): Promise<string | undefined> {
  let problem = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const state = await engine.run("inspect", "--format={{.State.Status}}", container);
      if (state !== "running")
        await engine.run(state === "paused" ? "unpause" : "start", container);
      return undefined;
    } catch (error) {
      problem = reasonOf(error);
    }
  }
  return `${container} could not be brought back: ${problem}`;
}
