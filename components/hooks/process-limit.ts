import * as pulumi from "@pulumi/pulumi";
import { type Engine, nothing, reasonOf, textField } from "../../live/engine/engine.ts";
import { until } from "../../live/until.ts";

/** Far above what a server takes, some dozen and a few for each core, and far below what a host has. */
const MOST_PROCESSES = 1_024;

/** An engine that is restarted is back by then; what a hook has missed, no later update makes up for. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

/**
 * A hook that limits how many processes and threads a new container may have: the docker provider (5.2) has no
 * field for it, and an ulimit would count those of all nodes together, which run as the same user. The limit
 * stays with the container.
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
 * A server that has ended, and perhaps is about to be started again, is the gate's to tell of, in the server's own
 * words: the engine has too many for it.
 */
async function hasEnded(engine: Engine, id: string): Promise<boolean> {
  const [found] = await engine
    .list({ state: textField(".State.Status") }, "inspect", id)
    .catch(nothing);
  return found !== undefined && found.state !== "running";
}
