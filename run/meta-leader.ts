import { pulumiCommand, type SettingsPlace } from "../lib/base/settings-place.ts";
import { peerId } from "../lib/observed/meta-group.ts";
import type { NodeReport } from "../lib/observed/readiness.ts";
import { rescueQuorum } from "../lib/update/lost-nodes.ts";
import type { MetaGroupPort } from "../live/jetstream/jetstream.ts";
import type { Monitor } from "../live/monitoring/monitor.ts";
import { askNodes } from "../live/monitoring/monitoring.ts";
import { waitFor } from "./wait-for.ts";

const POLL_MS = 500;
/** Long enough for an election. */
const ELECTION_MS = 15_000;
/** For an election after a rescue, which is repeated as often. */
const RESCUE_MS = 5_000;

/** The nodes that are left, and how to have them elect a leader. */
interface Remains {
  readonly own: readonly Monitor[];
  readonly metaGroup: MetaGroupPort;
  readonly place: SettingsPlace;
}

/**
 * Waits until the meta group has a leader. Where its majority is lost, it has none, and never will: then those that are
 * left are told to do with a majority of themselves.
 *
 * @param lost names of nodes whose machines are lost for good.
 * @throws Error if it has no leader in the end.
 */
export async function awaitLeader(
  lost: readonly string[],
  { own, metaGroup, place }: Remains,
): Promise<void> {
  const gone = new Set(lost.map(peerId));
  let rescuedAt = Number.NEGATIVE_INFINITY;
  await waitFor(
    async () => {
      const reports = await askNodes(own);
      if (reports.some(({ name, metaLeader }) => name === metaLeader)) return undefined;
      const votes = rescueQuorum(membersOf(reports), gone);
      if (votes !== undefined && performance.now() - rescuedAt > RESCUE_MS) {
        console.error(
          `the meta group has lost its majority: ${votes} of those left elect a leader`,
        );
        rescuedAt = performance.now();
        // Each member answers for itself, and only a leader is proof.
        await metaGroup.rescue(votes).catch(() => undefined);
      }
      return { reason: "the meta group has no leader" };
    },
    {
      patience: ELECTION_MS + RESCUE_MS,
      pause: POLL_MS,
      say: (line) => console.error(`waiting: ${line}`),
      describeStall: () =>
        `the meta group has no leader, and nothing was let go of: have its other nodes run (${pulumiCommand(place)} up --refresh), or name those that are lost, too`,
    },
  );
}

/** Ids of all members, as the nodes know them: of those that know a group, the largest. */
function membersOf(reports: readonly NodeReport[]): readonly string[] {
  const views = reports.map(({ name, peers = [] }) => [
    ...new Set([peerId(name), ...peers.map(({ id }) => id)]),
  ]);
  return views.sort((a, b) => b.length - a.length)[0] ?? [];
}
