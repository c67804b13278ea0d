import * as pulumi from "@pulumi/pulumi";
import { type Engine, nothing, reasonOf, textField } from "../../live/engine/engine.ts";
import { until } from "../../live/until.ts";

/** Processes and threads. A server needs a few dozen plus some for each core; a host can run far more than this. */
const MOST_PROCESSES = 1_024;

/** A restarting engine is back within this time. No later update sets a limit that was missed. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

/**
 * A hook that limits how many processes and threads a new container may have. The Docker provider (5.2) has no field
 * for it, and an ulimit would count those of all nodes together, because all run as the same user. The limit stays with
 * the container.
 */
export function limitProcesses(engine: Engine, name: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(name, async ({ id }) => {
    await until<void, unknown>(
      async () => {
        try {
          await engine.run("update", `--pids-limit=${MOST_PROCESSES}`, id);
          return { done: undefined };
        } catch (error) {
          return (await hasEnded(engine, id)) ? { done: undefined } : { shown: error };
        }
      },
      {
        pause: PAUSE_MS,
        limit: PATIENCE_MS,
        giveUp: (error) => {
          throw new Error(reasonOf(error));
        },
      },
    );
  });
}

/**
 * Whether the server has ended, and perhaps is about to be restarted. The gate reports that with the server's own
 * words; the engine's error here would be less helpful.
 */
async function hasEnded(engine: Engine, id: string): Promise<boolean> {
  const [found] = await engine
    .list({ state: textField(".State.Status") }, "inspect", id)
    .catch(nothing);
  return found !== undefined && found.state !== "running";
}
