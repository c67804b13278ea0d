import { z } from "zod";
import { peerId } from "../lib/meta-group.ts";
import type { MetaPeer } from "../lib/readiness.ts";
import { askNodes, type Monitor } from "./monitoring.ts";
import { givenMonitors } from "./monitoring-page.ts";
import { listOwnNodes, type OwnNode } from "./own-nodes.ts";
import { sleep } from "./patience.ts";

/** Long enough for an election. */
const LEADER_MS = 15_000;
const POLL_MS = 250;

/** Runs a script; what it throws becomes its last words. */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** OWNER: `label=value` of the containers. */
export function readOwner(): string {
  return z.string().min(1).parse(process.env.OWNER);
}

/** NODES: the nodes that stay. */
export function readStaying(): Monitor[] {
  return givenMonitors("NODES");
}

/**
 * Finds the containers of nodes that are not to stay, but still count in the meta group. One that doesn't
 * has nothing to lose, and is not to be started again (it would join again, nats-server 2.15).
 *
 * @throws Error where a member that is not to stay has no container to move anything off.
 */
export async function findLeaving(): Promise<OwnNode[]> {
  const staying = new Set(readStaying().map(({ name }) => name));
  const own = await listOwnNodes(readOwner());
  const leaving = own.filter(({ name }) => !staying.has(name));
  if (leaving.length === 0) return [];
  const members = await findMembers(own);
  const ids = new Set(members.map(({ id }) => id));
  const known = new Set([...staying, ...leaving.map(({ name }) => name)].map(peerId));
  const ghosts = members.filter(({ id }) => !known.has(id)).map(({ name }) => name);
  if (ghosts.length > 0) {
    throw new Error(
      `the meta group counts ${ghosts.join(", ")}, which has no container, so that nothing can be moved off it; put it back into the settings, run "npx pulumi up --refresh", and take it out then`,
    );
  }
  return leaving
    .filter(({ name }) => ids.has(peerId(name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All members of the meta group, by its leader. */
async function findMembers(nodes: readonly Monitor[]): Promise<MetaPeer[]> {
  for (const began = Date.now(); ; ) {
    const reports = await askNodes(nodes);
    const leader = reports.find(({ name, metaLeader }) => name === metaLeader);
    if (leader?.peers) {
      const { name, peers } = leader;
      return [{ id: peerId(name), name, well: true }, ...peers];
    }
    if (Date.now() - began > LEADER_MS) {
      throw new Error(
        "the meta group has no leader, so that nothing can move: put the nodes that leave back into the settings, and bring the cluster back first (npx pulumi up --refresh)",
      );
    }
    await sleep(POLL_MS);
  }
}
