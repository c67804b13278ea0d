import * as pulumi from "@pulumi/pulumi";
import { docker } from "../providers/docker-cli.ts";

/** Far above what a server takes, some dozen and a few for each core, and far below what a host has. */
const MOST_PROCESSES = 1_024;

/** The engine's own words, and those of what runs containers for it. */
const ENDED = /stopped container|container (is )?not running|is restarting/;

/**
 * A hook that limits how many processes and threads a new container may have: the docker provider (5.2) has no
 * field for it, and an ulimit would count those of all nodes together, which run as the same user. The limit
 * stays with the container.
 */
export function limitProcesses(name: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(name, async ({ id }) => {
    const { ok, error } = await docker("update", `--pids-limit=${MOST_PROCESSES}`, id);
    // A server that has ended already is the gate's to tell of, in the server's own words.
    if (!ok && !ENDED.test(error)) throw new Error(error);
  });
}
