import { pulumiCommand, type SettingsPlace } from "../lib/base/settings-place.ts";
import { peerId } from "../lib/observed/meta-group.ts";
import type { MetaPeer } from "../lib/observed/readiness.ts";
import { findLeavingNodes } from "../lib/update/leaving-nodes.ts";
import type { OwnNode } from "../live/engine/own-nodes.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";
import { askNodes } from "../live/monitoring/monitoring.ts";
import { waitFor } from "./wait-for.ts";

/** Long enough for an election. */
const LEADER_MS = 15_000;
const POLL_MS = 250;

/**
 * Finds the containers of leaving nodes that are still members of the meta group. A leaving node that isn't a member
 * has nothing to lose, and must not be started again, because it would join again (nats-server 2.15).
 *
 * @param own all nodes of the stack.
 * @param staying names of the remaining nodes.
 * @param place where the settings are.
 * @throws Error if a leaving member has no container to move replicas off.
 */
export async function findLeaving(
  own: readonly OwnNode[],
  staying: ReadonlySet<string>,
  place: SettingsPlace,
): Promise<readonly OwnNode[]> {
  if (own.every(({ name }) => staying.has(name))) return [];
  const { leaving, orphans } = findLeavingNodes(own, staying, await findMembers(own, place));
  if (orphans.length > 0) {
    throw new Error(
      `the meta group counts ${orphans.join(", ")}, which has no container, so that nothing can be moved off it; put it back into the settings, run "${pulumiCommand(place)} up --refresh", and take it out then`,
    );
  }
  return leaving;
}

/** All members of the meta group, according to its leader. */
async function findMembers(
  nodes: readonly Monitor[],
  place: SettingsPlace,
): Promise<readonly MetaPeer[]> {
  let members: readonly MetaPeer[] = [];
  await waitFor(
    async () => {
      const reports = await askNodes(nodes);
      const leader = reports.find(({ name, metaLeader }) => name === metaLeader);
      if (!leader?.peers) return { reason: "the meta group has no leader" };
      const { name, peers } = leader;
      members = [{ id: peerId(name), name, well: true }, ...peers];
      return undefined;
    },
    {
      patience: LEADER_MS,
      pause: POLL_MS,
      say: (line) => console.error(`waiting: ${line}`),
      describeStall: () =>
        `the meta group has no leader, so that nothing can move: put the nodes that leave back into the settings, and bring the cluster back first (${pulumiCommand(place)} up --refresh)`,
    },
  );
  return members;
}
