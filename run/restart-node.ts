/**
 * Restarts a node whose server refuses to reload its config although its container has the same restart settings. It
 * then runs with a config that was written by hand, or that an update left behind when it skipped the step that writes
 * it.
 *
 * Run by configure-node.sh, possibly for several nodes at once: waits until no other node is being restarted in this
 * way, until the restart costs no majority, and afterwards until the node is healthy. Exits with 2 if the node was
 * restarted and doesn't become healthy.
 */
import { createHash } from "node:crypto";
import { readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { groupsOf, whyNotWell } from "../lib/observed/majorities.ts";
import type { ObservedCluster } from "../lib/observed/observed.ts";
import { whyNotItsTurn } from "../lib/update/turn.ts";
import { listOwnNodes, type OwnNode } from "../live/engine/own-nodes.ts";
import { enginesFromEnvironment } from "../live/engine/told-engines.ts";
import { LONG_REQUEST_MS } from "../live/monitoring/ask-node.ts";
import { behindIn, observeCluster } from "../live/monitoring/observe-cluster.ts";
import { until } from "../live/until.ts";
import { scriptVariables, trustOf } from "./variables.ts";
import { waitFor } from "./wait-for.ts";

const POLL_MS = 500;
const NONE: ReadonlySet<string> = new Set();

const variables = scriptVariables.pick({
  CONTAINER: true,
  OWNER: true,
  PATIENCE: true,
  CA: true,
});

export async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const { CONTAINER: container, OWNER: owner, PATIENCE: patience, CA } = variables.parse(env);
  const engines = enginesFromEnvironment(env);
  const list = () => listOwnNodes(engines, owner, trustOf(CA));
  const found = (await list()).find((each) => each.container === container);
  if (found === undefined) throw new Error(`${container} is no node of ${owner}`);
  const { name: node, engine } = found;
  const lock = await takeLock(owner);
  try {
    await waitUntil(
      { list, patience },
      (cluster) => whyNotYet(node, cluster),
      (sight) => `it was not restarted: ${sight}`,
    );
    await engine.run("restart", container);
    await comeBack(node, { list, patience });
  } finally {
    rmSync(lock, { force: true });
  }
}

interface Looking {
  readonly list: () => Promise<readonly OwnNode[]>;
  /** Milliseconds. */
  readonly patience: number;
}

async function comeBack(node: string, looking: Looking): Promise<void> {
  try {
    await waitUntil(
      looking,
      (cluster) => whyNotBack(node, cluster),
      (sight) => `it was restarted with its new config, but isn't well: ${sight}`,
    );
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}

/**
 * Waits for the lock, and takes it. The lock is a symbolic link whose target is the process id, because creating a link
 * is atomic.
 */
async function takeLock(owner: string): Promise<string> {
  const hash = createHash("sha256").update(owner).digest("hex").slice(0, 16);
  const lock = path.join(tmpdir(), `nats-regions-restart-${hash}`);
  await until<void, undefined>(
    async () => {
      try {
        symlinkSync(`${process.pid}`, lock);
        return { done: undefined };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        if (!isHeld(lock)) rmSync(lock, { force: true });
        return { shown: undefined };
      }
    },
    { pause: POLL_MS },
  );
  return lock;
}

function isHeld(lock: string): boolean {
  try {
    return process.kill(Number(readlinkSync(lock)), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function whyNotYet(node: string, cluster: ObservedCluster): string | undefined {
  const former = { keys: NONE, silent: NONE };
  const turn = { node, stepPeers: NONE, gone: NONE, changed: NONE, former, planned: [] };
  return whyNotItsTurn(cluster, turn)?.reason;
}

function whyNotBack(node: string, cluster: ObservedCluster): string | undefined {
  if (cluster.silent.includes(node)) return `no answer from ${node}`;
  return whyNotWell(groupsOf(cluster), { isAwaited: (name) => name === node });
}

/** @throws Error with the message of `describeStall` if there was no progress for too long. */
async function waitUntil(
  { list, patience }: Looking,
  judge: (cluster: ObservedCluster) => string | undefined,
  describeStall: (sight: string) => string,
): Promise<void> {
  await waitFor(
    async () => {
      const cluster = await observeCluster(await list(), LONG_REQUEST_MS);
      const reason = judge(cluster);
      return reason === undefined ? undefined : { reason, behind: behindIn(cluster) };
    },
    // No progress lines: the caller takes whatever is printed for the reason of a failure.
    { patience, pause: POLL_MS, say: () => undefined, describeStall },
  );
}
