/**
 * Restarts a node whose server refuses to reload its config though its container has the settings of it: the config
 * that it runs with was written by hand, or left behind by an update that left out the step that writes it. Run by
 * configure-node.sh, for several nodes at once: waits until no other is restarted so, until the restart takes no
 * majority, and until the node is well again. Ends with 2 where the node was restarted and isn't well.
 *
 * CONTAINER: name of the node's container. OWNER: `label=value` of the stack's containers. CA: PEM of the authorities
 * that certify nodes, where they have TLS. PATIENCE: see await-cluster.ts.
 */
import { createHash } from "node:crypto";
import { readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { groupsOf, whyNotWell } from "../lib/majorities.ts";
import type { ObservedCluster } from "../lib/observed.ts";
import { whyNotItsTurn } from "../lib/turn.ts";
import { describeSight, Stillness } from "../lib/waiting.ts";
import { expectDocker } from "./docker-cli.ts";
import { LONG_REQUEST_MS } from "./monitoring.ts";
import { givenPatience } from "./monitoring-page.ts";
import { behindIn, observeCluster } from "./observe-cluster.ts";
import { listOwnNodes } from "./own-nodes.ts";

const CONTAINER = z.string().min(1).parse(process.env.CONTAINER);
const OWNER = z.string().min(1).parse(process.env.OWNER);
const POLL_MS = 500;
const NONE: ReadonlySet<string> = new Set();

try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const node = (await listOwnNodes(OWNER)).find(({ container }) => container === CONTAINER)?.name;
  if (node === undefined) throw new Error(`${CONTAINER} is no node of ${OWNER}`);
  const lock = await takeLock();
  try {
    const obstacle = await waitUntil((cluster) => whyNotYet(node, cluster));
    if (obstacle !== undefined) throw new Error(`it was not restarted: ${obstacle}`);
    await expectDocker("restart", CONTAINER);
    const complaint = await waitUntil((cluster) => whyNotBack(node, cluster));
    if (complaint === undefined) return;
    console.error(`it was restarted with its new config, but isn't well: ${complaint}`);
    process.exitCode = 2;
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Waits until no other process has the lock: a link that names the process, as that is made in one go. */
async function takeLock(): Promise<string> {
  const hash = createHash("sha256").update(OWNER).digest("hex").slice(0, 16);
  const lock = path.join(tmpdir(), `nats-regions-restart-${hash}`);
  for (; ; await sleep(POLL_MS)) {
    try {
      symlinkSync(`${process.pid}`, lock);
      return lock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      if (!isHeld(lock)) rmSync(lock, { force: true });
    }
  }
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
  const turn = { node, mates: NONE, gone: NONE, changed: NONE, former, planned: [] };
  return whyNotItsTurn(cluster, turn)?.reason;
}

function whyNotBack(node: string, cluster: ObservedCluster): string | undefined {
  if (cluster.silent.includes(node)) return `no answer from ${node}`;
  return whyNotWell(groupsOf(cluster), { isAwaited: (name) => name === node });
}

/** @returns what is in the way still, where nothing has moved for too long. */
async function waitUntil(
  judge: (cluster: ObservedCluster) => string | undefined,
): Promise<string | undefined> {
  const stillness = new Stillness(Date.now());
  for (; ; await sleep(POLL_MS)) {
    const cluster = await observeCluster(await listOwnNodes(OWNER), LONG_REQUEST_MS);
    const reason = judge(cluster);
    if (reason === undefined) return undefined;
    const sight = { reason, behind: behindIn(cluster) };
    stillness.note(sight, Date.now());
    if (stillness.lasts(Date.now()) > givenPatience()) return describeSight(sight);
  }
}
