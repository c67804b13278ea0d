import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { docker } from "../live/engine/docker-cli.ts";

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
export function limitProcesses(name: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(name, async ({ id }) => {
    for (const began = Date.now(); ; await sleep(PAUSE_MS)) {
      const { ok, error } = await docker("update", `--pids-limit=${MOST_PROCESSES}`, id);
      if (ok || (await hasEnded(id))) return;
      if (Date.now() - began > PATIENCE_MS) throw new Error(error);
    }
  });
}

/**
 * A server that has ended, and perhaps is about to be started again, is the gate's to tell of, in the server's own
 * words: the engine has too many for it.
 */
async function hasEnded(id: string): Promise<boolean> {
  const { ok, stdout } = await docker("inspect", "--format={{.State.Status}}", id);
  return ok && stdout.trim() !== "running";
}
