/** The effects of a change of nats-server's version on existing streams. */

import { imageVersion, isOlder, type ServerVersion } from "../nodes/versions.ts";
import type { ObservedCluster } from "../observed/observed.ts";
import { hasDefaultLimit, limitNotices } from "../plan/consumer-limit.ts";
import type { ClusterPlan } from "../plan/plan.ts";
import { streamKey } from "../streams/stream-name.ts";

export interface ImageChange {
  /** Oldest and newest running version. */
  readonly oldest: ServerVersion;
  readonly newest: ServerVersion;
  readonly planned: ServerVersion;
}

export interface ImageEffects {
  readonly refusals: readonly string[];
  readonly notices: readonly string[];
}

/**
 * Finds out whether a plan changes nats-server's version.
 *
 * @param images images of the existing nodes; undefined if unknown.
 * @returns undefined if all nodes keep their version.
 */
export function imageChange(
  images: readonly (string | undefined)[],
  planned: string,
): ImageChange | undefined {
  const to = imageVersion(planned);
  const running = images
    .flatMap((image) => (image === undefined ? [] : [imageVersion(image)]))
    .filter((version) => version !== undefined)
    .sort((a, b) => (isOlder(a, b) ? -1 : 1));
  const [oldest, newest] = [running[0], running.at(-1)];
  if (!to || !oldest || !newest) return undefined;
  const isSame = !isOlder(oldest, to) && !isOlder(to, newest);
  return isSame ? undefined : { oldest, newest, planned: to };
}

/**
 * The first version that moves streams by a desired state. Older servers keep that state, but don't continue the
 * move.
 */
const MOVES_BY_GOAL: ServerVersion = [2, 15, 0];

/** Says, before a change of version, what it does to streams. */
export function imageEffects(
  { oldest, newest, planned: version }: ImageChange,
  { streams }: ObservedCluster,
  plan: Pick<ClusterPlan, "accounts" | "streams">,
): ImageEffects {
  const planned = new Map(plan.streams.map((stream) => [streamKey(stream), stream]));
  const getsLimit = !hasDefaultLimit(oldest) && hasDefaultLimit(version);
  const stallsMoves = !isOlder(newest, MOVES_BY_GOAL) && isOlder(version, MOVES_BY_GOAL);
  const moving = stallsMoves ? streams.filter(({ isChanging }) => isChanging) : [];
  return {
    refusals: moving.map(
      ({ account, name }) =>
        `stream ${name} (account ${account}) is being moved or scaled, which servers before 2.15 never end; wait until it is through, see npm run status`,
    ),
    notices: getsLimit
      ? limitNotices(streams, (stream) => planned.get(streamKey(stream)), plan.accounts)
      : [],
  };
}
