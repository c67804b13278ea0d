import type { StreamPolicy } from "../../lib/streams/stream-policy.ts";
import {
  ERROR_CODES,
  JetStreamError,
  type JetStreamPort,
  type StreamInfo,
} from "../../live/jetstream/jetstream.ts";
import { type Pace, retry } from "../../live/jetstream/patience.ts";
import { until } from "../../live/until.ts";

/** Whether a host leads that the policy doesn't allow. False while there is no leader. */
export function hasWrongLeader({ cluster }: StreamInfo, { leaders }: StreamPolicy): boolean {
  return Boolean(cluster?.leader) && leaders?.includes(cluster?.leader ?? "") === false;
}

/** The hosts that could lead the stream according to its policy, in the policy's order. */
export function leaderCandidates(
  { cluster }: StreamInfo,
  { leaders = [] }: StreamPolicy,
): string[] {
  return leaders.filter((host) =>
    cluster?.replicas?.some(({ name, offline, pending }) => name === host && !offline && !pending),
  );
}

/**
 * Asks a stream's leader to hand over to a given host, and waits until another host leads. That may be a different
 * host: the first replica that asks for votes wins the election.
 */
export async function handOver(
  port: JetStreamPort,
  { config: { name: stream }, cluster }: StreamInfo,
  candidate: string,
  pace: Pace,
): Promise<void> {
  const isAsked = await retry(() => askToHandOver(port, stream, candidate), pace);
  if (!isAsked) return;
  await until<void, undefined>(
    async () => {
      const now = await retry(() => port.info(stream), pace);
      const isOver = now.cluster?.leader && now.cluster.leader !== cluster?.leader;
      return isOver ? { done: undefined } : { shown: undefined };
    },
    // The caller checks who leads, and tries again.
    { pause: pace.pause, limit: pace.silence, giveUp: () => undefined },
  );
}

/** @returns false if the request no longer applies, see {@link isOvertaken}. */
export async function askToHandOver(
  port: JetStreamPort,
  stream: string,
  candidate: string,
): Promise<boolean> {
  try {
    await port.stepDown(stream, candidate);
    return true;
  } catch (error) {
    if (isOvertaken(error)) return false;
    throw error;
  }
}

/** The host leads already, or the one that was asked no longer does. */
function isOvertaken(error: unknown): boolean {
  const { noSuitablePeers, raft } = ERROR_CODES;
  return (
    error instanceof JetStreamError && [noSuitablePeers, raft].some((code) => code === error.code)
  );
}
